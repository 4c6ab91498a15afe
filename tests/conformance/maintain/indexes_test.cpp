/// What PostgreSQL alone has: autovacuum's settings, and indexes that are rebuilt.

#include "conformance/maintain/maintain_test.hpp"
#include "support/postgres_admin.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class MaintainIndexes : public MaintainTest {
 protected:
  std::vector<std::string> query(const std::string& sql) { return run_on_postgres(database().url(), sql); }
  std::int64_t size_of(const std::string& index) {
    return std::stoll(query("select pg_relation_size('" + index + "')").at(0));
  }
};
QUARRY_BOTH_ENGINES(MaintainIndexes);

TEST_P(MaintainIndexes, SqliteHasNoneOfIt) {
  if (!is_sqlite()) return;
  EXPECT_EQ(step("autovacuum").outcome, StepOutcome::skipped);
  EXPECT_EQ(step("indexes").outcome, StepOutcome::skipped);
}

TEST_P(MaintainIndexes, AutovacuumIsAsTheSchemaSays) {
  if (is_sqlite()) return;
  const std::string options =
      "select relname || ': ' || array_to_string(array(select unnest(reloptions) order by 1), ', ') from pg_class"
      " where relkind = 'r' and reloptions is not null order by 1";
  const auto of_the_schema = query(options);
  EXPECT_EQ(step("autovacuum").outcome, StepOutcome::nothing) << "a new database is as it should be";
  query("alter table task_queue set (autovacuum_enabled = false, autovacuum_vacuum_threshold = 1000000)");
  query("alter table hosts reset (autovacuum_vacuum_scale_factor)");
  for (const std::string table : {"queue_counts", "job_totals"})
    query("alter table " + table +
          " reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,"
          " autovacuum_analyze_scale_factor, autovacuum_analyze_threshold, autovacuum_vacuum_cost_limit)");
  EXPECT_EQ(figures(dry("autovacuum")), (Figures{{"options", 13}}));
  EXPECT_EQ(figures(step("autovacuum")), (Figures{{"options", 13}}));
  EXPECT_EQ(query(options), of_the_schema) << "every one that the schema has is among those that are set";
}

TEST_P(MaintainIndexes, ABloatedIndexIsRebuiltAndOthersAreNot) {
  if (is_sqlite()) return;
  set("maintain.reindex_min_mb", 1);
  query("insert into hosts (host_key) select 'host number ' || i || repeat('.', 60) from generate_series(1, 40000) i");
  query("analyze hosts");
  EXPECT_EQ(step("indexes").outcome, StepOutcome::nothing) << "full, and not bloated";
  query("delete from hosts where id % 40 <> 0");
  query("vacuum analyze hosts");
  const auto before = size_of("hosts_host_key_key");
  ASSERT_GT(before, 2'000'000);
  EXPECT_GE(figures(dry("indexes"))["indexes rebuilt"], 1);
  EXPECT_EQ(size_of("hosts_host_key_key"), before);
  const auto report = step("indexes");
  EXPECT_GE(figures(report)["indexes rebuilt"], 1) << report.message.value_or("");
  EXPECT_GT(figures(report)["bytes given back"], before / 2);
  EXPECT_LT(size_of("hosts_host_key_key"), before / 4);
  query("analyze hosts");
  EXPECT_EQ(step("indexes").outcome, StepOutcome::nothing);
}

TEST_P(MaintainIndexes, WhatAKilledRebuildLeftIsDropped) {
  if (is_sqlite()) return;
  query("create index idx_hosts_created_at_ccnew on hosts (created_at)");
  query("create index idx_hosts_created_at_ccold1 on hosts (created_at)");
  query("create index idx_hosts_created_ccnew_at on hosts (created_at)");
  query(
      "update pg_index set indisvalid = false where indexrelid in ('idx_hosts_created_at_ccnew'::regclass,"
      " 'idx_hosts_created_at_ccold1'::regclass)");
  EXPECT_EQ(figures(dry("indexes")), (Figures{{"leftovers dropped", 2}}));
  EXPECT_EQ(figures(step("indexes")), (Figures{{"leftovers dropped", 2}}));
  EXPECT_EQ(query("select relname from pg_class where relname like 'idx_hosts_created%'"),
            std::vector<std::string>{"idx_hosts_created_ccnew_at"});
}

TEST_P(MaintainIndexes, AnInvalidOneThatNobodyBuildsIsNamed) {
  if (is_sqlite()) return;
  query("update pg_index set indisvalid = false where indexrelid = 'idx_users_role'::regclass");
  const auto report = step("indexes");
  EXPECT_EQ(report.outcome, StepOutcome::failed);
  EXPECT_THAT(report.message.value_or(""), HasSubstr("idx_users_role"));
  EXPECT_THAT(report.message.value_or(""), HasSubstr("reindex index concurrently"));
  query("reindex index concurrently idx_users_role");
  EXPECT_EQ(step("indexes").outcome, StepOutcome::nothing);
}

// A worker that logs in as a member of quarry_system does what rows need; tables are their owner's.
TEST_P(MaintainIndexes, WhoDoesNotOwnTheTablesIsToldSoAndTheRestIsDone) {
  if (is_sqlite()) return;
  const auto role = "worker_" + to_string(make_uuid_v7({}, db().random())).substr(24);
  query("create role " + role + " login in role quarry_system");
  auto url = database().url();
  const auto at = url.find("user=quarry");
  ASSERT_NE(at, std::string::npos) << "the tests' server is reached as quarry";
  url.replace(at, 11, "user=" + role);
  query("alter table hosts set (autovacuum_vacuum_threshold = 1)");
  ended_job(1);
  clock().advance(24h * 60);
  {
    const std::shared_ptr<const Clock> same(&clock(), [](const Clock*) {});
    const auto worker = Database::open(url, {.clock = same});
    const auto report = ops::maintain(worker, nullptr, {.pause_max = 0ms});
    std::vector<std::string> failed;
    for (const auto& step : report.steps) {
      if (step.outcome != StepOutcome::failed) continue;
      failed.push_back(step.step);
      EXPECT_THAT(step.remedy.value_or(""), HasSubstr("as the owner of the tables")) << step.step;
    }
    EXPECT_THAT(failed, testing::ElementsAre("audit-partitions", "autovacuum"));
    EXPECT_EQ(rows("task_queue"), 0) << "its work was done all the same";
  }
  query("drop owned by " + role);
  query("drop role " + role);
}

}  // namespace
}  // namespace quarry::test
