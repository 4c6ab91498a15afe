#include "conformance/schema/drifts.hpp"

namespace quarry::schema::test {

const std::string sqlite_base = R"(
create table parent (
  id integer primary key,
  code text not null unique,
  state text not null default 'ok' check (state in ('sad', 'ok', 'happy')),  -- how it is
  amount real default 0,
  size integer,
  twice integer generated always as (size * 2) virtual,
  constraint size_fits check (size < 1000)
) strict;
create table child (
  id integer primary key autoincrement,
  parent_id integer not null references parent (id) on delete cascade,
  note text
) strict;
create table word (w text primary key, n integer not null default 0) strict, without rowid;
create table page (url text primary key, body text not null) strict;
create virtual table page_words using fts5(body, content='page');
create trigger page_insert after insert on page begin insert into page_words (rowid, body) values (new.rowid, new.body); end;
create index child_parent on child (parent_id);
create index parent_sad on parent (code) where state = 'sad';
create index parent_lower on parent (lower(code));
create view happy as select id, code from parent where state = 'happy';
create trigger parent_update after update on parent when new.size > 10 begin update parent set amount = 1 where id = new.id; end;
)";

const std::string sqlite_rows = R"(
insert into parent (id, code, state, size) values (1, 'a', 'ok', 1), (2, 'b', 'happy', 2), (3, 'c', 'sad', null);
insert into child (parent_id, note) values (1, 'x'), (1, 'y'), (2, 'z');
delete from child where note = 'z';
insert into word values ('one', 1);
insert into page values ('u1', 'some words'), ('u2', 'other words');
)";

namespace {
const std::string parent_update =
    "create trigger parent_update after update on parent when new.size > 10 begin update parent set amount = 1 where id = "
    "new.id; end;\n";
}

namespace {

std::vector<Drift> sqlite_columns() {
  const Engine e = Engine::sqlite;
  return {
      {e, "column_added", "  size integer,", "  size integer, extra text,", "column parent.extra is missing"},
      {e, "column_added_with_default", "  note text\n", "  note text, flag integer not null default 1\n",
       "column child.flag is missing"},
      {e, "column_added_unique", "  note text\n", "  note text, mark text unique\n", "column child.mark is missing", true},
      {e, "column_added_with_expression_default", "  note text\n", "  note text, at integer not null default (1 + 1)\n",
       "column child.at is missing", true},
      {e, "column_removed", ",\n  note text\n", "\n", "column child.note is extra"},
      {e, "column_removed_that_a_check_names",
       "  size integer,\n  twice integer generated always as (size * 2) virtual,\n  constraint size_fits check (size < "
       "1000)\n",
       "  amount2 real\n", "constraint parent.size_fits is extra", true},
      {e, "type_changed", "amount real default 0", "amount integer default 0", "column parent.amount is changed", true},
      {e, "default_changed", "amount real default 0", "amount real default 5", "default 5", true},
      {e, "default_dropped", "amount real default 0", "amount real", "column parent.amount is changed", true},
      {e, "not_null_added", "amount real default 0", "amount real not null default 0", "column parent.amount is changed",
       true},
      {e, "not_null_dropped", "code text not null unique", "code text unique", "column parent.code is changed", true},
      {e, "generated_changed", "(size * 2)", "(size * 3)", "column parent.twice is changed", true},
      {e, "collation_changed", "  note text\n", "  note text collate nocase\n", "column child.note is changed", true},
      {e, "autoincrement_dropped", "primary key autoincrement", "primary key", "column child.id is changed", true},
  };
}

std::vector<Drift> sqlite_constraints_and_indexes() {
  const Engine e = Engine::sqlite;
  return {
      {e, "unique_dropped", "code text not null unique", "code text not null", "column parent.code is changed", true},
      {e, "enum_value_added", "'ok', 'happy')", "'ok', 'happy', 'glad')", "column parent.state is changed", true},
      {e, "enum_value_removed", "('sad', 'ok', 'happy')", "('ok', 'happy', 'sad')", "column parent.state is changed", true},
      {e, "check_changed", "check (size < 1000)", "check (size < 2000)", "constraint parent.size_fits is changed", true},
      {e, "check_removed", ",\n  constraint size_fits check (size < 1000)", "", "constraint parent.size_fits is extra",
       true},
      {e, "check_added", "  note text\n", "  note text, check (note <> '')\n",
       "constraint child.check ( note < > '' ) is missing", true},
      {e, "foreign_key_action", "on delete cascade", "on delete restrict", "column child.parent_id is changed", true},
      {e, "foreign_key_removed", " references parent (id) on delete cascade", "", "column child.parent_id is changed", true},
      {e, "foreign_key_deferred", "on delete cascade", "on delete cascade deferrable initially deferred",
       "column child.parent_id", true},
      {e, "index_added", "", "create index child_note on child (note);", "index child.child_note is missing"},
      {e, "index_removed", "create index child_parent on child (parent_id);\n", "", "index child.child_parent is extra"},
      {e, "index_columns", "on child (parent_id)", "on child (parent_id, id)", "index child.child_parent is changed"},
      {e, "index_unique", "create index parent_lower", "create unique index parent_lower",
       "index parent.parent_lower is changed"},
      {e, "index_predicate", "where state = 'sad'", "where state = 'ok'", "index parent.parent_sad is changed"},
      {e, "index_expression", "lower(code)", "upper(code)", "index parent.parent_lower is changed"},
  };
}

std::vector<Drift> sqlite_the_rest() {
  const Engine e = Engine::sqlite;
  return {
      {e, "strict_dropped", "note text\n) strict;", "note text\n);", "table child is changed", true},
      {e, "without_rowid_dropped", "strict, without rowid", "strict", "table word is changed", true},
      {e, "full_text_source_changed", "body text not null)", "body text not null default '')", "column page.body is changed",
       true},
      {e, "trigger_removed", parent_update, "", "trigger parent.parent_update is extra"},
      {e, "trigger_condition", "new.size > 10", "new.size > 20", "trigger parent.parent_update is changed"},
      {e, "trigger_body", "set amount = 1", "set amount = 2", "trigger parent.parent_update is changed"},
      {e, "view_changed", "select id, code from parent", "select id, code, size from parent", "view happy is changed"},
      {e, "view_removed", "create view happy as select id, code from parent where state = 'happy';\n", "",
       "view happy is extra"},
      {e, "view_of_a_rebuilt_table", "amount real default 0", "amount real default 7", "column parent.amount is changed",
       true},
      {e, "table_added", "",
       "create table more (id integer primary key references parent) strict; create index more_i on more (id);",
       "table more is missing"},
      {e, "table_removed", "create table word (w text primary key, n integer not null default 0) strict, without rowid;\n",
       "", "table word is extra", false, true},
      {e, "full_text_changed", "fts5(body, content='page')", "fts5(body, content='page', tokenize='porter')",
       "table page_words is changed"},
  };
}

}  // namespace

std::vector<Drift> sqlite_drifts() {
  auto all = sqlite_columns();
  for (const auto& more : {sqlite_constraints_and_indexes(), sqlite_the_rest()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace quarry::schema::test
