/// What a server refuses in the middle of the work: each has its code and its remedy, and the work goes on when the cause is
/// gone.

#include <gmock/gmock.h>
#include <pwd.h>
#include <sys/mount.h>
#include <unistd.h>

#include <functional>

#include "quarry/core/error.hpp"
#include "quarry/sql/database.hpp"
#include "support/error_of.hpp"
#include "support/postgres_admin.hpp"
#include "support/private_cluster.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr sql::Command<void(std::string_view)> add_note{"test.add", "insert into notes (text) values ($1)"};
constexpr sql::Query<std::int64_t()> count_notes{"test.count", "select count(*) from notes"};

class Refused : public testing::Test {
 protected:
  void admin(const std::string& sql) { run_on_postgres(cluster.url(), sql); }
  static void write(Database& db, std::string_view text = "x") {
    db.write([&](Write& tx) { tx.run(add_note, text); });
  }
  /// For a role without any rights of its own.
  std::string url_of_role(const std::string& role) {
    auto url = cluster.url();
    return url.replace(url.find("user=quarry"), 11, "user=" + role);
  }

  PrivateCluster cluster;
};

TEST_F(Refused, RightsThatAreTakenAwayAndGivenBack) {
  admin("create table notes (text text)");
  admin("create role worker login");
  admin("grant select, insert on notes to worker");
  auto db = Database::open(url_of_role("worker"));
  write(db);
  admin("revoke insert on notes from worker");
  const auto error = error_of([&] { write(db); });
  EXPECT_EQ(error.code(), ErrorCode::denied);
  EXPECT_FALSE(error.retryable());
  EXPECT_THAT(error.client_message(), HasSubstr("lacks the right"));
  EXPECT_EQ(db.read([](Read& tx) { return tx.value(count_notes); }), 1) << "what is still allowed goes on";
  admin("grant insert on notes to worker");
  EXPECT_NO_THROW(write(db));
}

TEST_F(Refused, ARoleThatMayNoLongerLogIn) {
  admin("create table notes (text text)");
  admin("create role worker login");
  admin("grant select, insert on notes to worker");
  auto db = Database::open(url_of_role("worker"));
  write(db);
  admin("alter role worker nologin");
  admin("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'worker'");
  const auto error = error_of([&] { write(db); });
  EXPECT_EQ(error.code(), ErrorCode::denied);
  EXPECT_THAT(error.client_message(), HasSubstr("check user and password"));
  admin("alter role worker login");
  EXPECT_NO_THROW(write(db));
}

TEST_F(Refused, ATableThatIsGone) {
  admin("create table notes (text text)");
  auto db = Database::open(cluster.url());
  write(db);
  admin("alter table notes rename to away");
  const auto error = error_of([&] { write(db); });
  EXPECT_EQ(error.code(), ErrorCode::bug);
  EXPECT_THAT(error.client_message(), HasSubstr("has the schema been migrated?"));
  admin("alter table away rename to notes");
  EXPECT_NO_THROW(write(db));
}

TEST_F(Refused, ADatabaseThatCannotHoldEveryText) {
  admin("create database latin template template0 encoding 'LATIN1' locale 'C'");
  admin("create database ascii template template0 encoding 'SQL_ASCII' locale 'C'");
  for (const std::string name : {"latin", "ascii"}) {
    const auto error = error_of([&] { Database::open(cluster.url(name)); });
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_THAT(error.client_message(), HasSubstr("'" + name + "' has the encoding"));
    EXPECT_THAT(error.client_message(), HasSubstr("--encoding=UTF8"));
  }
}

/// A small file system in memory, which the server may write to.
class SmallDisk {
 public:
  SmallDisk() {
    const auto* const server = getpwnam("postgres");
    if (geteuid() != 0 || !server) return;
    std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
    std::filesystem::create_directory(path());
    const auto options = "size=1m,mode=700,uid=" + std::to_string(server->pw_uid) + ",gid=" + std::to_string(server->pw_gid);
    mounted_ = ::mount("tmpfs", path().c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  std::filesystem::path path() const { return folder_ / "disk"; }
  void grow() const { EXPECT_EQ(::mount(nullptr, path().c_str(), nullptr, MS_REMOUNT, "size=8m"), 0); }

 private:
  TempDir folder_{"small"};
  bool mounted_ = false;
};

TEST_F(Refused, ADiskThatIsFull) {
  const SmallDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "this process may not mount a file system";
  admin("create tablespace small location '" + disk.path().string() + "'");
  admin("create table notes (text text) tablespace small");
  admin("alter table notes alter column text set storage external");
  auto db = Database::open(cluster.url());
  const std::string page(50'000, 'x');
  int stored = 0;
  std::optional<Error> error;
  for (; stored < 100 && !error; ++stored) {
    try {
      write(db, page);
    } catch (const Error& found) {
      error = found;
    }
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::unavailable);
  EXPECT_FALSE(error->outcome_unknown());
  EXPECT_THAT(error->client_message(), HasSubstr("disk is full"));
  EXPECT_EQ(db.read([](Read& tx) { return tx.value(count_notes); }), stored - 1);
  disk.grow();
  EXPECT_NO_THROW(write(db, page));
}

}  // namespace
}  // namespace quarry::test
