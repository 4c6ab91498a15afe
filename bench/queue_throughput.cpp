/// Claim to finish, in batches: how many tasks a second the queue hands out and takes back, counted after the commit that
/// finished them.
///
///     quarry-bench-queue --engine sqlite --backlog 100000 --tasks 300000 --threads 2
///
/// First puts in `--backlog` tasks more than it will work on, so that the depth stays above that; with `--blocked N` also N
/// tasks behind two blocked hosts, and with `--held` beside a transaction that keeps its snapshot all the while, as a backup
/// does. Prints the rates, the durability they were reached with, and tasks lost or done twice.

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "bench/support/program.hpp"
#include "bench/support/scratch.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/head.hpp"
#include "quarry/queue/hosts.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  std::string engine = "sqlite";
  std::int64_t backlog = 0;
  std::int64_t tasks = 200'000;
  std::int64_t blocked = 0;
  int threads = 2;
  int batch = 100;
  bool separate = false;
  bool held = false;
  bool front = false;
};

constexpr sql::Query<std::int64_t()> any_queue{"bench.any_queue", "select count(*) from queues"};

/// A transaction that keeps the snapshot it began with.
class HeldSnapshot {
 public:
  explicit HeldSnapshot(const std::string& url)
      : db_(Database::open(url, {.create = false, .statement_timeout = std::chrono::hours(1)})),
        thread_([this] { hold(); }) {
    begun_.get_future().wait();
  }
  ~HeldSnapshot() {
    end_.set_value();
    thread_.join();
  }
  HeldSnapshot(const HeldSnapshot&) = delete;
  HeldSnapshot& operator=(const HeldSnapshot&) = delete;

 private:
  void hold() {
    const auto look_and_wait = [this](Read& tx) {
      tx.value(any_queue);
      begun_.set_value();
      end_.get_future().wait();
    };
    if (db_.engine() == Engine::sqlite)
      db_.read(look_and_wait);
    else
      db_.write({.isolation = Isolation::repeatable_read}, look_and_wait);
  }

  Database db_;
  std::promise<void> begun_, end_;
  std::thread thread_;
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void put_in(Database& db, queue::QueueId queue, std::int64_t count, const std::optional<std::string>& host) {
  std::vector<queue::NewTask> tasks(10'000);
  for (auto& task : tasks) {
    task.task_type = "bench";
    task.payload = {R"({"url": "https://example.org/some/page/or/other.html", "depth": 3})"};
    task.host_key = host;
  }
  while (count > 0) {
    const auto size = static_cast<std::size_t>(std::min<std::int64_t>(count, 10'000));
    db.write([&](Write& tx) { queue::enqueue(tx, queue, std::span(tasks).first(size)); });
    count -= static_cast<std::int64_t>(size);
  }
}

/// Works until `wanted` tasks are finished. A worker finishes what it has and claims the next in one transaction, or in one
/// each.
void work(Database& db, queue::QueueId queue, const Settings& settings, queue::Head& head,
          std::atomic<std::int64_t>& finished) {
  std::vector<queue::ClaimedTask> held;
  auto last_maintained = Clock::time_point{};
  while (finished < settings.tasks) {
    const bool maintain = Clock::now() - last_maintained > std::chrono::milliseconds(200);
    if (maintain) last_maintained = Clock::now();
    std::vector<queue::Finish> ends;
    for (const auto& task : held) ends.push_back({task.id, task.lease_token, {}});
    const queue::ClaimOptions options{
        .worker = "bench", .limit = settings.batch, .maintain = maintain, .head = settings.front ? nullptr : &head};
    if (settings.separate) {
      db.write([&](Write& tx) { queue::finish_or_throw(tx, ends); });
      held = db.write([&](Write& tx) { return queue::claim(tx, queue, options); });
    } else {
      held = db.write([&](Write& tx) {
        queue::finish_or_throw(tx, ends);
        return queue::claim(tx, queue, options);
      });
    }
    finished += static_cast<std::int64_t>(ends.size());
    if (held.empty()) return;
  }
  db.write([&](Write& tx) {
    for (const auto& task : held) {
      const queue::LeaseRef lease{task.id, task.lease_token};
      queue::release(tx, std::span(&lease, 1));
    }
  });
}

void run(const Settings& settings) {
  const auto engine = parse_engine(settings.engine);
  Scratch scratch(engine);
  scratch.grow_old();
  auto& db = scratch.db();
  const auto queue = db.write([](Write& tx) { return queue::open_queue(tx, "bench"); });

  auto start = Clock::now();
  put_in(db, queue, settings.backlog + settings.tasks, {});
  fmt::print("enqueue        {:>10.0f} tasks/s (10,000 a transaction)\n",
             static_cast<double>(settings.backlog + settings.tasks) / seconds_since(start));
  if (settings.blocked > 0) {
    db.write([&](Write& tx) {
      for (const char* key : {"blocked-1.example", "blocked-2.example"}) {
        const auto host = queue::configure_host(tx, key, {});
        queue::block_host(tx, host.id, tx.now() + std::chrono::hours(24));
      }
    });
    put_in(db, queue, settings.blocked / 2, "blocked-1.example");
    put_in(db, queue, settings.blocked / 2, "blocked-2.example");
  }
  if (engine == Engine::postgres) db.backend().run_outside_transaction("bench.analyze", "vacuum analyze");

  std::optional<HeldSnapshot> held;
  if (settings.held) held.emplace(scratch.url());
  std::atomic<std::int64_t> finished = 0;
  queue::Head head;
  std::vector<std::thread> threads;
  start = Clock::now();
  for (int i = 0; i < settings.threads; ++i) threads.emplace_back([&] { work(db, queue, settings, head, finished); });
  for (auto& thread : threads) thread.join();
  const auto seconds = seconds_since(start);
  const auto counts = db.read([&](Read& tx) { return queue::counts(tx, queue); });
  fmt::print("claim to finish{:>10.0f} tasks/s ({} threads, batches of {}, {}, backlog {}, {} behind blocked hosts{})\n",
             static_cast<double>(finished.load()) / seconds, settings.threads, settings.batch,
             engine == Engine::sqlite ? "synchronous=FULL" : "synchronous_commit=on", settings.backlog, settings.blocked,
             settings.held ? ", beside a held snapshot" : "");
  fmt::print("finished {}, counted {}, still leased {}, durable commits {}\n", finished.load(),
             counts.of(queue::TaskStatus::completed), counts.of(queue::TaskStatus::processing), db.stats().commits);
}

}  // namespace
}  // namespace quarry::bench

int main(int argc, char** argv) {
  quarry::bench::Settings settings;
  CLI::App app{"Throughput of the queue, from claim to finish"};
  app.add_option("--engine", settings.engine, "sqlite or postgres");
  app.add_option("--backlog", settings.backlog, "tasks that stay in the queue");
  app.add_option("--tasks", settings.tasks, "tasks to work on");
  app.add_option("--blocked", settings.blocked, "tasks behind two blocked hosts");
  app.add_option("--threads", settings.threads, "workers");
  app.add_option("--batch", settings.batch, "tasks a claim");
  app.add_flag("--held", settings.held, "beside a transaction that keeps its snapshot");
  app.add_flag("--front", settings.front, "claims begin at the front, without a head");
  app.add_flag("--separate", settings.separate, "finish and claim in a transaction each");
  return quarry::bench::run_program(app, argc, argv, [&] { quarry::bench::run(settings); });
}
