#pragma once
/// What the stores write into the audit log when somebody changes what matters: who may do what, what was deleted, what is
/// paid for. Wrong passwords, too.
///
///     system::record(tx, {.action = "user.role", .resource_type = "user", .resource_id = user.value,
///                         .details = Json{R"({"from":"user","to":"admin"})"}});
///
/// - `user.create`, `.update`, `.password`, `.role`, `.activate`, `.deactivate`, `.verify`, `.delete`, `.undelete`: a `user`
/// - `login.failed`, `login.locked`, `login.unlocked`: a `user`, when there is one
/// - `key.create`, `key.rotate`, `key.revoke`: an `api_key`
/// - `job.delete`, `job.undelete`, `job.purge`: a `job`
/// - `artifact.delete`, `artifact.undelete`, `artifact.purge`: an `artifact`; no id where many were purged at once, but
///   their number in the details
/// - `search.purge`: a `search`
/// - `plan.create`, `plan.update`: no resource, but `plan_id` in the details
/// - `subscription.create`, `subscription.change`: a `subscription`
///
/// It is `audit` (audit.hpp), unless the setting `enable_audit_logging` is false. What that setting does not switch off is
/// written by `audit` itself: changes of settings (this one among them), what maintenance and purging took away, and the
/// retirement of the log's own months. Nobody's name, address or secret stands in the details, which outlive their user.
///
/// On PostgreSQL the chain's lock is held from here to the commit: call it last. Errors and thread safety: as `audit`.

#include "quarry/system/audit.hpp"

namespace quarry::system {

/// False when it is switched off.
bool record(Write& tx, const AuditNote& note);
/// What was done to somebody's job, artifact or search, with whose it was, because it may be gone itself.
bool record_owned(Write& tx, std::string_view action, std::string_view resource_type, const Uuid& id, UserId owner);

}  // namespace quarry::system
