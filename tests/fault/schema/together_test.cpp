/// Many migrators at once, and migrators that find others in the way.

#include <gmock/gmock.h>

#include <future>
#include <latch>
#include <map>
#include <memory>
#include <thread>

#include "conformance/schema/migration_files.hpp"
#include "fault/schema/child.hpp"
#include "quarry/sql/backend.hpp"
#include "support/both_engines.hpp"
#include "support/postgres_admin.hpp"

namespace quarry::schema::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Migrators : public quarry::test::BothEngines {
 protected:
  /// Each migration in the log exactly once.
  void expect_applied_once() {
    std::map<std::int64_t, int> times;
    for (const auto& entry : history(db())) {
      EXPECT_EQ(entry.outcome, "applied") << entry.name << ": " << entry.error_message.value_or("");
      ++times[entry.version];
    }
    EXPECT_EQ(times.size(), small_set().migrations().size());
    for (const auto& [version, count] : times) EXPECT_EQ(count, 1) << "version " << version;
    const auto drift = diff_live(db(), small_set());
    for (const auto& difference : drift.differences) ADD_FAILURE() << to_text(difference);
  }
  std::int64_t count(const std::string& sql) {
    return db().read([&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.count", sql)); });
  }
};
QUARRY_BOTH_ENGINES(Migrators);

TEST_P(Migrators, InThreadsApplyEachMigrationOnce) {
  for (const int threads : {2, 8}) {
    auto fresh = make_database();
    std::latch start(threads);
    std::vector<std::future<std::size_t>> done;
    for (int i = 0; i < threads; ++i)
      done.push_back(std::async(std::launch::async, [&] {
        const auto own = fresh->open();
        start.arrive_and_wait();
        return migrate_up(own, small_set(), {.verify = false}).size();
      }));
    std::size_t steps = 0;
    for (auto& result : done) steps += result.get();
    EXPECT_EQ(steps, small_set().migrations().size());
    database().reopen();
    EXPECT_EQ(status(fresh->db(), small_set()).state, State::current);
  }
}

TEST_P(Migrators, InProcessesApplyEachMigrationOnce) {
  db();  // the file exists, and is in WAL mode
  std::vector<quarry::test::Process> children;
  for (int i = 0; i < 8; ++i) children.push_back(start_child({database().url(), "small", small_set().head()}));
  for (auto& child : children) EXPECT_TRUE(child.wait().ok()) << child.out() << child.err();
  expect_applied_once();
}

TEST_P(Migrators, OneIsKilledWhileTheOthersWait) {
  db();
  std::vector<quarry::test::Process> children;
  for (int i = 0; i < 4; ++i)
    children.push_back(start_child({database().url(), "small", small_set().head(),
                                    i % 2 == 0 ? std::optional<std::int64_t>(5 * i + 4) : std::nullopt}));
  for (auto& child : children) child.wait();
  migrate_up(db(), small_set());
  EXPECT_EQ(status(db(), small_set()).state, State::current);
  EXPECT_EQ(count("select count(*) from c"), 3);
}

TEST_P(Migrators, GiveUpAtTheDeadlineAndNameTheOther) {
  DatabaseOptions impatient;
  impatient.busy_timeout = 200ms;
  const auto ours = database().open(impatient);
  std::promise<void> inside;
  std::promise<void> go_on;
  std::jthread other([&] {
    const auto own = database().open();
    MigrateOptions options{.verify = false};
    bool told = false;
    options.at_moment = [&](const Moment&) {
      if (std::exchange(told, true)) return;
      inside.set_value();
      go_on.get_future().wait();
    };
    migrate_up(own, small_set(), options);
  });
  // Also when the test fails, or the thread would wait for ever.
  std::shared_ptr<void> release(nullptr, [&](void*) { go_on.set_value(); });
  inside.get_future().wait();
  const auto [reason, message] = refusal([&] { migrate_up(ours, small_set(), {.lock_wait = 200ms}); });
  EXPECT_EQ(reason, Reason::locked);
  EXPECT_EQ(exit_code(reason), 5);
  if (is_postgres()) {
    EXPECT_THAT(message, HasSubstr("another migrator holds the lock"));
    EXPECT_THAT(message, HasSubstr("quarry migrate (process "));
  }
  release.reset();
  other.join();
  EXPECT_TRUE(migrate_up(db(), small_set()).empty());
}

class PostgresMigrator : public testing::Test {
 protected:
  quarry::test::TestDatabase database_{Engine::postgres, quarry::test::Schema::none};
  Database& db() { return database_.db(); }
};

TEST_F(PostgresMigrator, NamesWhoHoldsATableAndGoesOnWhenItIsFree) {
  migrate_to(db(), small_set(), 1);
  auto holder = db().backend().dedicated();
  holder->session().run_script("test.hold",
                               "set application_name = 'long report'; begin; lock table a in access share mode");
  const auto set = set_of({first_migration(), both("second", "alter table a add column d text", "")});
  int waits = 0;
  MigrateOptions options{.lock_wait = 1500ms, .lock_timeout = 300ms};
  options.on_wait = [&](const std::string&) { ++waits; };
  const auto [reason, message] = refusal([&] { migrate_up(db(), set, options); });
  EXPECT_EQ(reason, Reason::locked);
  EXPECT_THAT(message, HasSubstr("0002_second"));
  EXPECT_THAT(message, HasSubstr("long report (process "));
  EXPECT_GE(waits, 1);
  options.lock_wait = 60s;
  options.on_wait = [&](const std::string&) { holder.reset(); };  // the report ends
  EXPECT_EQ(migrate_up(db(), set, options).size(), 1u);
}

TEST_F(PostgresMigrator, RebuildsAnIndexThatAFailureLeftInvalid) {
  const auto second =
      both("second", "-- quarry: no-transaction\ncreate unique index concurrently a_b on a (b);", "drop index a_b");
  const auto set = set_of({first_migration(), second});
  migrate_to(db(), set, 1);
  const auto run = [&](const char* sql) { db().write([&](Write& tx) { tx.session().run_script("test.run", sql); }); };
  run("insert into a values (1, 'x'), (2, 'x')");
  EXPECT_EQ(refusal([&] { migrate_up(db(), set); }).first, Reason::failed);
  auto differences = diff_live(db(), set).differences;
  ASSERT_EQ(differences.size(), 1u);
  const auto invalid = introspect(db());
  EXPECT_FALSE(invalid.find(ObjectType::index, "a", "a_b")->valid);
  run("update a set b = 'y' where id = 2");
  const auto steps = migrate_up(db(), set);
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_TRUE(steps[0].resumed);
  EXPECT_TRUE(introspect(db()).find(ObjectType::index, "a", "a_b")->valid);
  // What is invalid is told as such, and mended.
  differences = compare(invalid, introspect(db()));
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_EQ(differences[0].kind, DifferenceKind::invalid);
  EXPECT_EQ(differences[0].mend.size(), 2u);
}

TEST_F(PostgresMigrator, EndedWhileItBuildsAnIndexItIsResumed) {
  const auto set =
      set_of({first_migration(),
              both("second", "-- quarry: no-transaction\ncreate index concurrently a_b on a (b);", "drop index a_b")});
  migrate_to(db(), set, 1);
  // CREATE INDEX CONCURRENTLY waits for every transaction that may still write to the table.
  auto writer = db().backend().dedicated();
  writer->session().run_script("test.write", "begin; insert into a values (1, 'x')");
  auto migrating = std::async(std::launch::async, [&] {
    try {
      migrate_up(database_.open(), set);
      return std::string("done");
    } catch (const Error& error) {
      return std::string(to_string(error.code()));
    }
  });
  const auto ended = [&] {
    return !quarry::test::run_on_postgres(
                database_.url(),
                "select pg_terminate_backend(pid)::text from pg_stat_activity where application_name = 'quarry "
                "migrate' and query like 'create index%' and wait_event_type = 'Lock'")
                .empty();
  };
  while (!ended() && migrating.wait_for(20ms) != std::future_status::ready) {
  }
  EXPECT_EQ(migrating.get(), "unavailable");
  EXPECT_FALSE(introspect(db()).find(ObjectType::index, "a", "a_b")->valid);
  writer.reset();
  EXPECT_EQ(migrate_up(db(), set).size(), 1u);
  EXPECT_TRUE(introspect(db()).find(ObjectType::index, "a", "a_b")->valid);
}

TEST_F(PostgresMigrator, NoticesThatItsLockIsGone) {
  MigrateOptions options{.verify = false};
  options.at_moment = [&](const Moment& moment) {
    if (moment.what == Moment::What::done && moment.version == 1)
      quarry::test::run_on_postgres(database_.url(),
                                    "select pg_terminate_backend(pid)::text from pg_stat_activity where application_name = "
                                    "'quarry migrate'");
  };
  EXPECT_THROW(migrate_up(db(), small_set(), options), Error);
  EXPECT_EQ(status(db(), small_set()).version, 1);
  EXPECT_EQ(migrate_up(db(), small_set()).size(), 3u);
}

}  // namespace
}  // namespace quarry::schema::test
