/// Every store operation, with a disk that fails at the nth thing that is asked of it, and one that loses its power there:
/// the database is whole, the operation has been done or has not, and it has when it was acknowledged. QUARRY_TEST_LONG=1
/// tries every n; without it the power is lost after every sync and some of the writes, and the disk fails at some of them.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>

#include "fault/seed.hpp"
#include "fault/sqlite_vfs/disk.hpp"
#include "fault/sqlite_vfs/operations.hpp"
#include "fault/sqlite_vfs/whole.hpp"
#include "quarry/core/error.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

const bool is_long = std::getenv("QUARRY_TEST_LONG") != nullptr;

/// Repeats its numbers from the start when it is told to, so that the same operation always does the same.
class RepeatingRandom final : public Random {
 public:
  std::uint64_t next() override {
    const std::scoped_lock lock(mutex_);
    return engine_();
  }
  void again() {
    const std::scoped_lock lock(mutex_);
    engine_.seed(1);
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_{1};
};

/// The files of the world's database, and what stands in it.
struct Start {
  World world;
  std::map<std::string, std::string> files;
  std::string digest;
};

constexpr sql::Query<std::string()> clock_triggers{
    "test.clock_triggers",
    "select name from sqlite_schema where type = 'trigger' and name like 'update\\_%\\_updated\\_at' escape '\\'"};

const Start& start() {
  static const Start made = [] {
    FaultVfs::install();
    Start fresh;
    TestDatabase database(Engine::sqlite, head());
    fresh.world = make_world(database.db());
    // These read the machine's clock, and the digests are to be the same whenever an operation runs.
    for (const auto& trigger : database.db().read([](Read& tx) { return tx.all(clock_triggers); }))
      database.db().write([&](Write& tx) { tx.session().run_script("test.drop", "drop trigger " + trigger); });
    database.reopen();
    empty_log(database.url().substr(7));  // each image of the disk is written anew: let it be small
    fresh.files = read_folder(database.folder());
    fresh.digest = digest_of(whole_database(database.url().substr(7)));
    return fresh;
  }();
  return made;
}

/// A program that works on a copy of the world.
class Program {
 public:
  explicit Program(const Operation& operation) : operation_(operation) {
    write_folder(folder_.path(), start().files);
    FaultVfs::install().watch(folder_.path());
    clock_->set(TestDatabase::kStart + operation.after);
    db_.emplace(open());
  }
  /// Runs the operation; the error that it threw.
  std::optional<Error> run() {
    random_->again();
    try {
      db_->write([&](Write& tx) { operation_.run(tx, start().world); });
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    }
  }
  void end() { db_.reset(); }
  std::string file() const {
    for (const auto& [name, content] : start().files)
      if (!name.ends_with("-wal")) return folder_ / name;
    return {};
  }
  std::string digest() const { return digest_of(whole_database(file())); }

 private:
  Database open() { return Database::open("sqlite:" + file(), {.async_threads = 1, .clock = clock_, .random = random_}); }

  const Operation& operation_;
  TempDir folder_{"vfs"};
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(TestDatabase::kStart);
  std::shared_ptr<RepeatingRandom> random_ = std::make_shared<RepeatingRandom>();
  std::optional<Database> db_;
};

class StoreOperation : public testing::TestWithParam<Operation> {};

std::string name_of(const testing::TestParamInfo<Operation>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(, StoreOperation, testing::ValuesIn(operations()), name_of);

TEST_P(StoreOperation, SurvivesALossOfPower) {
  auto& vfs = FaultVfs::install();
  Program program(GetParam());
  const auto error = program.run();
  ASSERT_FALSE(error) << error->what() << ": " << error->engine_message();
  vfs.mark(1);
  program.end();
  const auto log = vfs.take_log();
  const auto done = program.digest();
  ASSERT_NE(done, start().digest) << "the operation does nothing: nothing is tested";

  std::mt19937_64 random(test_seed());
  Disk disk(start().files);
  bool acknowledged = false;
  const TempDir after("power");
  std::set<std::size_t> seen;  // many moments leave the same files
  const auto file = after / std::filesystem::path(program.file()).filename().string();
  const auto look = [&](const Disk& then, Loss loss) {
    const auto files = then.after(loss, random);
    std::string all = acknowledged ? "1" : "0";
    for (const auto& [name, content] : files) all += name + content;
    if (!seen.insert(std::hash<std::string>{}(all)).second) return;
    for (const auto& old : std::filesystem::directory_iterator(after.path())) std::filesystem::remove(old);
    write_folder(after.path(), files);
    const auto found = digest_of(whole_database(file));
    EXPECT_TRUE(found == done || (!acknowledged && found == start().digest))
        << (acknowledged ? "it was acknowledged and is lost" : "it is half done");
  };
  for (const auto& op : log) {
    if (op.what == DiskOp::What::mark) acknowledged = true;
    disk.apply(op);
    look(disk, Loss::everything);
    if (op.what == DiskOp::What::write && (is_long || random() % 16 == 0)) {
      auto torn = disk;
      torn.tear_last_write();
      look(torn, Loss::nothing);
      look(disk, Loss::something);
    }
    if (is_long) look(disk, Loss::nothing);
    if (testing::Test::HasFailure()) return;
  }
}

class Disks : public StoreOperation {
 protected:
  /// True when something failed.
  bool try_with(const FailurePlan& plan) {
    auto& vfs = FaultVfs::install();
    Program program(GetParam());
    vfs.fail(plan);
    const auto error = program.run();
    if (!error || plan.from_then_on) program.end();  // with the disk still failing
    const bool failed = vfs.end_failures();
    vfs.take_log();
    if (!error) {
      EXPECT_EQ(program.digest(), done_) << "it was acknowledged and is lost";
      return failed;
    }
    EXPECT_TRUE(failed) << error->what() << " without a reason";
    EXPECT_EQ(error->code(), ErrorCode::unavailable) << error->what() << ": " << error->engine_message();
    if (plan.from_then_on) {
      const auto found = program.digest();
      EXPECT_TRUE(found == start().digest || (error->outcome_unknown() && found == done_))
          << "told to have failed, and is done";
      return true;
    }
    EXPECT_FALSE(error->outcome_unknown()) << "a disk that works again shows what has become of it";
    const auto again = program.run();
    EXPECT_FALSE(again) << "the handle does not recover: " << again->what() << ": " << again->engine_message();
    program.end();
    EXPECT_EQ(program.digest(), done_);
    return true;
  }
  void SetUp() override {
    Program program(GetParam());
    ASSERT_FALSE(program.run());
    program.end();
    done_ = program.digest();
  }
  std::string done_;
};
INSTANTIATE_TEST_SUITE_P(, Disks, testing::ValuesIn(operations()), name_of);

TEST_P(Disks, ThatFail) {
  std::mt19937_64 random(test_seed());
  int tried = 0;
  for (const auto with : {Failure::io_error, Failure::torn, Failure::disk_full})
    for (const bool from_then_on : {false, true})
      for (std::int64_t n = 1;; n += is_long ? 1 : 1 + static_cast<std::int64_t>(random() % 64), ++tried) {
        SCOPED_TRACE("failure " + std::to_string(static_cast<int>(with)) + (from_then_on ? " from then on" : " once") +
                     " at " + std::to_string(n));
        if (!try_with({.at = n, .with = with, .from_then_on = from_then_on}) || HasFailure()) break;
      }
  EXPECT_GE(tried, 6);
}

}  // namespace
}  // namespace quarry::test
