/// kill -9 while a backup is made, and while one is restored: what is listed is whole, and a database in sight is one of the
/// two that it can be.

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <thread>

#include "conformance/backup/backup_test.hpp"
#include "support/process.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

class BackupKilled : public BackupTest {
 protected:
  /// Runs the program and kills it after `delay`; true when it had ended by itself.
  bool run_and_kill(std::vector<std::string> args, std::chrono::microseconds delay) {
    auto process = Process::start({.program = QUARRY_BINARY, .args = std::move(args)});
    if (process.wait_for(std::chrono::duration_cast<std::chrono::milliseconds>(delay))) return true;
    process.kill();
    return false;
  }
  std::vector<std::string> backup_args() {
    return {"backup", dir(), "--key-file", key_file(), "--db", database().url(), "--blobs", blobs()};
  }
  std::vector<std::string> restore_args() {
    return {"restore", dir(), "--replace", "--key-file", key_file(), "--db", other_url(), "--blobs", other_blobs()};
  }
  /// A dump takes ten times as long as a copy of pages.
  std::chrono::microseconds step() const {
    const auto fine = is_sqlite() ? 2ms : 20ms;
    return std::getenv("QUARRY_TEST_LONG") ? fine : 10 * fine;
  }
  /// Calls `run_and_kill(delay)` with ever longer delays until it is let finish; in finer steps again until `enough` were
  /// killed, however fast the machine is.
  void kill_at_ever_later_moments(int enough, const std::function<bool(std::chrono::microseconds)>& run_and_kill) {
    int killed = 0;
    for (auto fine = step(); killed < enough; fine /= 2)
      for (std::chrono::microseconds delay = 1ms;; delay += fine, ++killed) {
        if (delay >= 60s) throw std::runtime_error("it does not come to an end");
        if (run_and_kill(delay)) break;
      }
  }
  /// Killed programs leave sessions behind that the server ends when it notices.
  void wait_until_unused(const std::string& database) {
    if (is_sqlite()) return;
    while (run_as_admin("select count(*) from pg_stat_activity where datname = '" + database + "'").at(0) != "0")
      std::this_thread::sleep_for(5ms);
  }
};
QUARRY_BOTH_ENGINES(BackupKilled);

TEST_P(BackupKilled, WhileItIsMadeLeavesWholeBackupsOnly) {
  put({"one", "two", std::string(200'000, 'x')});
  make();
  int bodies = 3;
  kill_at_ever_later_moments(4, [&](auto delay) {
    put({"body " + std::to_string(bodies++)});
    const bool finished = run_and_kill(backup_args(), delay);
    const auto all = backup::Repository::open(dir()).list();
    for (const auto& backup : all) EXPECT_TRUE(backup.verified_at && !backup.failure) << backup.name;
    return finished;
  });
  const auto last = backup::Repository::open(dir()).list().back();
  EXPECT_EQ(last.bodies, bodies) << "what killed ones had stored is used, and whole";
  verify(last.name);
  for (const auto& entry : std::filesystem::directory_iterator(dir()))
    EXPECT_FALSE(entry.path().filename().string().starts_with(".new-"));
  restore({.name = last.name});
  expect_sound(other_url(), other_blobs(), bodies);
}

TEST_P(BackupKilled, WhileItIsRestoredLeavesTheOldDatabaseOrTheNewOne) {
  put({"one"});
  make();
  restore();
  put({"two"});
  make();
  int old_ones = 0;
  kill_at_ever_later_moments(1, [&](auto delay) {
    const bool finished = run_and_kill(restore_args(), delay);
    wait_until_unused(other_name());
    if (!other_exists()) throw std::runtime_error(fmt::format("no database: killed after {} us", delay.count()));
    const auto artifacts = artifacts_in(Database::open(other_url(), {.create = false}));
    EXPECT_TRUE(artifacts == 1 || artifacts == 2) << artifacts;
    old_ones += artifacts == 1;
    wait_until_unused(other_name());
    return finished;
  });
  EXPECT_GT(old_ones, 0);
  expect_sound(other_url(), other_blobs(), 2);
}

}  // namespace
}  // namespace quarry::test
