/// The settings that commands obey.

#include <csignal>
#include <thread>

#include "conformance/cli/cli_test.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/queue/schedules.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class CliPolicy : public CliTest {
 protected:
  void set(const char* key, const char* value, const char* type = "integer") {
    const auto done = run({"setting", "set", key, value, "--type", type});
    ASSERT_EQ(done.exit.code, 0) << done.err;
  }
};
QUARRY_BOTH_ENGINES(CliPolicy);

// The settings rate_limit_requests and rate_limit_window_minutes.
TEST_P(CliPolicy, ApiCallsHaveTheLimitOfTheSettings) {
  ASSERT_EQ(run({"init"}).exit.code, 0);
  set("rate_limit_requests", "2");
  set("rate_limit_window_minutes", "60");
  const Args call = {"limit", "take", "--endpoint", "GET /jobs"};
  EXPECT_EQ(number(json(call), "limit"), 2);
  EXPECT_EQ(number(json(call), "remaining"), 0);
  const auto denied = json(call, 1);
  EXPECT_FALSE(denied.at("admitted").as_bool());
  EXPECT_GT(number(denied, "retry_after_us"), 25LL * 60 * 1'000'000) << "half of the hour, but for what has passed";
  EXPECT_TRUE(json({"limit", "take", "--endpoint", "GET /other", "--requests", "50"}).at("admitted").as_bool());
  EXPECT_EQ(number(json({"limit", "take", "--scraper", "google"}), "limit"), 100) << "a scraper's requests are no calls";
}

// The setting enable_rate_limiting.
TEST_P(CliPolicy, ApiCallsNeedNotBeLimited) {
  ASSERT_EQ(run({"init"}).exit.code, 0);
  set("rate_limit_requests", "1");
  set("enable_rate_limiting", "false", "boolean");
  for (int i = 0; i < 3; ++i) {
    const auto done = run({"limit", "take", "--endpoint", "GET /jobs"});
    EXPECT_EQ(done.exit.code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("enable_rate_limiting"));
  }
}

// The setting max_jobs_per_user.
TEST_P(CliPolicy, OneMoreJobThanAllowedIsRefused) {
  set("max_jobs_per_user", "1");
  EXPECT_EQ(run({"job", "submit", "--type", "own", "--title", "One"}).exit.code, 0);
  EXPECT_THAT(refused({"job", "submit", "--type", "own", "--title", "Two"}, 75), HasSubstr("max_jobs_per_user"));
  EXPECT_THAT(refused({"crawl", "http://127.0.0.1:9/"}, 75), HasSubstr("max_jobs_per_user"));
}

TEST_P(CliPolicy, AScheduleThatMayNotSubmitLeavesAFailedJob) {
  set("max_jobs_per_user", "1");
  ASSERT_EQ(run({"job", "submit", "--type", "own", "--title", "One"}).exit.code, 0);
  db().write([](Write& tx) {
    // Due since March, by the clock of the test.
    queue::create_schedule(tx, {.user_id = accounts::ensure_local_user(tx),
                                .name = "every minute",
                                .cron = "* * * * *",
                                .queue = "crawl",
                                .job_config = Json{R"({"targetUrl": "http://127.0.0.1:9/"})"}});
  });
  auto worker = Process::start(command({"work"}));
  const auto refused_jobs = [&] {
    return db().read([](Read& tx) {
      return tx.value(
          sql::Query<std::int64_t()>("test.refused", std::string("select count(*) from scraping_jobs where status = 'failed'"
                                                                 " and error_message like '%max_jobs_per_user%'")));
    });
  };
  for (int i = 0; i < 400 && refused_jobs() == 0; ++i) std::this_thread::sleep_for(50ms);
  EXPECT_GE(refused_jobs(), 1);
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait().code, 0) << worker.err();
}

}  // namespace
}  // namespace quarry::test
