/// Workers are killed at random moments, on both engines: every task is done once, and none is left behind.

#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <thread>

#include "conformance/queue/queue_test.hpp"
#include "support/process.hpp"

namespace quarry::test {
namespace {

class QueueKill : public QueueTest {};
QUARRY_BOTH_ENGINES(QueueKill);

// CI-4
TEST_P(QueueKill, KilledWorkersLoseNothing) {
  const bool is_long = std::getenv("QUARRY_TEST_LONG") != nullptr;
  const int kills = is_long ? 200 : 12;
  const std::int64_t tasks = kills * 150;
  // The other processes live in real time.
  clock().set(SystemClock().now());
  std::vector<NewTask> all;
  for (int i = 0; i < tasks; ++i)
    all.push_back({.host_key = i % 2 ? std::optional("h" + std::to_string(i % 5)) : std::nullopt, .max_stalls = 1'000});
  const auto job_id = job("crawl");
  put_all(all, {.job_id = job_id});
  const auto start = [&] {
    return Process::start({.program = QUARRY_QUEUE_WORKER, .args = {database().url(), "tests", "drain", "3000"}});
  };

  std::map<TaskId, int> said;
  const auto listen = [&](const Process& worker) {
    std::istringstream out(worker.out());
    for (std::string line; std::getline(out, line) && !out.eof();) ++said[std::stoll(line)];
  };
  std::mt19937 random(20260301);
  std::vector<std::optional<Process>> workers;
  for (int i = 0; i < 3; ++i) workers.emplace_back(start());
  for (int i = 0; i < kills; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
    auto& victim = workers[static_cast<std::size_t>(i) % workers.size()];
    victim->kill();
    listen(*victim);
    victim.emplace(start());
  }
  for (auto& worker : workers) {
    EXPECT_TRUE(worker->wait(240s).ok()) << worker->err();
    listen(*worker);
  }
  for (const auto& [id, times] : said) EXPECT_EQ(times, 1) << id << " was finished twice";
  EXPECT_EQ(count(TaskStatus::completed), tasks);
  EXPECT_EQ(job_row(job_id).status, "completed");
  EXPECT_EQ(job_row(job_id).processed_items, tasks);
}

}  // namespace
}  // namespace quarry::test
