#include "conformance/cli/cli_test.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/finish.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CliQueue : public CliTest {
 protected:
  void SetUp() override {
    db_ = on_real_time();
    queue_ = db_->write([](Write& tx) { return queue::open_queue(tx, "crawl"); });
  }
  TaskId enqueue(queue::NewTask task = {}) {
    return db_->write([&](Write& tx) { return queue::enqueue(tx, queue_, task).value(); });
  }
  queue::ClaimedTask claim() {
    return db_->write([&](Write& tx) { return queue::claim(tx, queue_, {.worker = "test"}).at(0); });
  }
  void kill(const queue::ClaimedTask& task) {
    db_->write([&](Write& tx) {
      const queue::Failure failure{.id = task.id, .lease_token = task.lease_token, .error = "no\nway \x1b[31m"};
      EXPECT_TRUE(queue::fail(tx, std::span(&failure, 1)).ids.empty());
    });
  }
  std::int64_t count(const char* status) { return number(json({"queue", "counts"}), status); }

  std::optional<Database> db_;
  queue::QueueId queue_;
};
QUARRY_BOTH_ENGINES(CliQueue);

TEST_P(CliQueue, ListShowAndCounts) {
  enqueue();
  enqueue();
  const auto queues = json({"queue", "list"}).at("queues").as_array();
  ASSERT_EQ(queues.size(), 1U);
  EXPECT_EQ(text(queues[0].as_object(), "name"), "crawl");
  EXPECT_EQ(number(queues[0].at("counts").as_object(), "pending"), 2);
  EXPECT_EQ(number(json({"queue", "show", "crawl"}), "open"), 2);
  EXPECT_EQ(count("pending"), 2);
  EXPECT_THAT(run({"queue", "list"}).out, testing::MatchesRegex("QUEUE +STATE +PENDING.*\ncrawl +open +2.*\n"));
  EXPECT_THAT(refused({"queue", "show", "nowhere"}, 66), HasSubstr("'nowhere'"));
  EXPECT_THAT(refused({"queue", "tasks", "nowhere"}, 66), HasSubstr("'nowhere'"));
}

TEST_P(CliQueue, TasksPageByPage) {
  std::vector<TaskId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(enqueue({.task_type = "fetch"}));
  const auto first = json({"queue", "tasks", "--limit", "2"});
  ASSERT_EQ(first.at("tasks").as_array().size(), 2U);
  const auto rest = json({"queue", "tasks", "--limit", "2", "--after", std::to_string(number(first, "next"))});
  ASSERT_EQ(rest.at("tasks").as_array().size(), 1U);
  EXPECT_EQ(number(rest.at("tasks").as_array()[0].as_object(), "id"), ids[2]);
  EXPECT_TRUE(rest.at("next").is_null());
  EXPECT_TRUE(json({"queue", "tasks", "--status", "dead"}).at("tasks").as_array().empty());
  EXPECT_THAT(refused({"queue", "tasks", "crawl", "--after", "-5"}, 64), HasSubstr("the last id of the page before"));
}

TEST_P(CliQueue, PauseAndResume) {
  EXPECT_TRUE(json({"queue", "pause"}).at("changed").as_bool());
  EXPECT_FALSE(json({"queue", "pause"}).at("changed").as_bool());
  EXPECT_TRUE(json({"queue", "show"}).at("is_paused").as_bool());
  EXPECT_TRUE(json({"queue", "resume", "crawl"}).at("changed").as_bool());
  refused({"queue", "pause", "nowhere"}, 66);
}

TEST_P(CliQueue, CancelAndRetryATask) {
  const auto id = std::to_string(enqueue());
  EXPECT_EQ(text(json({"queue", "cancel", id}), "outcome"), "cancelled");
  EXPECT_THAT(refused({"queue", "cancel", id}, 75), HasSubstr("ended already"));
  json({"queue", "retry", id});
  EXPECT_EQ(count("pending"), 1);
  EXPECT_THAT(refused({"queue", "retry", id}, 75), HasSubstr("is pending"));
  const auto task = claim();
  EXPECT_EQ(text(json({"queue", "cancel", id}), "outcome"), "requested");
  EXPECT_EQ(task.id, std::stoll(id));
  refused({"queue", "cancel", "999"}, 66);
  refused({"queue", "retry", "999"}, 66);
  refused({"queue", "task", "999"}, 66);
  refused({"queue", "cancel", "one"}, 64);
}

TEST_P(CliQueue, TheWorkOfACancelledJobIsNotDoneAgain) {
  const auto submitted = run({"job", "submit", "https://example.org/"});
  ASSERT_EQ(submitted.exit.code, 0) << submitted.err;
  const auto job = submitted.out.substr(0, submitted.out.find('\n'));
  json({"job", "cancel", job});
  const auto tasks = json({"queue", "tasks", "--status", "cancelled"}).at("tasks").as_array();
  ASSERT_EQ(tasks.size(), 1U);
  const auto id = std::to_string(number(tasks[0].as_object(), "id"));
  EXPECT_THAT(refused({"queue", "retry", id}, 75), testing::AllOf(HasSubstr(job), HasSubstr("submit the job again")));
  const auto redriven = json({"queue", "redrive", "--status", "cancelled"});
  EXPECT_EQ(number(redriven, "tasks"), 0);
  EXPECT_EQ(number(redriven, "left"), 1);
  EXPECT_THAT(run({"queue", "redrive", "--status", "cancelled"}).err, HasSubstr("1 task is left"));
  EXPECT_EQ(count("cancelled"), 1);
}

TEST_P(CliQueue, DeadLettersAreShownAndRedriven) {
  const auto id = std::to_string(enqueue({.max_retries = 0}));
  kill(claim());
  EXPECT_EQ(count("dead"), 1);
  const auto shown = json({"queue", "task", id});
  EXPECT_EQ(shown.at("attempts").as_array().size(), 1U);
  // What the web says does not reach the terminal as it is.
  EXPECT_THAT(run({"queue", "task", id}).out, testing::AllOf(HasSubstr("no way"), testing::Not(HasSubstr("\x1b"))));
  EXPECT_EQ(number(json({"queue", "redrive"}), "tasks"), 1);
  EXPECT_EQ(count("pending"), 1);
  refused({"queue", "redrive", "--status", "pending"}, 64);
}

TEST_P(CliQueue, PurgeDeletesWhatEndedLongAgo) {
  const auto id = std::to_string(enqueue());
  json({"queue", "cancel", id});
  EXPECT_EQ(number(json({"queue", "purge"}), "tasks"), 0);
  EXPECT_EQ(number(json({"queue", "purge", "--older-than-hours", "0"}), "tasks"), 1);
  refused({"queue", "task", id}, 66);
}

TEST_P(CliQueue, HostsAreShownSetAndBlocked) {
  enqueue({.host_key = "example.org"});
  auto host = json({"queue", "host", "set", "example.org", "--delay-ms", "250", "--max-in-flight", "4"});
  EXPECT_EQ(number(host, "delay_ms"), 250);
  EXPECT_EQ(number(host, "max_in_flight"), 4);
  host = json({"queue", "host", "block", "example.org", "--minutes", "10"});
  EXPECT_GT(parse_iso8601(text(host, "blocked_until")), db_->now());
  EXPECT_THAT(run({"queue", "hosts"}).out, testing::MatchesRegex("HOST.*\nexample.org +1 .*250 ms  20.*\n"));
  EXPECT_THAT(run({"queue", "host", "show", "example.org"}).out, HasSubstr("blocked until"));
  EXPECT_THAT(run({"queue", "host", "unblock", "example.org"}).out, testing::Not(HasSubstr("blocked until")));
  host = json({"queue", "host", "unblock", "example.org"});
  EXPECT_LE(parse_iso8601(text(host, "blocked_until")), db_->now());
  EXPECT_EQ(json({"queue", "hosts"}).at("hosts").as_array().size(), 1U);
  refused({"queue", "host", "set", "example.org"}, 64);
  refused({"queue", "host", "set", "example.org", "--delay-ms", "-1"}, 64);
  refused({"queue", "host", "block", "nowhere.example", "--minutes", "1"}, 66);
}

TEST_P(CliQueue, AHostIsTheSameHoweverItIsWritten) {
  json({"queue", "host", "set", "Example.ORG", "--delay-ms", "250"});
  EXPECT_EQ(text(json({"queue", "host", "show", "example.org"}), "host_key"), "example.org");
  json({"queue", "host", "set", "https://example.org/page", "--delay-ms", "300"});
  json({"queue", "host", "block", "EXAMPLE.org:443", "--minutes", "10"});
  json({"queue", "host", "unblock", "example.org:80"});
  EXPECT_EQ(json({"queue", "hosts"}).at("hosts").as_array().size(), 1U);
  EXPECT_EQ(number(json({"queue", "host", "show", "example.org."}), "delay_ms"), 300);
  EXPECT_EQ(text(json({"queue", "host", "set", "example.org:8080", "--delay-ms", "1"}), "host_key"), "example.org:8080");
  refused({"queue", "host", "set",
           "b\xC3\xBC"
           "cher.example",
           "--delay-ms", "1"},
          64);
  refused({"queue", "host", "set", "example.org/page", "--delay-ms", "1"}, 64);
  // What other queues call a host need not be one.
  enqueue({.host_key = "Printer 1"});
  json({"queue", "host", "set", "Printer 1", "--delay-ms", "1"});
}

TEST_P(CliQueue, HostsPageByPage) {
  for (const auto* host : {"a.example", "b.example", "c.example"}) enqueue({.host_key = host});
  const auto first = json({"queue", "hosts", "--limit", "2"});
  const auto rest = json({"queue", "hosts", "--limit", "2", "--after", text(first, "next")});
  ASSERT_EQ(rest.at("hosts").as_array().size(), 1U);
  EXPECT_TRUE(rest.at("next").is_null());
  EXPECT_THAT(refused({"queue", "hosts", "--after", "zzz"}, 64), HasSubstr("'zzz'"));
}

TEST_P(CliQueue, ExplainsWhyATaskDoesNotRun) {
  const auto id = std::to_string(enqueue({.host_key = "example.org"}));
  json({"queue", "host", "block", "example.org", "--minutes", "10"});
  const auto found = json({"queue", "explain", id});
  EXPECT_EQ(text(found.at("findings").as_array().at(0).as_object(), "reason"), "host_blocked");
  EXPECT_THAT(run({"queue", "explain", id}).out, HasSubstr("example.org"));
  refused({"queue", "explain", "999"}, 66);
}

}  // namespace
}  // namespace quarry::test
