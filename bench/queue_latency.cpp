/// Enqueue to start: how long after its commit a task is in the hands of an idle worker.
///
///     quarry-bench-latency --engine sqlite --samples 1000 [--other-process]
///
/// A worker waits; every few milliseconds one task is put in, by the same process or, with `--other-process`, through a
/// handle of another one (the in-process signal cannot reach it). The time runs from just before the enqueueing transaction
/// to the return of the claim that took the task.

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "bench/support/program.hpp"
#include "bench/support/scratch.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/waiter.hpp"

namespace quarry::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  std::string engine = "sqlite";
  int samples = 1'000;
  bool other_process = false;
};

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
}

/// Puts tasks in whose payload is the moment they were put in at.
void put_in(const std::string& url, int samples) {
  auto db = Database::open(url);
  const auto queue = db.write([](Write& tx) { return queue::open_queue(tx, "bench"); });
  for (int i = 0; i < samples; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(4 + i % 5));
    queue::NewTask task;
    task.payload = {fmt::format("{{\"at\": {}}}", now_us())};
    db.write([&](Write& tx) { queue::enqueue(tx, queue, task); });
  }
}

std::vector<double> measure(Database& db, int samples) {
  const auto queue = db.write([](Write& tx) { return queue::open_queue(tx, "bench"); });
  queue::Waiter waiter(db, queue);
  std::vector<double> latencies_ms;
  while (std::cmp_less(latencies_ms.size(), samples)) {
    auto tasks = db.write([&](Write& tx) { return queue::claim(tx, queue, {.worker = "bench", .limit = 10}); });
    const auto arrived = now_us();
    for (const auto& task : tasks) {
      const auto colon = task.payload.text.find(':');
      latencies_ms.push_back(static_cast<double>(arrived - std::stoll(task.payload.text.substr(colon + 1))) / 1000.0);
      const queue::Finish done{task.id, task.lease_token, {}};
      db.write([&](Write& tx) { queue::finish_or_throw(tx, std::span(&done, 1)); });
    }
    if (tasks.empty()) waiter.wait_until(Clock::now() + std::chrono::seconds(5));
  }
  return latencies_ms;
}

void run(const Settings& settings) {
  Scratch scratch(parse_engine(settings.engine));
  std::thread producer([&] {
    if (!settings.other_process) return put_in(scratch.url(), settings.samples);
    const std::string samples = std::to_string(settings.samples);
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/proc/self/exe", "quarry-bench-latency", "--put-into", scratch.url().c_str(), "--samples", samples.c_str(),
              nullptr);
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
  });
  auto latencies = measure(scratch.db(), settings.samples);
  producer.join();
  std::ranges::sort(latencies);
  const auto at = [&](double share) {
    return latencies[static_cast<std::size_t>(share * static_cast<double>(latencies.size() - 1))];
  };
  fmt::print("{}{}: enqueue to start, {} samples: median {:.2f} ms, 99th percentile {:.2f} ms, longest {:.2f} ms\n",
             settings.engine, settings.other_process ? ", from another process" : "", latencies.size(), at(0.5), at(0.99),
             at(1.0));
}

}  // namespace
}  // namespace quarry::bench

int main(int argc, char** argv) {
  quarry::bench::Settings settings;
  std::string put_into;
  CLI::App app{"From enqueue to start"};
  app.add_option("--engine", settings.engine, "sqlite or postgres");
  app.add_option("--samples", settings.samples, "tasks");
  app.add_flag("--other-process", settings.other_process, "put the tasks in from another process");
  app.add_option("--put-into", put_into, "only put tasks into this database")->group("");
  return quarry::bench::run_program(app, argc, argv, [&] {
    if (put_into.empty())
      quarry::bench::run(settings);
    else
      quarry::bench::put_in(put_into, settings.samples);
  });
}
