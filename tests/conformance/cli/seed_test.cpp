#include "conformance/cli/cli_test.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/jobs/submit.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CliSeed : public CliTest {};
QUARRY_BOTH_ENGINES(CliSeed);

TEST_P(CliSeed, MakesWhatIsMissingAndSaysSo) {
  const auto first = json({"seed"});
  EXPECT_EQ(first.at("settings_made").as_array().size(), 10U);
  EXPECT_EQ(number(first, "plans_kept"), 4);
  const auto again = run({"seed"});
  EXPECT_EQ(again.exit.code, 0);
  EXPECT_THAT(again.out, HasSubstr("settings: all 10 were there"));
}

TEST_P(CliSeed, DemoIsForANewDatabase) {
  const auto report = json({"seed", "--demo"});
  EXPECT_EQ(report.at("jobs").as_array().size(), 3U);
  EXPECT_EQ(report.at("artifacts").as_array().size(), 3U);
  EXPECT_THAT(refused({"seed", "--demo"}, 75), HasSubstr("in use"));
  EXPECT_THAT(run({"job", "list"}).err, testing::Not(HasSubstr("error")));
}

TEST_P(CliSeed, DemoRefusesADatabaseWithAJob) {
  db().write([](Write& tx) { jobs::submit(tx, {.user_id = accounts::ensure_local_user(tx), .title = "Mine"}); });
  EXPECT_THAT(refused({"seed", "--demo"}, 75), HasSubstr("jobs"));
}

TEST_P(CliSeed, BadInputIsNamed) { EXPECT_THAT(refused({"seed", "--example"}, 64), HasSubstr("--example")); }

}  // namespace
}  // namespace quarry::test
