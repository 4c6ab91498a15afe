#pragma once
/// What the operator's settings allow, for programs that act for users. `quarry seed` makes the settings; one that is not
/// there allows everything.
///
/// - `allowed_file_types`: files of these types, such as `["html","pdf"]`; the crawl worker stores no others.
/// - `max_file_size_mb`: files up to this size; larger ones fail.
/// - `max_artifacts_per_job`: as many artifacts of one job; then no more pages are asked for.
/// - `max_jobs_per_user`: as many open jobs of one user; whoever submits, crawls or searches, and schedules.
/// - `enable_rate_limiting`, `rate_limit_requests`, `rate_limit_window_minutes`: API calls; `quarry limit take`, unless it
/// is
///   told otherwise.
/// - `session_idle_minutes`, `session_max_hours`, `login_failures_max`, `login_lock_minutes`: logins and what they open;
///   `quarry session open`.
///
/// The others of the seeded settings are obeyed by the stores and by maintenance: `enable_audit_logging`
/// (system/record.hpp), `default_job_timeout` and `retention_days` (ops/maintain.hpp).
///
/// For the system and admins. Errors: `denied` for others; `invalid` for a setting of another type or out of its bounds,
/// naming it. Thread safety: that of the transaction; values.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/accounts/login.hpp"
#include "quarry/limits/gcra.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::ops {

struct Policy {
  std::optional<std::vector<std::string>> file_types{};  ///< small letters; nothing: all
  std::optional<std::int64_t> file_bytes_max{};
  std::optional<std::int64_t> artifacts_per_job_max{};
  std::optional<int> open_jobs_max{};
  /// Of each endpoint, for each user; nothing: not limited. 100 in 15 minutes unless a setting says otherwise.
  std::optional<limits::Limit> api_calls{};
};
/// The settings as they are now.
Policy read_policy(Read& tx);

/// How somebody logs in, and for how long: the defaults of `accounts::LoginRules`, unless a setting says otherwise.
accounts::LoginRules read_login_rules(Read& tx);

/// Throws `invalid` when `key` names one of these settings and it is of another type or out of its bounds: for whoever has
/// just set it, in the same transaction. Other settings are nobody's business here.
void check_policy_setting(Read& tx, std::string_view key);

/// The type of a file in the setting's words (`html`, `pdf`, `jpg`), by its media type, or where that says nothing by the
/// end of its path; `bin` when neither does.
std::string file_type_of(std::string_view media_type, std::string_view path);
/// Whether a file of this type may be stored. `jpeg` and `jpg` are the same, and so are `htm` and `html`.
bool allows_file_type(const Policy& policy, std::string_view file_type);

}  // namespace quarry::ops
