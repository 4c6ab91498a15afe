#include "conformance/maintain/maintain_test.hpp"
#include "quarry/system/audit_partitions.hpp"
#include "support/postgres_admin.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class MaintainAudit : public MaintainTest {
 protected:
  void note() {
    db().write([](Write& tx) { system::audit(tx, {.action = "act"}); });
  }
  void go_to(const char* time) { clock().set(parse_iso8601(time)); }
  system::ChainReport verify() {
    return db().read([](Read& tx) { return system::verify_audit(tx); });
  }
};
QUARRY_BOTH_ENGINES(MaintainAudit);

TEST_P(MaintainAudit, MonthsAreMadeAheadOnce) {
  const auto foretold = dry("audit-partitions"), made = step("audit-partitions");
  if (is_sqlite()) {
    EXPECT_EQ(made.outcome, StepOutcome::skipped);
    return;
  }
  EXPECT_EQ(figures(foretold), (Figures{{"partitions", 4}}));
  EXPECT_EQ(figures(made), (Figures{{"partitions", 4}}));
  EXPECT_EQ(step("audit-partitions").outcome, StepOutcome::nothing);
  go_to("2026-04-01T00:00:00Z");
  set("maintain.audit_months_ahead", 5);
  EXPECT_EQ(figures(step("audit-partitions")), (Figures{{"partitions", 3}}));
}

TEST_P(MaintainAudit, OldMonthsAreRetiredAndTheChainStillVerifies) {
  for (const char* day : {"2026-03-05T00:00:00Z", "2026-04-05T00:00:00Z", "2026-05-05T00:00:00Z", "2026-06-05T00:00:00Z"}) {
    go_to(day);
    step("audit-partitions");
    note();
    note();
  }
  EXPECT_EQ(step("audit-retire").outcome, StepOutcome::skipped) << "for ever, unless a setting says otherwise";
  set("maintain.audit_months", 1);
  const auto foretold = dry("audit-retire"), retired = step("audit-retire");
  if (is_sqlite()) {
    EXPECT_EQ(retired.outcome, StepOutcome::skipped);
  } else {
    EXPECT_EQ(figures(foretold), (Figures{{"partitions", 2}, {"entries", 4}}));
    EXPECT_EQ(figures(retired), (Figures{{"partitions", 2}, {"entries", 4}}));
    EXPECT_THAT(retired.message.value_or(""), HasSubstr("audit_logs_2026_03, audit_logs_2026_04"));
    EXPECT_EQ(rows("audit_logs_2026_03"), 2) << "it is still there, as a table of its own";
    EXPECT_EQ(verify().retired, 4);
    EXPECT_EQ(rows("audit_logs where action = 'audit.retire'"), 2);
    EXPECT_EQ(step("audit-retire").outcome, StepOutcome::nothing);
  }
  EXPECT_TRUE(verify().intact());
  note();
  EXPECT_TRUE(verify().intact());
}

TEST_P(MaintainAudit, ALongReaderIsNotWaitedFor) {
  if (is_sqlite()) GTEST_SKIP() << "there are no partitions";
  AdminConnection reader(database().url());
  reader.run("begin");
  reader.run("lock table audit_logs in access share mode");
  const auto report = step("audit-partitions");
  EXPECT_EQ(report.outcome, StepOutcome::failed);
  EXPECT_THAT(report.remedy.value_or(""), HasSubstr("quarry maintain --only audit-partitions"));
  reader.run("rollback");
  EXPECT_EQ(step("audit-partitions").outcome, StepOutcome::done);
}

}  // namespace
}  // namespace quarry::test
