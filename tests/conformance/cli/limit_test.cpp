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

TEST_P(CliLimit, BadInputIsNamed) {
  EXPECT_THAT(refused({"limit", "take"}, 64), HasSubstr("--scraper"));
  EXPECT_THAT(refused({"limit", "take", "--endpoint", "x", "--user", "nobody"}, 66), HasSubstr("nobody"));
  EXPECT_THAT(refused({"limit", "take", "--scraper", "x", "--requests", "0"}, 64), HasSubstr("0 requests"));
  EXPECT_THAT(refused({"limit", "take", "--scraper", "x", "--cost", "101"}, 64), HasSubstr("101"));
  refused({"limit", "take", "--scraper", "x", "--period-s", "abc"}, 64);
}

}  // namespace
}  // namespace quarry::test
