#include "quarry/system/audit_partitions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "quarry/core/error.hpp"
#include "quarry/system/audit.hpp"
#include "system/audit_record.hpp"
#include "system/setting_rows.hpp"

namespace quarry::system {
namespace {

using std::chrono::year_month;

constexpr int months_ahead_max = 120;
constexpr std::string_view default_partition = "audit_logs_default";

constexpr sql::Query<std::string()> partition_names{
    "system.audit_partitions", sql::sqlite("select name from sqlite_schema where 0"),
    sql::postgres("select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid"
                  " where i.inhparent = 'audit_logs'::regclass order by c.relname = 'audit_logs_default', c.relname")};
constexpr sql::Query<bool(Instant, Instant)> default_has{
    "system.audit_default_has", sql::sqlite("select $1 > $2"),
    sql::postgres("select exists (select from audit_logs_default where created_at >= $1 and created_at < $2)")};
constexpr sql::Command<std::string()> lock_chain_for_change{
    "system.lock_audit_chain_for_change", sql::sqlite("select ''"),
    sql::postgres("select 'held' from (select pg_advisory_xact_lock(7237970109966541)) held")};

Instant start_of(year_month month) {
  const auto day = std::chrono::sys_days(month / 1);
  return {std::chrono::duration_cast<std::chrono::microseconds>(day.time_since_epoch()).count()};
}

year_month month_of(Instant at) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(at.us)};
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  return day.year() / day.month();
}

std::string name_of(year_month month) {
  return fmt::format("audit_logs_{:04}_{:02}", static_cast<int>(month.year()), static_cast<unsigned>(month.month()));
}

/// The month that `name_of` made the name of.
std::optional<year_month> month_of_name(const std::string& name) {
  int year = 0;
  unsigned month = 0;
  if (std::sscanf(name.c_str(), "audit_logs_%4d_%2u", &year, &month) != 2) return std::nullopt;
  const auto found = std::chrono::year(year) / std::chrono::month(month);
  if (!found.ok() || name_of(found) != name) return std::nullopt;
  return found;
}

struct Extent {
  std::optional<std::int64_t> first, last;
  std::optional<Instant> newest;
  std::optional<Bytes> hash;
};
BOOST_DESCRIBE_STRUCT(Extent, (), (first, last, newest, hash))

/// Of a partition's entries. `name` comes from the catalogue and is one of ours.
Extent extent_of(Read& tx, const std::string& name) {
  const auto text = fmt::format(
      "select min(chain_seq) as first, max(chain_seq) as last, max(created_at) as newest,"
      " (select hash from {0} order by chain_seq desc limit 1) as hash from {0}",
      name);
  return tx.value(sql::Query<Extent()>("system.audit_extent", text));
}

/// As the parent: the policies bind who reads a partition by its own name.
void make_partition(Write& tx, const std::string& name, const std::string& bounds) {
  tx.session().run_script(
      "system.make_audit_partition",
      fmt::format("create table {0} partition of audit_logs {1};"
                  "alter table {0} enable row level security;"
                  "alter table {0} force row level security;"
                  "create policy {0}_system on {0} to quarry_system using (true) with check (true);"
                  "create policy {0}_tenant on {0} to quarry_tenant"
                  " using (user_id = (select quarry_actor())) with check (user_id = (select quarry_actor()));"
                  "grant select, insert, update, delete on {0} to quarry_system;"
                  "grant select, insert on {0} to quarry_tenant;"
                  "create trigger audit_logs_no_truncate before truncate on {0}"
                  " for each statement execute function keep_audit_logs()",
                  name, bounds));
}

/// The triggers on rows are the parent's, and go with it.
void detach(Write& tx, const std::string& name, const std::string& table) {
  tx.session().run_script("system.detach_audit_partition",
                          fmt::format("alter table audit_logs detach partition {0};"
                                      "create trigger audit_logs_append_only before update or delete on {0}"
                                      " for each row execute function keep_audit_logs()",
                                      name));
  if (table != name)
    tx.session().run_script("system.rename_audit_partition", fmt::format("alter table {} rename to {}", name, table));
}

}  // namespace

std::vector<AuditPartition> audit_partitions(Read& tx) {
  require_system(tx.actor(), "partitions of the audit log");
  std::vector<AuditPartition> partitions;
  for (auto& name : tx.all(partition_names)) {
    const auto month = month_of_name(name);
    if (!month && name != default_partition) continue;  // an operator's own
    AuditPartition partition{.name = std::move(name), .from = {}, .until = {}};
    if (month) {
      partition.from = start_of(*month);
      partition.until = start_of(*month + std::chrono::months(1));
    }
    partition.is_empty = !extent_of(tx, partition.name).first;
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

EnsuredPartitions ensure_audit_partitions(Write& tx, int months_ahead) {
  require_system(tx.actor(), "partitions of the audit log");
  if (months_ahead < 0 || months_ahead > months_ahead_max)
    throw_invalid(fmt::format("partitions are made 0 to {} months ahead", months_ahead_max));
  EnsuredPartitions result;
  if (tx.engine() == Engine::sqlite) return result;
  tx.value(lock_chain_for_change);
  const auto there = tx.all(partition_names);
  for (int i = 0; i <= months_ahead; ++i) {
    const auto month = month_of(tx.now()) + std::chrono::months(i);
    const auto name = name_of(month);
    const auto from = start_of(month);
    const auto until = start_of(month + std::chrono::months(1));
    if (std::ranges::find(there, name) != there.end()) continue;
    if (tx.value(default_has, from, until)) {
      result.left_to_default.push_back(name);
      continue;
    }
    make_partition(tx, name, fmt::format("for values from ('{}') to ('{}')", to_iso8601(from), to_iso8601(until)));
    result.made.push_back(name);
  }
  return result;
}

std::optional<RetiredPartition> retire_audit_partition(Write& tx, Instant before) {
  require_system(tx.actor(), "partitions of the audit log");
  if (tx.engine() == Engine::sqlite) return std::nullopt;
  if (before > tx.now()) throw_invalid("entries of the future cannot be retired");
  tx.value(lock_chain_for_change);
  std::string oldest;
  Extent extent;
  for (const auto& partition : audit_partitions(tx)) {
    if (partition.is_empty) continue;
    auto found = extent_of(tx, partition.name);
    if (oldest.empty() || found.first < extent.first) {
      oldest = partition.name;
      extent = std::move(found);
    }
  }
  if (oldest.empty() || !(extent.newest < before)) return std::nullopt;
  // The entry that tells of it must not go with it.
  if (!(extent.newest < start_of(month_of(tx.now())))) return std::nullopt;
  ensure_audit_partitions(tx, 0);
  RetiredPartition retired{oldest, *extent.first, *extent.last, to_hex(*extent.hash)};
  if (oldest == default_partition) retired.table = fmt::format("audit_logs_from_{}_to_{}", retired.first, retired.last);
  // The new entry comes first: it carries the hash of the newest one, which may be among those that go.
  audit(tx, {.action = "audit.retire",
             .resource_type = "audit_logs",
             .details = Json{fmt::format(R"({{"table":"{}","first":{},"last":{},"hash":"{}"}})", retired.table,
                                         retired.first, retired.last, retired.hash)}});
  detach(tx, oldest, retired.table);
  if (oldest == default_partition) make_partition(tx, std::string(default_partition), "default");
  return retired;
}

}  // namespace quarry::system
