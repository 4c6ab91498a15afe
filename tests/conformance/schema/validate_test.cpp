/// Whatever somebody's hand changes is told, with statements that mend it; and nothing else is told.

#include "quarry/schema/validate.hpp"

#include <gmock/gmock.h>

#include <memory>

#include "conformance/schema/live_drifts.hpp"
#include "quarry/accounts/password.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/ops/seed_demo.hpp"
#include "quarry/schema/author.hpp"
#include "quarry/schema/migrator.hpp"
#include "quarry/sql/backend.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/audit_partitions.hpp"
#include "support/both_engines.hpp"
#include "support/migrated_database.hpp"
#include "support/postgres_admin.hpp"
#include "support/private_cluster.hpp"

namespace quarry::schema::test {
namespace {

using quarry::test::TestDatabase;
using testing::HasSubstr;

/// A database that is worked with.
std::unique_ptr<TestDatabase> database_in_use(Engine engine) {
  auto database = std::make_unique<TestDatabase>(engine, quarry::test::head());
  artifacts::FileBlobStore blobs(database->folder() / "blobs", {.durable = false});
  const accounts::PasswordHasher hasher({.cost = {.memory_kib = 64, .passes = 1}});
  ops::seed_demo(database->db(), blobs, hasher);
  return database;
}

/// What a person with the engine's own shell does: no transaction around it, and no foreign keys or timeouts of ours.
void run_by_hand(const Database& db, const std::string& sql) {
  const auto connection = db.backend().dedicated();
  auto& session = connection->session();
  if (db.engine() == Engine::sqlite) session.run_script("test.by_hand", "pragma foreign_keys = off");
  session.run_script("test.by_hand", sql);
  if (db.engine() != Engine::sqlite) return;
  // Who edits the schema's own table must tell the other connections.
  const auto version =
      Read(session).value(sql::Query<std::int64_t()>("test.version", "select schema_version from pragma_schema_version"));
  session.run_script("test.by_hand", "pragma schema_version = " + std::to_string(version + 1));
}

std::string told_by(const Validation& found) {
  std::string told;
  for (const auto& difference : found.differences) told += to_text(difference) + "\n";
  return told;
}

/// One database for all drifts of an engine: each is mended before the next comes, and when one is not, the next gets a new
/// database.
class LiveDrifts : public testing::TestWithParam<std::pair<Engine, LiveDrift>> {
 protected:
  Database& db() { return database_->db(); }
  const ExpectedSchema& expected() const { return *expected_; }
  void SetUp() override {
    const Engine engine = GetParam().first;
    if (expected_ && expected_->model.engine != engine) TearDownTestSuite();
    if (!database_) database_ = database_in_use(engine);
    if (!expected_) expected_ = expected_schema(db());
  }
  void TearDown() override {
    if (HasFailure()) database_.reset();
  }
  static void TearDownTestSuite() {
    database_.reset();
    expected_.reset();
  }
  std::int64_t count(const std::string& sql) {
    return db().read([&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.count", sql)); });
  }

  static inline std::unique_ptr<TestDatabase> database_;
  static inline std::optional<ExpectedSchema> expected_;
};

TEST_P(LiveDrifts, AreToldAndMended) {
  const auto& drift = GetParam().second;
  ASSERT_EQ(told_by(validate(db(), expected())), "");
  const auto users = count("select count(*) from users");
  const auto artifacts = count("select count(*) from artifacts");
  const auto entries = count("select count(*) from audit_logs");
  run_by_hand(db(), drift.sql);

  const auto found = validate(db(), expected());
  EXPECT_THAT(told_by(found), HasSubstr(drift.told));
  if (drift.differences > 0) {
    EXPECT_EQ(found.differences.size(), drift.differences) << told_by(found);
  }
  for (const auto& difference : found.differences) EXPECT_FALSE(difference.mend.empty()) << to_text(difference);

  SCOPED_TRACE(mend_text(found));
  try {
    run_by_hand(db(), mend_text(found));
  } catch (const Error& error) {
    FAIL() << error.client_message() << "\n" << error.engine_message();
  }
  EXPECT_EQ(told_by(validate(db(), expected())), "");
  EXPECT_EQ(count("select count(*) from users"), users);
  EXPECT_EQ(count("select count(*) from artifacts"), artifacts);
  if (drift.name != "partition_dropped") {
    EXPECT_EQ(count("select count(*) from audit_logs"), entries);
  }
  if (db().engine() == Engine::sqlite) {
    EXPECT_EQ(count("select count(*) from pragma_foreign_key_check"), 0);
    EXPECT_EQ(count("select count(*) from pragma_integrity_check where integrity_check <> 'ok'"), 0);
    EXPECT_GT(count("select count(*) from artifacts_fts"), 0);
  }
}

std::vector<std::pair<Engine, LiveDrift>> on(Engine engine, const std::vector<LiveDrift>& drifts) {
  std::vector<std::pair<Engine, LiveDrift>> all;
  for (const auto& drift : drifts) all.emplace_back(engine, drift);
  return all;
}
std::string name_of(const testing::TestParamInfo<std::pair<Engine, LiveDrift>>& test) { return test.param.second.name; }
INSTANTIATE_TEST_SUITE_P(Sqlite, LiveDrifts, testing::ValuesIn(on(Engine::sqlite, live_sqlite_drifts())), name_of);
INSTANTIATE_TEST_SUITE_P(Postgres, LiveDrifts, testing::ValuesIn(on(Engine::postgres, live_postgres_drifts())), name_of);

TEST(LiveDriftsOfRoles, AreToldAndMended) {
  quarry::test::PrivateCluster cluster;
  const auto db = Database::open(cluster.url());
  migrate_up(db, MigrationSet::embedded());
  const auto expected = expected_schema(db);
  for (const auto& drift : live_role_drifts()) {
    SCOPED_TRACE(drift.name);
    run_by_hand(db, drift.sql);
    const auto found = validate(db, expected);
    EXPECT_THAT(told_by(found), HasSubstr(drift.told));
    run_by_hand(db, mend_text(found));
    EXPECT_EQ(told_by(validate(db, expected)), "");
  }
}

class CleanDatabase : public quarry::test::BothEngines {
 protected:
  std::unique_ptr<TestDatabase> make_database() override { return database_in_use(GetParam()); }
  std::string told() {
    const auto found = validate(db());
    EXPECT_EQ(mend_text(found), "");
    EXPECT_GT(found.objects, 300u);
    return told_by(found);
  }
};
QUARRY_BOTH_ENGINES(CleanDatabase);

TEST_P(CleanDatabase, InUseGivesNoAlarm) {
  EXPECT_EQ(told(), "");
  clock().advance(std::chrono::hours(24 * 40));
  db().write([](Write& tx) {
    system::audit(tx, {.action = "test"});
    system::ensure_audit_partitions(tx, 12);
  });
  EXPECT_EQ(told(), "");
}

TEST_P(CleanDatabase, WithRetiredPartitionsGivesNoAlarm) {
  if (is_sqlite()) GTEST_SKIP() << "SQLite has no partitions";
  clock().advance(std::chrono::hours(24 * 80));
  int retired = 0;
  while (db().write([&](Write& tx) { return system::retire_audit_partition(tx, tx.now()); })) ++retired;
  ASSERT_GT(retired, 0);
  EXPECT_EQ(told(), "");
  // The default partition can be retired, too, and is made anew.
  db().write([](Write& tx) { system::audit(tx, {.action = "test"}); });
}

TEST_P(CleanDatabase, ThatWentDownAndUpGivesNoAlarm) {
  const auto& set = MigrationSet::embedded();
  migrate_to(db(), set, 0, {.allow_data_loss = true, .backup = false});
  migrate_up(db(), set);
  EXPECT_EQ(told(), "");
}

TEST_P(CleanDatabase, OfAnOperatorGivesNoAlarm) {
  if (is_sqlite()) {
    run_by_hand(db(), "analyze; vacuum");
  } else {
    run_by_hand(
        db(),
        "create extension pg_trgm; create schema reporting; create table reporting.mine (id bigint); grant create on "
        "schema public to pg_monitor; comment on table users is 'ours'; analyze; cluster users using users_pkey; "
        "alter table users alter column email set statistics 500");
  }
  EXPECT_EQ(told(), "");
}

TEST_P(CleanDatabase, ChangedPlansAreNotesAndNewPlansNothing) {
  run_by_hand(db(),
              "update subscription_plans set price_cents = 2900 where id = 'starter'; insert into subscription_plans (id, "
              "name, compute_units_per_month, max_concurrent_tasks, price_cents) values ('own', 'Own', 1, 1, 1)");
  const auto found = validate(db());
  EXPECT_EQ(told_by(found), "");
  ASSERT_EQ(found.notes.size(), 1u);
  EXPECT_EQ(found.notes[0],
            "plan starter was changed: it is Starter, 1000 units a month, 3 tasks at once, 2900 cents; new databases have "
            "Starter, 1000 units a month, 3 tasks at once, 1900 cents");
}

TEST_P(CleanDatabase, IsNotValidatedAtAnotherVersion) {
  migrate_to(db(), MigrationSet::embedded(), 0, {.allow_data_loss = true, .backup = false});
  try {
    validate(db());
    FAIL() << "an empty database is not what the program expects";
  } catch (const MigrationError& error) {
    EXPECT_EQ(exit_code(error.reason()), 2) << error.client_message();
  }
}

/// A role that may look, but not make a schema.
class WithoutRights : public testing::Test {
 protected:
  WithoutRights() { migrate_up(db_, MigrationSet::embedded()); }
  std::string url_as(const std::string& role, const std::string& database) {
    auto url = cluster_.url(database);
    return url.replace(url.find("quarry@"), std::string("quarry").size(), role);
  }
  quarry::test::PrivateCluster cluster_;
  Database db_ = Database::open(cluster_.url());
};

TEST_F(WithoutRights, TheRemedyIsToldAndAnotherDatabaseServes) {
  run_by_hand(db_, "create role looker login; grant select on schema_migrations, subscription_plans to looker");
  run_by_hand(db_, "create database elsewhere owner looker");
  run_by_hand(
      db_, "grant quarry_system, quarry_tenant to looker; revoke all on schema_migrations, subscription_plans from looker");
  const auto live = Database::open(url_as("looker", "postgres"));
  try {
    validate(live);
    FAIL() << "the role may not make a schema";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::denied);
    EXPECT_THAT(error.client_message(), HasSubstr("GRANT CREATE ON DATABASE postgres TO looker"));
    EXPECT_THAT(error.client_message(), HasSubstr("--scratch"));
  }
  const auto elsewhere = Database::open(url_as("looker", "elsewhere"));
  EXPECT_EQ(told_by(validate(live, expected_schema(elsewhere))), "");
  run_by_hand(db_, "drop index idx_users_role");
  EXPECT_EQ(told_by(validate(live, expected_schema(elsewhere))), "index users.idx_users_role is missing\n");
  run_by_hand(db_, "grant create on database postgres to looker");
  EXPECT_EQ(told_by(validate(live)), "index users.idx_users_role is missing\n");
}

}  // namespace
}  // namespace quarry::schema::test
