/// Backing up a SQLite database under write load, and restoring it:
///
///     quarry-bench-backup --gib 1 --writers 4
///
/// Writers, each with durable commits of one row, are counted before, while and after a `quarry backup` in a process of its
/// own, which copies, counts and verifies; its peak memory is what the kernel says (VmHWM). Then restores take turns with
/// the same bytes read, decrypted, decompressed, written and synced by the libraries' own calls.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "bench/backup/plain_copy.hpp"
#include "bench/support/program.hpp"
#include "bench/support/scratch.hpp"
#include "quarry/backup/backup.hpp"
#include "quarry/sql/backend.hpp"
#include "quarry/system/key_ring.hpp"
#include "support/process.hpp"

namespace quarry::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  double gib = 1;
  int writers = 4;
  int seconds = 8;
  int rounds = 3;
  std::string program = "quarry";
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

constexpr sql::Command<void(std::string_view)> insert_row{"bench.insert", "insert into bench_rows (text) values ($1)"};

/// Digits at random, which compress to about half: as pages do, and unlike text that is made of a few lines.
std::string random_digits(SeededRandom& random, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += fmt::format("{:016x}", random.next());
  return text;
}

void fill(Database& db, double gib) {
  db.backend().run_outside_transaction("bench.table",
                                       "create table bench_rows (id integer primary key, text text not null) strict");
  SeededRandom random(1);
  constexpr std::size_t row_bytes = 4000;
  const auto pool = random_digits(random, std::size_t{16} << 20);
  const auto rows = static_cast<std::int64_t>(gib * 1024 * 1024 * 1024 / 4150);
  for (std::int64_t done = 0; done < rows;) {
    const auto end = std::min(rows, done + 2000);
    db.write({.alone = true}, [&](Write& tx) {
      for (auto row = done; row < end; ++row)
        tx.run(insert_row, std::string_view(pool).substr(random.below(pool.size() - row_bytes), row_bytes));
    });
    done = end;
  }
}

/// Durable commits a second while it lives.
class Writers {
 public:
  Writers(Database& db, int count) : start_(Clock::now()) {
    for (int i = 0; i < count; ++i)
      threads_.emplace_back([this, &db] {
        while (!stop_) {
          db.write([](Write& tx) {
            tx.run(insert_row,
                   std::string_view("a small row, as a queue's or a log's is, of a hundred bytes or so, more or less"));
          });
          ++commits_;
        }
      });
  }
  double finish() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
    return static_cast<double>(commits_) / seconds_since(start_);
  }

 private:
  Clock::time_point start_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::int64_t> commits_ = 0;
  std::vector<std::thread> threads_;
};

long peak_kib(pid_t process) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  return 0;
}

double rate_alone(Database& db, const Settings& settings) {
  Writers writers(db, settings.writers);
  std::this_thread::sleep_for(std::chrono::seconds(settings.seconds));
  return writers.finish();
}

void measure_backup(Scratch& scratch, const Settings& settings) {
  const auto before = rate_alone(scratch.db(), settings);
  long peak = 0;
  const auto start = Clock::now();
  Writers writers(scratch.db(), settings.writers);
  auto backup = test::Process::start({.program = settings.program,
                                      .args = {"backup", scratch.path("backups"), "--key-file", scratch.path("keys"), "--db",
                                               scratch.url(), "--no-bodies"}});
  while (backup.running()) {
    // The newest figure and not the largest: before it becomes the program, the new process shows our own memory.
    if (const auto now = peak_kib(backup.pid()); now > 0) peak = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const auto took = seconds_since(start);
  const auto during = writers.finish();
  const auto exit = backup.wait();
  if (!exit.ok()) throw std::runtime_error("the backup failed: " + backup.err());
  const auto after = rate_alone(scratch.db(), settings);
  fmt::print("{}writers: {:.0f} commits/s before, {:.0f} while, {:.0f} after: {:.2f} of alone\n", backup.out(), before,
             during, after, during / ((before + after) / 2));
  fmt::print("backup, verified: {:.1f} s, peak memory {:.1f} MB\n", took, static_cast<double>(peak) / 1024);
}

void measure_restore(Scratch& scratch, const Settings& settings) {
  const auto keys = backup::Keys::from_key_file(scratch.path("keys"));
  const std::filesystem::path target = scratch.path("restored.db"), plain = scratch.path("plain.sealed"),
                              copy = scratch.path("plain.db");
  backup::restore(scratch.path("backups"), "sqlite:" + target.native(), keys);
  plain_seal(target, plain);
  std::vector<double> ours, theirs;
  for (int round = 0; round < settings.rounds; ++round) {
    std::filesystem::remove(target);
    auto start = Clock::now();
    backup::restore(scratch.path("backups"), "sqlite:" + target.native(), keys);
    ours.push_back(seconds_since(start));
    std::filesystem::remove(copy);
    start = Clock::now();
    plain_restore(plain, copy);
    theirs.push_back(seconds_since(start));
  }
  fmt::print("restore of {:.2f} GiB: {:.2f} s, by plain library calls {:.2f} s: {:.2f} of them\n",
             static_cast<double>(std::filesystem::file_size(target)) / (1 << 30), median(ours), median(theirs),
             median(ours) / median(theirs));
}

void run(const Settings& settings) {
  Scratch scratch(Engine::sqlite);
  system::KeyRing::generate("bench").write_file(scratch.path("keys"));
  fill(scratch.db(), settings.gib);
  measure_backup(scratch, settings);
  measure_restore(scratch, settings);
}

}  // namespace
}  // namespace quarry::bench

int main(int argc, char** argv) {
  quarry::bench::Settings settings;
  CLI::App app("Backup under write load, and restore");
  app.add_option("--gib", settings.gib, "Size of the database");
  app.add_option("--writers", settings.writers, "Threads that write meanwhile");
  app.add_option("--seconds", settings.seconds, "How long the writers are measured alone");
  app.add_option("--rounds", settings.rounds, "Restores, and as many plain ones");
  app.add_option("--program", settings.program, "The quarry to run");
  return quarry::bench::run_program(app, argc, argv, [&] { quarry::bench::run(settings); });
}
