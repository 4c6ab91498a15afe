/// Writes of several threads that share their commits, on a disk that loses its power or fails: nobody is told "done" whose
/// write is lost, and everybody of a commit that failed is told so.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "fault/seed.hpp"
#include "fault/sqlite_vfs/disk.hpp"
#include "fault/sqlite_vfs/whole.hpp"
#include "quarry/core/error.hpp"
#include "quarry/sql/database.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

constexpr int threads = 8;
constexpr sql::Command<void(std::int64_t, std::string_view)> add{"test.add", "insert into done (id, text) values ($1, $2)"};

struct Told {
  std::set<std::int64_t> done, failed, unknown;
};

class SharedCommits : public testing::Test {
 protected:
  SharedCommits() : vfs(FaultVfs::install()) {
    auto db = Database::open(url());
    db.write([](Write& tx) {
      tx.session().run_script("test.make", "create table done (id integer primary key, text text not null) strict");
    });
  }
  std::string file() const { return folder / "shared.db"; }
  std::string url() const { return "sqlite:" + file(); }

  /// Every thread writes until it has done so `each` times; what it was told goes into the log at that moment.
  Told write_together(Database& db, int each) {
    Told told;
    std::mutex mutex;
    std::vector<std::jthread> workers;
    for (int t = 0; t < threads; ++t)
      workers.emplace_back([&, t] {
        for (int i = 0; i < each; ++i) {
          const std::int64_t id = t * 1000 + i;
          const std::string text(static_cast<std::size_t>(200 + 37 * i), 'x');
          auto* group = &told.done;
          try {
            db.write([&](Write& tx) { tx.run(add, id, text); });
            vfs.mark(id);
          } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::unavailable) << error.what() << ": " << error.engine_message();
            group = error.outcome_unknown() ? &told.unknown : &told.failed;
          }
          const std::scoped_lock lock(mutex);
          group->insert(id);
        }
      });
    return workers.clear(), told;
  }
  static std::set<std::int64_t> ids_in(const std::filesystem::path& database) {
    std::set<std::int64_t> found;
    std::istringstream lines(whole_database(database));
    for (std::string line; std::getline(lines, line);)
      if (line.find('|') != std::string::npos) found.insert(std::stoll(line));
    return found;
  }

  FaultVfs& vfs;
  TempDir folder{"group"};
};

TEST_F(SharedCommits, AreThereAfterALossOfPower) {
  const auto before = read_folder(folder.path());
  vfs.watch(folder.path());
  auto db = Database::open(url());
  vfs.slow_down(std::chrono::milliseconds{2});
  write_together(db, 12);
  vfs.slow_down({});
  const auto log = vfs.take_log();
  EXPECT_GT(db.stats().writes, db.stats().commits) << "no commit was shared";
  std::mt19937_64 random(test_seed());
  Disk disk(before);
  std::set<std::int64_t> acknowledged;
  const TempDir after("power");
  int looks = 0;
  for (const auto& op : log) {
    disk.apply(op);
    if (op.what == DiskOp::What::mark) acknowledged.insert(op.offset);
    const bool often = std::getenv("QUARRY_TEST_LONG") != nullptr;
    if (op.what == DiskOp::What::write && !often && random() % 4 != 0) continue;
    for (const auto loss : {Loss::everything, Loss::something}) {
      for (const auto& old : std::filesystem::directory_iterator(after.path())) std::filesystem::remove(old);
      write_folder(after.path(), disk.after(loss, random));
      const auto found = ids_in(after / "shared.db");
      EXPECT_TRUE(std::includes(found.begin(), found.end(), acknowledged.begin(), acknowledged.end()));
      ++looks;
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(looks, 50);
  EXPECT_EQ(acknowledged.size(), std::size_t{threads} * 12);
}

TEST_F(SharedCommits, TellEverybodyWhenTheyFail) {
  std::mt19937_64 random(test_seed());
  const auto before = read_folder(folder.path());
  int failures = 0;
  for (std::int64_t n = 1; n < 200; n += 1 + static_cast<std::int64_t>(random() % 9)) {
    for (const bool from_then_on : {false, true}) {
      SCOPED_TRACE("at " + std::to_string(n) + (from_then_on ? " and from then on" : " once"));
      const TempDir own("group");
      write_folder(own.path(), before);
      vfs.watch(own.path());
      Told told;
      {
        auto db = Database::open("sqlite:" + (own / "shared.db").string());
        vfs.fail({.at = n, .with = random() % 2 == 0 ? Failure::io_error : Failure::torn, .from_then_on = from_then_on});
        told = write_together(db, 6);
        if (!from_then_on) vfs.end_failures();
      }
      vfs.end_failures();
      vfs.take_log();
      const auto found = ids_in(own / "shared.db");
      EXPECT_TRUE(std::includes(found.begin(), found.end(), told.done.begin(), told.done.end())) << "acknowledged and lost";
      for (const auto id : told.failed) EXPECT_FALSE(found.contains(id)) << id << " was told to have failed";
      EXPECT_TRUE(from_then_on || told.unknown.empty()) << "a disk that works again shows what has become of it";
      failures += !told.failed.empty() || !told.unknown.empty();
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(failures, 10);
}

}  // namespace
}  // namespace quarry::test
