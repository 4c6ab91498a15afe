/// `quarry validate` and `quarry schema`: what they print and how they end.

#include <fstream>

#include "conformance/cli/cli_test.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class ValidateCommand : public CliTest {
 protected:
  void change(const std::string& sql) {
    db().write([&](Write& tx) { tx.session().run_script("test.change", sql); });
  }
};
QUARRY_BOTH_ENGINES(ValidateCommand);

TEST_P(ValidateCommand, EndsWithZeroWhenClean) {
  const auto clean = json({"validate"});
  EXPECT_TRUE(clean.at("differences").as_array().empty());
  EXPECT_EQ(clean.at("script").as_string(), "");
  EXPECT_GT(clean.at("objects").as_int64(), 300);
  EXPECT_THAT(run({"validate"}).out, HasSubstr("is as it should be"));
  EXPECT_EQ(run({"validate", "--sql"}).out, "");
}

TEST_P(ValidateCommand, EndsWithThreeAndTellsWhatMends) {
  change("drop index idx_users_role; drop table rate_limits");
  const auto found = json({"validate"}, 3);
  const auto& differences = found.at("differences").as_array();
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_EQ(differences[1].at("kind").as_string(), "missing");
  EXPECT_EQ(differences[1].at("type").as_string(), "index");
  EXPECT_EQ(differences[1].at("table").as_string(), "users");
  EXPECT_EQ(differences[1].at("name").as_string(), "idx_users_role");
  EXPECT_EQ(differences[1].at("mend").as_array().size(), 1u);

  const auto told = run({"validate"});
  EXPECT_EQ(told.exit.code, 3);
  EXPECT_THAT(told.out, HasSubstr("table rate_limits is missing\n"));
  EXPECT_THAT(told.out, HasSubstr("index users.idx_users_role is missing\n    CREATE INDEX idx_users_role"));
  EXPECT_THAT(told.err, HasSubstr("2 differences"));

  // The script is fit for the engine's own shell.
  const auto script = run({"validate", "--sql"});
  EXPECT_EQ(script.exit.code, 3);
  const auto file = database().folder() / "mend.sql";
  std::ofstream(file) << script.out;
  const auto url = database().url();
  const auto shell = is_sqlite()
                         ? test::run({.program = "sqlite3",
                                      .args = {"-bail", url.substr(std::string("sqlite:").size()), ".read " + file.string()},
                                      .directory = database().folder()})
                         : test::run({.program = "psql",
                                      .args = {"--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1", "-f", file.string(), url},
                                      .directory = database().folder()});
  EXPECT_EQ(shell.exit.code, 0) << shell.err;
  EXPECT_TRUE(json({"validate"}).at("differences").as_array().empty());
}

TEST_P(ValidateCommand, TellsOfPlansThatWereChangedAndIsContent) {
  change("update subscription_plans set price_cents = 5 where id = 'starter'");
  EXPECT_EQ(json({"validate"}).at("notes").as_array().size(), 1u);
  const auto told = run({"validate"});
  EXPECT_EQ(told.exit.code, 0);
  EXPECT_THAT(told.err, HasSubstr("plan starter was changed"));
}

TEST_P(ValidateCommand, RefusesWhatItCannotCompare) {
  json({"migrate", "to", "0", "--allow-data-loss"});
  EXPECT_THAT(refused({"validate"}, 2), HasSubstr("migrate up"));
  EXPECT_NE(run({"validate", "--scratch"}).exit.code, 0);
  EXPECT_EQ(run({"validate", "--nonsense"}).exit.code, 64);
}

TEST_P(ValidateCommand, MakesWhatItComparesWithElsewhere) {
  if (is_sqlite()) {
    EXPECT_THAT(refused({"validate", "--scratch", "postgresql:///x"}, 64), HasSubstr("--scratch is for PostgreSQL"));
    return;
  }
  TestDatabase other(Engine::postgres, Schema::none);
  EXPECT_TRUE(json({"validate", "--scratch", other.url()}).at("differences").as_array().empty());
}

TEST_P(ValidateCommand, WritesThePagesOfTheSchema) {
  EXPECT_THAT(run({"schema", "diagram"}).out, HasSubstr("```mermaid\nerDiagram\n"));
  EXPECT_THAT(run({"schema", "docs"}).out, HasSubstr("\n### users\n"));
  EXPECT_THAT(std::string(json({"schema", "docs"}).at("markdown").as_string()), HasSubstr("\n### users\n"));
  EXPECT_EQ(json({"schema", "diagram"}).at("engine").as_string(), is_sqlite() ? "sqlite" : "postgresql");
}

}  // namespace
}  // namespace quarry::test
