#include "conformance/cli/cli_test.hpp"
#include "quarry/accounts/users.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CliLimit : public CliTest {
 protected:
  void SetUp() override {
    db().write([](Write& tx) { accounts::ensure_local_user(tx); });
  }
};
QUARRY_BOTH_ENGINES(CliLimit);

TEST_P(CliLimit, TakesUntilItIsDenied) {
  const Args take{"limit", "take", "--scraper", "papers", "--requests", "2", "--period-s", "3600"};
  EXPECT_EQ(number(json(take), "remaining"), 1);
  auto peek = take;
  peek.push_back("--dry-run");
  EXPECT_TRUE(json(peek).at("admitted").as_bool());
  EXPECT_THAT(run(take).out, HasSubstr("0 of 2 remain"));
  const auto denied = json(take, 1);
  EXPECT_FALSE(denied.at("admitted").as_bool());
  EXPECT_GT(number(denied, "retry_after_us"), 1'000'000);
  EXPECT_THAT(run({"limit", "list", "--scrapers"}).out, HasSubstr("papers"));
  EXPECT_TRUE(json({"limit", "reset", "--scraper", "papers"}).at("reset").as_bool());
  EXPECT_EQ(number(json(take), "remaining"), 1);
}

TEST_P(CliLimit, ApiCallsBelongToAUser) {
  json({"limit", "take", "--endpoint", "GET /jobs"});
  const auto rows = json({"limit", "list", "--user", "local", "--total"});
  EXPECT_EQ(number(rows, "total"), 1);
  EXPECT_EQ(text(rows.at("api").as_array().at(0).as_object(), "endpoint"), "GET /jobs");
  EXPECT_EQ(number(json({"limit", "sweep"}), "rows"), 0);
}

TEST_P(CliLimit, OneIsShown) {
  EXPECT_THAT(refused({"limit", "show", "--scraper", "papers"}, 66), HasSubstr("nothing has been taken"));
  json({"limit", "take", "--scraper", "papers", "--cost", "3"});
  json({"limit", "take", "--endpoint", "GET /jobs"});
  EXPECT_EQ(number(json({"limit", "show", "--scraper", "papers"}), "admitted"), 3);
  EXPECT_EQ(text(json({"limit", "show", "--endpoint", "GET /jobs"}), "name"), "GET /jobs");
  EXPECT_THAT(run({"limit", "show", "--scraper", "papers"}).out, HasSubstr("3 in the period"));
}

TEST_P(CliLimit, ManyProgramsAreAdmittedExactlyAsOftenAsItSays) {
  std::vector<Process> takers;
  for (int i = 0; i < 12; ++i)
    takers.push_back(Process::start(
        command({"limit", "take", "--scraper", "papers", "--requests", "5", "--period-s", "3000000", "--json"})));
  int admitted = 0;
  for (auto& taker : takers) {
    const auto code = taker.wait().code;
    EXPECT_TRUE(code == 0 || code == 1) << taker.err();
    admitted += code == 0;
  }
  EXPECT_EQ(admitted, 5);
}

TEST_P(CliLimit, BadInputIsNamed) {
  EXPECT_THAT(refused({"limit", "take"}, 64), HasSubstr("--scraper"));
  EXPECT_THAT(refused({"limit", "take", "--endpoint", "x", "--user", "nobody"}, 66), HasSubstr("nobody"));
  EXPECT_THAT(refused({"limit", "take", "--scraper", "x", "--requests", "0"}, 64), HasSubstr("0 requests"));
  EXPECT_THAT(refused({"limit", "take", "--scraper", "x", "--cost", "101"}, 64), HasSubstr("101"));
  refused({"limit", "take", "--scraper", "x", "--period-s", "abc"}, 64);
}

}  // namespace
}  // namespace quarry::test
