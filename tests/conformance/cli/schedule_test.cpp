#include <csignal>
#include <thread>

#include "conformance/cli/cli_test.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CliSchedule : public CliTest {};
QUARRY_BOTH_ENGINES(CliSchedule);

TEST_P(CliSchedule, AddShowDisableAndRemove) {
  const auto made = json({"schedule", "add", "nightly", "30 2 * * *", "http://127.0.0.1:1/", "--max-pages", "9"});
  EXPECT_EQ(text(made, "cron"), "30 2 * * *");
  EXPECT_EQ(number(made.at("job_config").at("follow").as_object(), "maxPages"), 9);
  EXPECT_FALSE(made.at("next_run_at").is_null());
  json({"schedule", "add", "tick", "@hourly", "--queue", "mine", "--task-type", "t", "--payload", R"({"n":1})"});
  EXPECT_EQ(json({"schedule", "list"}).at("schedules").as_array().size(), 2U);
  EXPECT_FALSE(json({"schedule", "disable", "tick"}).at("is_enabled").as_bool());
  EXPECT_TRUE(json({"schedule", "enable", "tick"}).at("is_enabled").as_bool());
  EXPECT_THAT(run({"schedule", "list"}).out, HasSubstr("nightly"));
  EXPECT_EQ(text(json({"schedule", "remove", "tick"}), "removed"), "tick");
  EXPECT_THAT(refused({"schedule", "show", "tick"}, 66), HasSubstr("'tick'"));
}

TEST_P(CliSchedule, WhatIsWrongIsTold) {
  refused({"schedule", "add", "x", "61 * * * *", "--queue", "q"}, 64);
  refused({"schedule", "add", "x", "@hourly"}, 64);
  refused({"schedule", "add", "x", "@hourly", "http://h/", "--queue", "q"}, 64);
  refused({"schedule", "add", "x", "@hourly", "--queue", "q", "--payload", "{"}, 64);
  json({"schedule", "add", "x", "@hourly", "--queue", "q"});
  refused({"schedule", "add", "x", "@hourly", "--queue", "q"}, 75);
}

TEST_P(CliSchedule, AWorkerFiresWhatIsDue) {
  json({"schedule", "add", "crawl", "0 0 1 1 *", "http://127.0.0.1:1/"});
  json({"schedule", "add", "task", "0 0 1 1 *", "--queue", "mine"});
  db().write([](Write& tx) {
    tx.session().run_script("due", tx.engine() == Engine::sqlite
                                       ? "update schedules set next_run_at = 1"
                                       : "update schedules set next_run_at = '1970-01-01 00:00:01+00'");
  });
  auto worker = Process::start(command({"work"}));
  const auto pending = [&] {
    const auto queues = json({"queue", "list"}).at("queues").as_array();
    for (const auto& queue : queues)
      if (queue.at("name").as_string() == "mine") return number(queue.at("counts").as_object(), "pending");
    return std::int64_t{0};
  };
  while (worker.running() && (pending() == 0 || json({"job", "list"}).at("jobs").as_array().empty()))
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait().code, 0) << worker.err();
  EXPECT_EQ(pending(), 1);
  EXPECT_EQ(json({"job", "list"}).at("jobs").as_array().size(), 1U);
}

}  // namespace
}  // namespace quarry::test
