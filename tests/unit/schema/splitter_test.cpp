#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "quarry/core/error.hpp"
#include "quarry/schema/sql_text.hpp"

namespace quarry::schema {
namespace {

using Strings = std::vector<std::string>;

struct Case {
  const char* name;
  std::vector<Engine> engines;
  std::string script;
  Strings statements;
  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
};

const std::vector<Engine> both = {Engine::sqlite, Engine::postgres};
const std::vector<Engine> pg = {Engine::postgres};
const std::vector<Engine> lite = {Engine::sqlite};

const Case cases[] = {
    {"empty", both, "", {}},
    {"only_spaces_and_comments", both, " \n-- a; b\n/* c; */\t", {}},
    {"only_semicolons", both, ";; ;\n;", {}},
    {"one_without_semicolon", both, "select 1", {"select 1"}},
    {"two", both, "select 1; select 2;", {"select 1", "select 2"}},
    {"comment_before_is_left_out", both, "-- first\nselect 1;", {"select 1"}},
    {"comment_behind_is_left_out", both, "select 1 -- one; two\n; select 2", {"select 1", "select 2"}},
    {"comment_within_stays", both, "select /* ; */ 1;", {"select /* ; */ 1"}},
    {"line_comment_hides_semicolon", both, "select 1 -- ;\n + 2;", {"select 1 -- ;\n + 2"}},
    {"string_hides_semicolon", both, "select ';';select 2", {"select ';'", "select 2"}},
    {"doubled_quote", both, "select 'it''s;';x", {"select 'it''s;'", "x"}},
    {"quoted_name", both, "select \";\" from \"a\"\";b\";x", {"select \";\" from \"a\"\";b\"", "x"}},
    {"comment_marks_in_string", both, "select '--', '/*';x", {"select '--', '/*'", "x"}},
    {"quote_in_comment", both, "select /* don't */ 1;x", {"select /* don't */ 1", "x"}},
    {"parentheses_hide_semicolons", both, "a (b; c); d", {"a (b; c)", "d"}},
    {"carriage_returns", both, "select 1;\r\nselect 2;\r\n", {"select 1", "select 2"}},
    {"no_newline_after_comment", both, "select 1; -- end", {"select 1"}},
    {"letters_beyond_ascii", both, "select 'ä;ö' as größe;x", {"select 'ä;ö' as größe", "x"}},
    {"backslash_is_plain_in_strings", both, "select 'a\\';x", {"select 'a\\'", "x"}},
    {"minus_minus_without_space", both, "select 1--;\n;x", {"select 1", "x"}},
    {"division_is_no_comment", both, "select 4 / 2 * 1;x", {"select 4 / 2 * 1", "x"}},

    {"nested_comment", pg, "select /* a /* b; */ c; */ 1;x", {"select /* a /* b; */ c; */ 1", "x"}},
    {"dollar_quote", pg, "do $$ begin a; b; end $$; x", {"do $$ begin a; b; end $$", "x"}},
    {"tagged_dollar_quote", pg, "do $f$ a; $$ b; $$ $f$; x", {"do $f$ a; $$ b; $$ $f$", "x"}},
    {"dollar_tag_with_digits", pg, "do $q_1$;$q_1$;x", {"do $q_1$;$q_1$", "x"}},
    {"parameter_is_no_dollar_quote", pg, "select $1; select $2", {"select $1", "select $2"}},
    {"dollar_inside_a_name", pg, "select a$b$; select c$b$", {"select a$b$", "select c$b$"}},
    {"quote_inside_dollar_quote", pg, "do $$ it's; $$;x", {"do $$ it's; $$", "x"}},
    {"escape_string", pg, "select E'a\\';b';x", {"select E'a\\';b'", "x"}},
    {"escape_string_with_two_backslashes", pg, "select e'a\\\\';x", {"select e'a\\\\'", "x"}},
    {"escape_string_goes_on_in_next_line", pg, "select E'a'\n'b\\';c';x", {"select E'a'\n'b\\';c'", "x"}},
    {"escape_string_goes_on_behind_a_comment",
     pg,
     "select E'a' -- it's\n'b\\';c';x",
     {"select E'a' -- it's\n'b\\';c'", "x"}},
    {"escape_string_does_not_go_on_in_the_line", pg, "select E'a' 'b\\';x", {"select E'a' 'b\\'", "x"}},
    {"unicode_string", pg, "select U&'d\\0061;';x", {"select U&'d\\0061;'", "x"}},
    {"name_that_ends_in_e", pg, "select date'2026;\\';x", {"select date'2026;\\'", "x"}},
    {"begin_atomic",
     pg,
     "create function f() returns int begin atomic select 1; select 2; end; x",
     {"create function f() returns int begin atomic select 1; select 2; end", "x"}},
    {"begin_atomic_with_case",
     pg,
     "create or replace procedure p() BEGIN ATOMIC select case when true then 1 end; select 2; END; x",
     {"create or replace procedure p() BEGIN ATOMIC select case when true then 1 end; select 2; END", "x"}},
    {"begin_alone_is_a_statement", pg, "begin; select 1; end;", {"begin", "select 1", "end"}},
    {"atomic_outside_a_function", pg, "select 1 as begin atomic; x", {"select 1 as begin atomic", "x"}},
    {"rule_with_several_actions",
     pg,
     "create rule r as on insert to t do (a; b); x",
     {"create rule r as on insert to t do (a; b)", "x"}},
    {"copy_from_file", pg, "copy t from '/tmp/stdin';", {"copy t from '/tmp/stdin'"}},

    {"comments_do_not_nest", lite, "select /* a /* b; */ 1;x", {"select /* a /* b; */ 1", "x"}},
    {"bracketed_name", lite, "select [a;b]; x", {"select [a;b]", "x"}},
    {"backtick_name", lite, "select `a;``b`; x", {"select `a;``b`", "x"}},
    {"trigger",
     lite,
     "create trigger t after insert on a begin delete from b; select 1; end; x",
     {"create trigger t after insert on a begin delete from b; select 1; end", "x"}},
    {"temporary_trigger",
     lite,
     "CREATE TEMP TRIGGER t AFTER DELETE ON a BEGIN SELECT 1; END; x",
     {"CREATE TEMP TRIGGER t AFTER DELETE ON a BEGIN SELECT 1; END", "x"}},
    {"trigger_with_case",
     lite,
     "create trigger t before update on a when new.x begin select case when 1 then raise(abort, 'no; no') end; end; x",
     {"create trigger t before update on a when new.x begin select case when 1 then raise(abort, 'no; no') end; end", "x"}},
    {"trigger_with_comments",
     lite,
     "create trigger t after insert on a begin select 1; -- end;\n /* end; */ end /**/; x",
     {"create trigger t after insert on a begin select 1; -- end;\n /* end; */ end", "x"}},
    {"trigger_at_the_end",
     lite,
     "create trigger t after insert on a begin select 1; end",
     {"create trigger t after insert on a begin select 1; end"}},
    {"table_called_trigger", lite, "create table trigger_log (a); x", {"create table trigger_log (a)", "x"}},
    {"dollar_is_a_parameter", lite, "select $$a; x", {"select $$a", "x"}},
};

class SplitScript : public testing::TestWithParam<Case> {};

TEST_P(SplitScript, Gives) {
  for (const Engine engine : GetParam().engines) {
    Strings statements;
    for (const auto& statement : split_script(engine, GetParam().script)) statements.emplace_back(statement.text);
    EXPECT_EQ(statements, GetParam().statements) << (engine == Engine::sqlite ? "sqlite" : "postgres");
  }
}
INSTANTIATE_TEST_SUITE_P(Golden, SplitScript, testing::ValuesIn(cases), [](const auto& test) { return test.param.name; });

struct Refusal {
  const char* name;
  Engine engine;
  std::string script;
  std::string message;
  friend void PrintTo(const Refusal& c, std::ostream* out) { *out << c.name; }
};

const Refusal refusals[] = {
    {"open_string", Engine::sqlite, "select 1;\nselect 'a", "line 2: the string that begins here does not end"},
    {"open_name", Engine::postgres, "select \"a", "line 1: the quoted name that begins here does not end"},
    {"open_comment", Engine::sqlite, "select 1 /* a", "line 1: the comment that begins here does not end"},
    {"open_nested_comment", Engine::postgres, "/* /* */", "line 1: the comment that begins here does not end"},
    {"open_dollar_quote", Engine::postgres, "do\n$a$ $b$",
     "line 2: the dollar-quoted string $a$ that begins here does not end"},
    {"open_parenthesis", Engine::postgres, "a\n(b; c", "line 2: the parenthesis that opens here is not closed"},
    {"function_without_end", Engine::postgres, "create function f() begin atomic select 1;",
     "line 1: the BEGIN ATOMIC of this function has no END"},
    {"trigger_without_end", Engine::sqlite, "create trigger t after insert on a begin select 1;\n",
     "line 1: this trigger has no END"},
    {"psql_command", Engine::postgres, "select 1;\n\\i other.sql\n",
     "line 2: a backslash command belongs to psql; write plain SQL"},
    {"psql_command_in_statement", Engine::postgres, "select 1 \\gexec",
     "line 1: a backslash command belongs to psql; write plain SQL"},
    {"dot_command", Engine::sqlite, ".read other.sql",
     "line 1: a dot command belongs to the sqlite3 shell; write plain SQL"},
    {"copy_from_stdin", Engine::postgres, "select 1;\n COPY t (a)\nFROM STDIN;\n1\n",
     "line 2: COPY ... FROM STDIN needs a client program; write INSERT"},
};

class RefuseScript : public testing::TestWithParam<Refusal> {};

TEST_P(RefuseScript, WithLine) {
  try {
    split_script(GetParam().engine, GetParam().script);
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_EQ(error.client_message(), GetParam().message);
  }
}
INSTANTIATE_TEST_SUITE_P(Golden, RefuseScript, testing::ValuesIn(refusals),
                         [](const auto& test) { return test.param.name; });

TEST(SplitScriptLines, CountFromOne) {
  const auto statements = split_script(Engine::postgres, "select 1;\n\n-- note\nselect\n2;\nselect $$\n\n$$; select 4");
  ASSERT_EQ(statements.size(), 4u);
  EXPECT_EQ(statements[0].line, 1u);
  EXPECT_EQ(statements[1].line, 4u);
  EXPECT_EQ(statements[2].line, 6u);
  EXPECT_EQ(statements[3].line, 8u);
}

/// Whatever is cut off a good script, the splitter answers with statements or with `invalid`.
TEST(SplitScriptPrefixes, NeverFailOtherwise) {
  for (const auto& c : cases)
    for (const Engine engine : both)
      for (std::size_t size = 0; size <= c.script.size(); ++size) {
        try {
          split_script(engine, std::string_view(c.script).substr(0, size));
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::invalid);
        }
      }
}

TEST(Normalised, ForgetsSpellingOnly) {
  const auto sqlite = [](std::string_view text) { return normalised(Engine::sqlite, text); };
  EXPECT_EQ(sqlite("CREATE TABLE \"Jobs\"(\n  id INTEGER, -- key\n [title] text DEFAULT 'A  b')"),
            sqlite("create table jobs (id integer, title text default 'A  b')"));
  EXPECT_NE(sqlite("select 'A'"), sqlite("select 'a'"));
  EXPECT_NE(sqlite("select \"a b\""), sqlite("select a b"));
  EXPECT_NE(normalised(Engine::postgres, "select \"Jobs\""), normalised(Engine::postgres, "select jobs"));
}

TEST(LeadingWords, StopAtAnythingElse) {
  EXPECT_EQ(leading_words(Engine::postgres, "/* x */ Create Unique INDEX concurrently i on t (a)", 4),
            (Strings{"create", "unique", "index", "concurrently"}));
  EXPECT_EQ(leading_words(Engine::sqlite, "pragma \"x\"", 4), Strings{"pragma"});
}

TEST(Quoting, DoublesQuotes) {
  EXPECT_EQ(quoted_name("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quoted_text("it's"), "'it''s'");
}

}  // namespace
}  // namespace quarry::schema
