#include "quarry/system/record.hpp"

#include <fmt/format.h>

namespace quarry::system {
namespace {

constexpr sql::Query<std::string()> find_switch{
    "system.find_audit_switch",
    "select value from system_config where key = 'enable_audit_logging' and type = 'boolean' and value is not null"};

// A tenant's role reads no settings. What it may not see, it may not learn from here either: only whether its deeds are
// recorded. Both statements hold for this transaction, and its end or a savepoint's takes them back.
constexpr sql::Command<std::string()> leave_tenant{"system.leave_tenant", sql::sqlite("select ''"),
                                                   sql::postgres("select set_config('role', 'none', true)")};
constexpr sql::Command<std::string()> enter_tenant{"system.enter_tenant", sql::sqlite("select ''"),
                                                   sql::postgres("select set_config('role', 'quarry_tenant', true)")};

bool is_switched_on(Write& tx) {
  const bool as_tenant = tx.engine() == Engine::postgres && !tx.actor().sees_all();
  if (as_tenant) tx.value(leave_tenant);
  const auto value = tx.one(find_switch);
  if (as_tenant) tx.value(enter_tenant);
  return value.value_or("true") != "false";
}

}  // namespace

bool record(Write& tx, const AuditNote& note) {
  if (!is_switched_on(tx)) return false;
  audit(tx, note);
  return true;
}

bool record_owned(Write& tx, std::string_view action, std::string_view resource_type, const Uuid& id, UserId owner) {
  return record(tx, {.action = std::string(action),
                     .resource_type = std::string(resource_type),
                     .resource_id = id,
                     .details = Json{fmt::format(R"({{"user_id":"{}"}})", to_string(owner))}});
}

}  // namespace quarry::system
