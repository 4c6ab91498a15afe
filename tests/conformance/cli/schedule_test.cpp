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

TEST_P(CliSchedule, NumbersBeyondADoublesRangeAreRefused) {
  for (const auto* payload : {"1e400", R"({"a":[1,{"b":-1e999}]})"})
    EXPECT_THAT(refused({"schedule", "add", "x", "@daily", "--queue", "q", "--payload", payload}, 64), HasSubstr("range"));
  const auto made = json({"schedule", "add", "x", "@daily", "--queue", "q", "--payload", R"({"a":[1e300,12345678901234]})"});
  EXPECT_EQ(made.at("payload").at("a").at(0).as_double(), 1e300);
  json({"schedule", "list"});
}

TEST_P(CliSchedule, WhatIsNotUtf8IsRefused) {
  const std::vector<CliTest::Args> wrong = {
      {"schedule", "add", "\xFF", "@daily", "--queue", "q"},
      {"schedule", "add", "x", "@daily", "--queue", "\xFF"},
      {"schedule", "add", "x", "@daily", "--queue", "q", "--task-type", "\xED\xA0\x80"},
      {"queue", "host", "set", "\xFF\xFE", "--delay-ms", "1"},
  };
  for (const auto& args : wrong) EXPECT_THAT(refused(args, 64), HasSubstr("UTF-8")) << args[1];
  EXPECT_TRUE(json({"schedule", "list"}).at("schedules").as_array().empty());
  EXPECT_TRUE(json({"queue", "hosts"}).at("hosts").as_array().empty());
}

TEST_P(CliSchedule, WhatOnlyATaskOrOnlyACrawlHasIsNotDropped) {
  const CliTest::Args crawl = {"schedule", "add", "x", "@daily", "http://127.0.0.1:1/"};
  const CliTest::Args task = {"schedule", "add", "x", "@daily", "--queue", "q"};
  const auto with = [](CliTest::Args args, std::initializer_list<std::string> more) {
    args.insert(args.end(), more);
    return args;
  };
  EXPECT_THAT(refused(with(crawl, {"--payload", "{}"}), 64), HasSubstr("--payload"));
  EXPECT_THAT(refused(with(crawl, {"--task-type", "t"}), 64), HasSubstr("--task-type"));
  EXPECT_THAT(refused(with(crawl, {"--queue", "q"}), 64), HasSubstr("not both"));
  EXPECT_THAT(refused(with(task, {"--max-pages", "3"}), 64), HasSubstr("--max-pages"));
  EXPECT_THAT(refused(with(task, {"--no-robots"}), 64), HasSubstr("--no-robots"));
  json(crawl);
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
