#include "quarry/system/audit.hpp"

namespace quarry::system {
namespace {

constexpr store::ListOf<AuditEntry> entries_sqlite{
    "system.list_audit",
    "id, chain_seq, created_at, user_id, action, resource_type, resource_id, details, ip_address, user_agent, "
    "lower(hex(hash)) as hash",
    "audit_logs"};
constexpr store::ListOf<AuditEntry> entries_postgres{
    "system.list_audit",
    "id, chain_seq, created_at, user_id, action, resource_type, resource_id, details, abbrev(ip_address) as ip_address, "
    "user_agent, encode(hash, 'hex') as hash",
    "audit_logs"};

const store::ListOf<AuditEntry>& entries(Engine engine) {
  return engine == Engine::sqlite ? entries_sqlite : entries_postgres;
}

constexpr store::Order<AuditEntry> by_number{"chain_seq", "chain_seq",
                                             [](const AuditEntry& entry) { return store::key(entry.chain_seq); }};

/// The filter as a WHERE clause. Owns the pattern that the clause refers to.
struct WantedEntries {
  std::string prefix;
  store::Conditions where;

  WantedEntries(Read& tx, const AuditFilter& filter) {
    where.owned(tx.actor(), "user_id");
    if (filter.user_id) where.add("user_id = {}", *filter.user_id);
    if (filter.action) where.add("action = {}", *filter.action);
    if (filter.action_prefix) {
      prefix = store::like_prefix(*filter.action_prefix);
      where.add("action like {} escape '\\'", prefix);
    }
    if (filter.resource_type) where.add("resource_type = {}", *filter.resource_type);
    if (filter.resource_id) where.add("resource_id = {}", *filter.resource_id);
    if (filter.since) where.add("created_at >= {}", *filter.since);
    if (filter.until) where.add("created_at < {}", *filter.until);
  }
  WantedEntries(const WantedEntries&) = delete;
  WantedEntries& operator=(const WantedEntries&) = delete;
};

}  // namespace

Page<AuditEntry> list_audit(Read& tx, const AuditFilter& filter, const PageRequest& page, store::Direction direction) {
  const WantedEntries wanted(tx, filter);
  return store::list(tx, entries(tx.engine()), by_number, direction, wanted.where, page);
}

std::int64_t count_audit(Read& tx, const AuditFilter& filter) {
  const WantedEntries wanted(tx, filter);
  return store::count(tx, entries(tx.engine()), wanted.where);
}

}  // namespace quarry::system
