/// Takes from limits of distinct keys by many threads: how many a second are decided, each in a transaction of its own that
/// is durable when the take returns.
///
///     quarry-bench-limits --engine sqlite --threads 16
///     quarry-bench-limits --engine postgres --threads 16
///
/// Prints the rate of each of `--runs` runs and their median. A take that is denied, or lost, is an error.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "bench/support/program.hpp"
#include "bench/support/scratch.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/limits/limiter.hpp"

namespace quarry::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct TakeSettings {
  std::string engine = "sqlite";
  int threads = 16;
  std::int64_t takes = 100'000;
  int keys = 10'000;
  int runs = 5;
  std::string synchronous_commit = "on";
  bool alone = false;
};

/// After the first run every key has its row.
double run_once(Database& db, const std::vector<limits::Key>& keys, const TakeSettings& settings) {
  // So wide that nothing is denied: what is measured is the take.
  const limits::Limit limit{.requests = 1'000'000, .period = std::chrono::seconds(100)};
  std::atomic<std::int64_t> next = 0, denied = 0;
  std::vector<std::thread> threads;
  limits::Limiter limiter(db);
  const auto start = Clock::now();
  for (int t = 0; t < settings.threads; ++t)
    threads.emplace_back([&] {
      for (std::int64_t i = next++; i < settings.takes; i = next++) {
        const auto& key = keys[static_cast<std::size_t>(i * 7919) % keys.size()];
        if (!(settings.alone ? limits::take_now(db, key, limit) : limiter.take(key, limit)).admitted) ++denied;
      }
    });
  for (auto& thread : threads) thread.join();
  const auto seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (denied > 0) fmt::print(stderr, "{} takes were denied\n", denied.load());
  return static_cast<double>(settings.takes) / seconds;
}

void run(const TakeSettings& settings) {
  const auto engine = parse_engine(settings.engine);
  DatabaseOptions options;
  options.connections_max = static_cast<std::size_t>(settings.threads);
  Scratch scratch(engine, true, options);
  // PostgreSQL's durability is the URL's, as it is for every program.
  auto db = settings.synchronous_commit == "on"
                ? scratch.db()
                : Database::open(scratch.url() + (scratch.url().find('?') == std::string::npos ? "?" : "&") +
                                     "options=-csynchronous_commit%3D" + settings.synchronous_commit,
                                 options);
  const auto user = db.write([](Write& tx) { return accounts::ensure_local_user(tx); });
  std::vector<limits::Key> keys;
  for (int i = 0; i < settings.keys; ++i) keys.emplace_back(limits::ApiCall{user, fmt::format("GET /jobs/{}", i)});
  std::vector<double> rates;
  for (int i = 0; i < settings.runs; ++i) {
    rates.push_back(run_once(db, keys, settings));
    fmt::print("{:>10.0f} takes/s\n", rates.back());
  }
  std::sort(rates.begin(), rates.end());
  const auto stats = db.stats();
  fmt::print("{:>10.0f} takes/s, the median ({}, {} threads, {} keys, {}; {} durable commits for {} takes)\n",
             rates[rates.size() / 2], settings.engine, settings.threads, settings.keys,
             engine == Engine::sqlite ? "synchronous=FULL" : "synchronous_commit=" + settings.synchronous_commit,
             stats.commits, stats.writes);
}

}  // namespace
}  // namespace quarry::bench

int main(int argc, char** argv) {
  quarry::bench::TakeSettings settings;
  CLI::App app{"Takes a second from limits of distinct keys"};
  app.add_option("--engine", settings.engine, "sqlite or postgres");
  app.add_option("--threads", settings.threads, "takers, and connections on PostgreSQL");
  app.add_option("--takes", settings.takes, "takes in a run");
  app.add_option("--keys", settings.keys, "distinct keys");
  app.add_option("--runs", settings.runs, "runs");
  app.add_flag("--alone", settings.alone, "each take in a transaction of its own; otherwise those that gather share one");
  app.add_option("--synchronous-commit", settings.synchronous_commit, "on or off; PostgreSQL only");
  return quarry::bench::run_program(app, argc, argv, [&] { quarry::bench::run(settings); });
}
