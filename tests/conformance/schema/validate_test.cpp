/// Whatever somebody's hand changes is told, with statements that mend it; and nothing else is told.

#include "quarry/schema/validate.hpp"

#include <gmock/gmock.h>

#include <memory>

#include "conformance/schema/live_drifts.hpp"
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

/// `$1` to `$9` stand for ids.
constexpr const char* rows = R"sql(
insert into users (id, username, email, google_id) values ($1, 'ada', 'ada@example.org', 'g1'), ($2, 'bob', 'b@example.org', 'g2');
insert into user_sessions (id, user_id, token_hash, expires_at) values ($3, $1, 'hash', $now);
insert into searches (id, user_id, query) values ($4, $1, 'q');
insert into scraping_jobs (id, user_id, job_type, title, search_id) values ($5, $1, 'crawl', 'a title', $4);
insert into job_configurations (id, job_id, user_id, config_key) values ($6, $5, $1, 'k');
insert into job_logs (job_id, user_id, message) values ($5, $1, 'began'), ($5, $1, 'ended');
insert into schedules (id, user_id, name, cron, queue) values ($7, $1, 's', '* * * * *', 'crawl');
insert into queues (id, name) values (1001, 'crawl');
insert into hosts (id, host_key, pending) values (1001, 'example.org', 1);
insert into task_queue (id, queue_id, user_id, job_id, scheduled_at, rank, host_id) values (1001, 1001, $1, $5, $now, 1, 1001);
insert into artifacts (id, user_id, job_id, artifact_type, content_hash, title, content_text)
  values ($8, $1, $5, 'pdf', '$hash', 'Lithium', 'papers on lithium'), ($9, $2, null, 'pdf', '$hash', 'Cobalt', 'other words');
insert into user_subscriptions (id, user_id, plan_id, status, current_period_start, current_period_end, anchor_day)
  values ($4, $1, 'enterprise', 'active', $now, $later, 1);
insert into cache (key, value) values ('a', '1');
)sql";

std::string filled(Engine engine) {
  std::string sql(rows);
  const auto fill = [&](const std::string& hole, const std::string& with) {
    for (std::size_t at = 0; (at = sql.find(hole, at)) != std::string::npos; at += with.size())
      sql.replace(at, hole.size(), with);
  };
  fill("$hash", std::string(64, '0'));
  fill("$now", engine == Engine::sqlite ? "1772366400000000" : "'2026-03-01 12:00:00+00'");
  fill("$later", engine == Engine::sqlite ? "1775044800000000" : "'2026-04-01 12:00:00+00'");
  for (const char digit : std::string("123456789")) {
    const auto id = std::string(31, '0') + digit;
    fill(std::string("$") + digit, engine == Engine::sqlite ? "x'" + id + "'" : "'" + id + "'");
  }
  return sql;
}

/// A database that is worked with.
std::unique_ptr<TestDatabase> database_in_use(Engine engine) {
  auto database = std::make_unique<TestDatabase>(engine, quarry::test::head());
  database->db().write([&](Write& tx) {
    system::ensure_audit_partitions(tx, 3);
    tx.session().run_script("test.rows", filled(engine));
    for (int i = 0; i < 3; ++i) system::audit(tx, {.action = "test"});
  });
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

std::string in_a_row(const std::vector<std::string>& statements) {
  std::string script;
  for (const auto& statement : statements) script += statement + ";\n";
  return script;
}

/// A single difference is mended by its own statements, several by the script for all of them.
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

  const auto mend = found.differences.size() == 1 ? in_a_row(found.differences[0].mend) : mend_text(found);
  SCOPED_TRACE(mend);
  try {
    run_by_hand(db(), mend);
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
    EXPECT_EQ(count("select count(*) from artifacts_fts where artifacts_fts match 'paper'"), 1);
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

// SX-17
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
  // The default partition, which takes what no month has been made for, can be retired, too, and is made anew.
  clock().advance(std::chrono::hours(24 * 400));
  db().write([](Write& tx) { system::audit(tx, {.action = "test"}); });
  clock().advance(std::chrono::hours(24 * 60));
  std::string table;
  while (const auto gone = db().write([&](Write& tx) { return system::retire_audit_partition(tx, tx.now()); }))
    table = gone->table;
  ASSERT_THAT(table, testing::StartsWith("audit_logs_from_"));
  EXPECT_EQ(told(), "");
  // What was retired is still guarded.
  run_by_hand(db(), "alter table " + table + " disable row level security");
  const auto found = validate(db());
  EXPECT_THAT(told_by(found), HasSubstr("table " + table + " is changed: row security is not set, should be yes"));
  run_by_hand(db(), mend_text(found));
  EXPECT_EQ(told(), "");
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
    return url.replace(url.rfind("user=quarry"), std::string("user=quarry").size(), "user=" + role);
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
