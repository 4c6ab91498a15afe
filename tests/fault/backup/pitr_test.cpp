/// Any moment of a PostgreSQL server, on a server of the test's own: archiving, base backup, markers, and what it says when
/// the moment cannot be reached or proven.

#include "quarry/backup/pitr.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include "quarry/core/time.hpp"
#include "support/postgres_admin.hpp"
#include "support/private_cluster.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PointInTime : public testing::Test {
 protected:
  using Args = std::vector<std::string>;

  void SetUp() override {
    run_on_postgres(cluster_.url(), "create database quarry");
    ASSERT_TRUE(quarry({"init"}).exit.ok());
    ASSERT_TRUE(quarry({"setting", "keygen", keys()}).exit.ok());
  }
  std::string keys() const { return (cluster_.folder() / "keys").string(); }
  std::string dir() const { return (cluster_.folder() / "backups").string(); }

  /// As the user the server runs as, whose folder it is.
  Finished quarry(Args args, const std::string& database = "quarry") {
    return run(command(std::move(args), database), std::chrono::seconds(120));
  }
  Command command(Args args, const std::string& database = "quarry") {
    args.insert(args.end(),
                {"--db", cluster_.url(database), "--blobs", (cluster_.folder() / "blobs").string(), "--log", "debug"});
    std::optional<User> user;
    if (geteuid() == 0) {
      const auto* entry = getpwnam("postgres");
      user = User{entry->pw_uid, entry->pw_gid};
    }
    // Where that user may write, whoever made the folder that the tests were told to use.
    return {.program = QUARRY_BINARY,
            .args = std::move(args),
            .environment = {{"TMPDIR", cluster_.folder().string()}},
            .directory = cluster_.folder(),
            .user = user};
  }
  Finished sealed(Args args, const std::string& database = "quarry") {
    args.insert(args.end(), {"--key-file", keys()});
    return quarry(std::move(args), database);
  }
  void set_up() {
    const auto first = sealed({"backup", "pitr-setup", dir()});
    ASSERT_EQ(first.exit.code, 2) << first.err << first.out;
    cluster_.restart();
    const auto second = sealed({"backup", "pitr-setup", dir()});
    ASSERT_EQ(second.exit.code, 0) << second.err << second.out;
  }
  void mark() {
    const auto done = quarry({"backup", "pitr-mark", dir()});
    ASSERT_TRUE(done.exit.ok()) << done.err;
  }
  void write_row(const std::string& name) {
    run_on_postgres(cluster_.url("quarry"),
                    "insert into system_config (id, key, value) values (gen_random_uuid(), 'test." + name + "', 'x')");
  }
  std::vector<std::string> rows(const std::string& database) {
    return run_on_postgres(cluster_.url(database), "select key from system_config where key like 'test.%' order by key");
  }
  std::string now() {
    return run_on_postgres(cluster_.url(),
                           "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        .at(0);
  }
  Finished restore(const std::string& at, Args more = {}) {
    Args args{"restore", dir(), "--at", at, "--scratch", "."};  // the folder it runs in
    args.insert(args.end(), more.begin(), more.end());
    return sealed(args, "recovered");
  }
  bool has_database(const std::string& name) {
    return !run_on_postgres(cluster_.url(), "select 1 from pg_database where datname = '" + name + "'").empty();
  }
  std::vector<std::filesystem::path> segments() {
    std::vector<std::filesystem::path> all;
    for (const auto& entry : std::filesystem::directory_iterator(dir() + "/wal"))
      if (entry.path().extension() == ".sealed" &&
          entry.path().filename().string().find('.') == entry.path().filename().string().rfind('.'))
        all.push_back(entry.path());
    std::ranges::sort(all);
    return all;
  }

  PrivateCluster cluster_;
};

TEST_F(PointInTime, IsReachedProvenAndCarriedOver) {
  set_up();
  write_row("a");
  mark();
  write_row("b");
  const auto moment = now();
  write_row("c");
  mark();
  run_on_postgres(cluster_.url("quarry"), "delete from system_config where key like 'test.%'");
  mark();

  const auto done = restore(moment);
  ASSERT_TRUE(done.exit.ok()) << done.err << done.out;
  EXPECT_THAT(done.out, HasSubstr("proven"));
  EXPECT_THAT(rows("recovered"), ElementsAre("test.a", "test.b"));
  EXPECT_TRUE(rows("quarry").empty()) << "the server itself goes on as it was";
  EXPECT_EQ(restore(moment).exit.code, 75) << "it holds rows now";
  EXPECT_TRUE(restore(moment, {"--replace"}).exit.ok());
}

TEST_F(PointInTime, WhatCannotBeProvenIsNotRestored) {
  EXPECT_EQ(restore("2026-01-01T00:00:00Z").exit.code, 66) << "there is no folder yet";
  const auto before = now();
  set_up();
  mark();
  const auto beyond = restore(now());
  EXPECT_EQ(beyond.exit.code, 75);
  EXPECT_THAT(beyond.err, HasSubstr("no marker after it"));
  EXPECT_THAT(restore(before).err, HasSubstr("no base backup is older"));
  write_row("a");
  const auto moment = now();
  mark();

  const auto all = segments();
  ASSERT_GE(all.size(), 3U);
  const auto last = all.back();
  const auto whole = read_file(last);
  std::filesystem::rename(last, last.string() + ".away");
  const auto missing = restore(moment);
  EXPECT_EQ(missing.exit.code, 74) << missing.err;
  EXPECT_THAT(missing.err, HasSubstr("is missing"));
  std::filesystem::rename(last.string() + ".away", last);
  auto bytes = whole;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(last, bytes);
  const auto changed = restore(moment);
  EXPECT_EQ(changed.exit.code, 74);
  EXPECT_THAT(changed.err, HasSubstr("was changed"));
  EXPECT_FALSE(has_database("recovered"));
  write_file(last, whole);
  EXPECT_TRUE(restore(moment).exit.ok());
}

TEST_F(PointInTime, BringsTheBodiesBackThatBackupsHold) {
  ASSERT_TRUE(quarry({"seed", "--demo"}).exit.ok());
  const auto kept = sealed({"backup", dir()});
  ASSERT_TRUE(kept.exit.ok()) << kept.err;
  set_up();
  mark();
  const auto moment = now();
  mark();
  std::filesystem::remove_all(cluster_.folder() / "blobs");
  const auto done = restore(moment);
  ASSERT_TRUE(done.exit.ok()) << done.err << done.out;
  EXPECT_THAT(done.out, HasSubstr("3 bodies were put back"));
  EXPECT_TRUE(quarry({"artifact", "fsck"}, "recovered").exit.ok());

  // One that no backup has any more is told of, and the rest is restored.
  std::filesystem::remove_all(cluster_.folder() / "blobs");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir() + "/bodies"))
    if (entry.is_regular_file()) {
      std::filesystem::remove(entry.path());
      break;
    }
  const auto partly = restore(moment, {"--replace"});
  EXPECT_EQ(partly.exit.code, 1) << partly.err;
  EXPECT_THAT(partly.err, HasSubstr("1 bodies are neither"));
  EXPECT_EQ(restore(moment, {"--replace", "--no-bodies"}).exit.code, 0);
}

/// All data lies in the scratch server in clear: it goes with the program that had started it, however that ends.
TEST_F(PointInTime, AKilledRestoreLeavesNoServerRunning) {
  set_up();
  mark();
  write_row("a");
  const auto moment = now();
  mark();
  const auto server_of = [&]() -> pid_t {
    for (const auto& entry : std::filesystem::directory_iterator(cluster_.folder())) {
      pid_t pid = 0;
      if (std::ifstream(entry.path() / "data" / "postmaster.pid") >> pid &&
          entry.path().filename().string().starts_with(".quarry-backup-scratch-"))
        return pid;
    }
    return 0;
  };
  const auto until = [](const std::function<bool()>& what) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!what() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return what();
  };
  auto restoring =
      Process::start(command({"restore", dir(), "--at", moment, "--scratch", ".", "--key-file", keys()}, "recovered"));
  ASSERT_TRUE(until([&] { return server_of() != 0; })) << restoring.err();
  const auto server = std::filesystem::path("/proc") / std::to_string(server_of());
  ASSERT_TRUE(restoring.running());
  restoring.kill();
  EXPECT_TRUE(until([&] { return !std::filesystem::exists(server / "exe"); })) << "the server outlives the program";
  ASSERT_TRUE(restore(moment).exit.ok());
  EXPECT_EQ(server_of(), 0) << "and its folder goes with the next";
}

TEST_F(PointInTime, AnArchiveThatIsThereAlreadyIsNotEndedSilently) {
  const auto command = [&] { return run_on_postgres(cluster_.url(), "show archive_command").at(0); };
  const auto in_files = [&] {
    return run_on_postgres(cluster_.url(), "select setting from pg_file_settings where name = 'archive_command'").at(0);
  };
  const std::string other = "cp %p /somewhere/secret-word/%f";
  run_on_postgres(cluster_.url(), "alter system set archive_command = '" + other + "'");
  run_on_postgres(cluster_.url(), "select pg_reload_conf()");
  const auto hidden = sealed({"backup", "pitr-setup", dir()});
  EXPECT_EQ(hidden.exit.code, 75) << "also while archive_mode is off, and the server does not show it: " << hidden.err;
  run_on_postgres(cluster_.url(), "alter system set archive_mode = 'on'");
  cluster_.restart();
  const auto refused = sealed({"backup", "pitr-setup", dir()});
  EXPECT_EQ(refused.exit.code, 75) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("--replace-archive-command"));
  EXPECT_THAT(refused.out + refused.err, testing::Not(HasSubstr("secret-word")));
  EXPECT_EQ(command(), other);
  EXPECT_EQ(in_files(), other);
  const auto told = sealed({"backup", "pitr-setup", dir(), "--replace-archive-command"});
  EXPECT_EQ(told.exit.code, 0) << told.err;
  EXPECT_THAT(command(), HasSubstr("wal-push"));
  // With another key, or from another place, it is still the same archive; another folder is another one.
  EXPECT_EQ(sealed({"backup", "pitr-setup", dir()}).exit.code, 0);
  EXPECT_EQ(sealed({"backup", "pitr-setup", dir() + "-2"}).exit.code, 75);
}

TEST_F(PointInTime, TheLogThatNoMomentNeedsGoes) {
  set_up();
  const auto since = [] { return SystemClock().now(); };
  EXPECT_THAT(backup::prune_log(dir(), since()).bases_removed, IsEmpty()) << "the only one";
  ASSERT_TRUE(sealed({"backup", "pitr-setup", dir()}).exit.ok());
  const auto all = segments();
  const auto none = quarry({"backup", "prune", dir(), "--keep-log", "1h"});
  ASSERT_TRUE(none.exit.ok()) << none.err;
  EXPECT_THAT(none.out, HasSubstr("all of it stays"));
  EXPECT_EQ(segments(), all);

  // With a gap behind it the second one covers nothing.
  std::filesystem::rename(all.back(), all.back().string() + ".away");
  EXPECT_FALSE(backup::prune_log(dir(), since()).reaches_back_to);
  std::filesystem::rename(all.back().string() + ".away", all.back());
  const auto told = backup::prune_log(dir(), since(), true);
  EXPECT_EQ(told.bases_removed.size(), 1U);
  EXPECT_GT(told.segments_removed, 0);
  EXPECT_EQ(segments(), all);
  const auto pruned = backup::prune_log(dir(), since());
  EXPECT_EQ(pruned.bases_removed, told.bases_removed);
  EXPECT_EQ(pruned.segments_removed, told.segments_removed);
  EXPECT_LT(segments().size(), all.size());

  write_row("a");
  const auto moment = now();
  mark();
  const auto done = restore(moment);
  ASSERT_TRUE(done.exit.ok()) << done.err;
  EXPECT_THAT(rows("recovered"), ElementsAre("test.a"));
}

TEST_F(PointInTime, ASegmentMayComeTwiceAndNoOtherUnderItsName) {
  set_up();
  const auto wal = cluster_.folder() / "000000010000000000000077";
  write_file(wal, std::string(5000, 'w'));
  std::filesystem::permissions(wal, std::filesystem::perms(0644));
  const auto push = [&] { return sealed({"backup", "wal-push", dir(), wal.string()}).exit.code; };
  EXPECT_EQ(push(), 0);
  EXPECT_EQ(push(), 0);
  write_file(wal, std::string(5000, 'x'));
  EXPECT_EQ(push(), 75);
}

}  // namespace
}  // namespace quarry::test
