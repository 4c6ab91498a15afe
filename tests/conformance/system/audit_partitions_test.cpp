#include "quarry/system/audit_partitions.hpp"

#include "conformance/system/system_test.hpp"
#include "support/postgres_admin.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

class AuditPartitions : public SystemTest {
 protected:
  system::EnsuredPartitions ensure(int months_ahead) {
    return db().write([&](Write& tx) { return system::ensure_audit_partitions(tx, months_ahead); });
  }
  std::vector<system::AuditPartition> partitions() {
    return db().read([](Read& tx) { return system::audit_partitions(tx); });
  }
  std::optional<system::RetiredPartition> retire(Instant before) {
    return db().write([&](Write& tx) { return system::retire_audit_partition(tx, before); });
  }
  std::vector<std::string> query(const std::string& sql) { return run_on_postgres(database().url(), sql); }
};
QUARRY_BOTH_ENGINES(AuditPartitions);

using Names = std::vector<std::string>;

TEST_P(AuditPartitions, AreMadeAheadAndOnce) {
  const auto made = ensure(2).made;
  EXPECT_EQ(made, is_sqlite() ? Names{} : (Names{"audit_logs_2026_03", "audit_logs_2026_04", "audit_logs_2026_05"}));
  EXPECT_EQ(ensure(2).made, Names{});
  clock().advance(31 * 24h);
  EXPECT_EQ(ensure(2).made, is_sqlite() ? Names{} : Names{"audit_logs_2026_06"});
  EXPECT_EQ(code_of([&] { ensure(-1); }), ErrorCode::invalid);
  EXPECT_EQ(
      code_of([&] { db().write({.actor = Actor::user(ada_)}, [](Write& tx) { system::ensure_audit_partitions(tx); }); }),
      ErrorCode::denied);
  if (is_sqlite()) return;
  const auto all = partitions();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0].from, parse_iso8601("2026-03-01T00:00:00Z"));
  EXPECT_EQ(all[0].until, parse_iso8601("2026-04-01T00:00:00Z"));
  EXPECT_EQ(all[4].name, "audit_logs_default");
}

TEST_P(AuditPartitions, TheChainGoesAcrossThem) {
  ensure(1);
  for (int month = 0; month < 4; ++month) {
    audit({.action = "act"});
    audit({.action = "act"}, Actor::user(ada_));
    clock().advance(31 * 24h);
  }
  const auto report = verify();
  EXPECT_TRUE(report.intact()) << report.breaks.at(0).message;
  EXPECT_EQ(report.checked, 8);
  EXPECT_EQ(entries({}, Actor::user(ada_)).size(), 4U);
  if (is_sqlite()) return;
  EXPECT_EQ(query("select count(*) from audit_logs_2026_03"), Names{"2"});
  EXPECT_EQ(query("select count(*) from audit_logs_default"), Names{"4"}) << "months without a partition of their own";
}

TEST_P(AuditPartitions, AMonthThatTheDefaultHasEntriesOfStaysThere) {
  audit({.action = "act"});
  const auto ensured = ensure(1);
  if (is_sqlite()) return;
  EXPECT_EQ(ensured.left_to_default, Names{"audit_logs_2026_03"});
  EXPECT_EQ(ensured.made, Names{"audit_logs_2026_04"});
  audit({.action = "act"});
  EXPECT_TRUE(verify().intact());
}

TEST_P(AuditPartitions, AreGuardedAsTheirParent) {
  ensure(0);
  if (is_sqlite()) return;
  audit({.action = "act", .user_id = ada_});
  audit({.action = "act", .user_id = bob_});
  for (const auto* sql : {"update audit_logs_2026_03 set action = 'x'", "delete from audit_logs_2026_03",
                          "truncate audit_logs_2026_03", "truncate audit_logs"})
    EXPECT_ANY_THROW(tamper(sql)) << sql;
  EXPECT_EQ(query("select relrowsecurity and relforcerowsecurity from pg_class where relname = 'audit_logs_2026_03'"),
            Names{"t"});
  const auto seen_by_ada = db().read({.actor = Actor::user(ada_)}, [](Read& tx) {
    return tx.value(sql::Query<std::int64_t()>("test.count", std::string("select count(*) from audit_logs_2026_03")));
  });
  EXPECT_EQ(seen_by_ada, 1) << "by its own name, too";
}

TEST_P(AuditPartitions, AnOldMonthIsRetiredAndTheRestStillVerifies) {
  ensure(3);
  const auto march_end = [&] {
    audit({.action = "march"});
    return audit({.action = "march"});
  }();
  clock().advance(31 * 24h);
  audit({.action = "april"});
  const auto april = clock().now();
  EXPECT_EQ(code_of([&] { retire(april + 24h); }), is_sqlite() ? std::nullopt : std::optional(ErrorCode::invalid));
  const auto retired = retire(april);
  if (is_sqlite()) {
    EXPECT_FALSE(retired);
    return;
  }
  ASSERT_TRUE(retired);
  EXPECT_EQ(retired->table, "audit_logs_2026_03");
  EXPECT_EQ(retired->first, 1);
  EXPECT_EQ(retired->last, 2);
  EXPECT_EQ(retired->hash, march_end.hash);
  const auto report = verify();
  EXPECT_TRUE(report.intact()) << report.breaks.at(0).message;
  EXPECT_EQ(report.retired, 2);
  EXPECT_EQ(report.checked, 2) << "april, and the entry that vouches";
  EXPECT_EQ(entries()[0].action, "audit.retire");
  EXPECT_FALSE(retire(april)) << "this month stays";
  EXPECT_EQ(query("select count(*) from audit_logs_2026_03"), Names{"2"}) << "for the operator to dump";
  EXPECT_ANY_THROW(tamper("delete from audit_logs_2026_03"));
  tamper("drop table audit_logs_2026_03");
  EXPECT_TRUE(verify(march_end).intact()) << "its last entry is still vouched for";
}

TEST_P(AuditPartitions, ABeginningThatNobodyVouchesForIsMissing) {
  ensure(3);
  if (is_sqlite()) return;
  audit({.action = "march"});
  clock().advance(31 * 24h);
  audit({.action = "april"});
  tamper("alter table audit_logs detach partition audit_logs_2026_03");
  const auto report = verify();
  ASSERT_EQ(report.faults, 1);
  EXPECT_EQ(report.breaks[0].fault, system::ChainFault::missing);
}

TEST_P(AuditPartitions, TheDefaultOneIsRetiredToo) {
  audit({.action = "march"});
  clock().advance(40 * 24h);
  const auto retired = retire(clock().now());
  if (is_sqlite()) return;
  ASSERT_TRUE(retired);
  EXPECT_EQ(retired->table, "audit_logs_from_1_to_1");
  audit({.action = "april"});
  EXPECT_TRUE(verify().intact());
  EXPECT_EQ(partitions().back().name, "audit_logs_default");
  EXPECT_TRUE(partitions().back().is_empty);
  EXPECT_ANY_THROW(tamper("truncate audit_logs_default"));
}

// Who is nobody to this database reads the chain's end by no way, and a temporary table of the same name deceives nobody.
TEST_P(AuditPartitions, TheEndIsReadWithTheOwnersEyes) {
  if (is_sqlite()) return;
  const auto end = audit({.action = "act"});
  EXPECT_EQ(query("select has_function_privilege('public', 'quarry_audit_head()', 'execute')"), Names{"f"});
  AdminConnection connection(database().url());
  connection.run("create temp table audit_logs (chain_seq bigint, hash bytea, created_at timestamptz)");
  connection.run("insert into audit_logs values (77, '\\x00', now())");
  EXPECT_EQ(connection.run("select chain_seq from quarry_audit_head()"), Names{std::to_string(end.seq)});
}

}  // namespace
}  // namespace quarry::test
