/// The audit log's months: made before they begin, and detached when they are older than they are kept.

#include <algorithm>

#include "ops/maintain/calendar.hpp"
#include "ops/maintain/steps.hpp"
#include "quarry/system/audit_partitions.hpp"

namespace quarry::ops::upkeep {
namespace {

constexpr std::string_view one_table = "on SQLite the audit log is one table, which only grows";

constexpr sql::Query<std::int64_t(Instant)> count_old_entries{"maintain.count_old_entries",
                                                              "select count(*) from audit_logs where created_at < $1"};

/// Who reads the whole log holds up whoever changes its partitions, and that one everybody else: better to come again.
void do_not_wait_long(Write& tx) { tx.session().run_script("maintain.lock_timeout", "set local lock_timeout = '2s'"); }

/// Months that have no partition of their own.
std::int64_t missing_months(const std::vector<system::AuditPartition>& there, Instant now, int ahead) {
  std::int64_t missing = 0;
  for (int i = 0; i <= ahead; ++i) {
    const auto from = start_of_month(now, i);
    if (std::ranges::none_of(there, [&](const auto& partition) { return partition.from == from; })) ++missing;
  }
  return missing;
}

}  // namespace

void make_partitions(Step& step) {
  if (step.is_sqlite()) return step.skip(std::string(one_table));
  const auto ahead = static_cast<int>(step.setting("maintain.audit_months_ahead").value_or(0));
  const auto there = step.db().read([](Read& tx) { return system::audit_partitions(tx); });
  const auto missing = missing_months(there, step.db().now(), ahead);
  if (missing == 0) return;
  if (step.dry_run()) return step.count("partitions", missing);
  const auto ensured = step.transaction([&](Write& tx) {
    do_not_wait_long(tx);
    return system::ensure_audit_partitions(tx, ahead);
  });
  step.count("partitions", std::ssize(ensured.made));
  if (!ensured.left_to_default.empty())
    step.say("the default partition has entries of this month already, which stay there until they are retired");
}

void retire_partitions(Step& step) {
  if (step.is_sqlite()) return step.skip(std::string(one_table));
  const auto months = static_cast<int>(step.setting("maintain.audit_months").value_or(0));
  if (months == 0) return step.skip("setting 'maintain.audit_months' is 0: the audit log is kept in its table");
  const auto before = start_of_month(step.db().now(), -months);
  if (step.dry_run()) {
    const auto there = step.db().read([](Read& tx) { return system::audit_partitions(tx); });
    step.count("partitions", std::ranges::count_if(there, [&](const auto& partition) {
                 return !partition.is_empty && partition.until && *partition.until <= before;
               }));
    return step.count("entries", step.look(count_old_entries, before));
  }
  std::string tables;
  while (const auto retired = step.transaction([&](Write& tx) {
    do_not_wait_long(tx);
    return system::retire_audit_partition(tx, before);
  })) {
    step.count("partitions", 1);
    step.count("entries", retired->last - retired->first + 1);
    tables += (tables.empty() ? "" : ", ") + retired->table;
  }
  if (!tables.empty()) step.say("retired, to be dumped and dropped by the operator: " + tables);
}

}  // namespace quarry::ops::upkeep
