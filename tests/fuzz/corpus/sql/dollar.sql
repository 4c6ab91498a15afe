do $f$ begin a; $$ b; $$ end $f$; select $1, a$b$; /* a /* b; */ c */ create rule r as on insert to t do (a; b);
