create trigger t after insert on a when new.x begin select case when 1 then 2 end; -- end;
 delete from [a;b]; end; select `c``d`, "e""f", x'ab';
