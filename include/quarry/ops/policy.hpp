#pragma once
/// What the operator's settings allow, for programs that act for users. `quarry seed` makes the settings; one that is not
/// there allows everything.
///
/// | setting                      | allows                                                     | obeyed by |
/// |------------------------------|------------------------------------------------------------|------------------------------------------|
/// | `allowed_file_types`         | files of these types: `["html","pdf"]`                     | the crawl worker: others
/// are not stored  | | `max_file_size_mb`           | files up to this size                                      | the crawl
/// worker: larger ones fail       | | `max_artifacts_per_job`      | as many artifacts of one job | the crawl worker: no
/// more pages are asked for | | `max_jobs_per_user`          | as many open jobs of one user                              |
/// submitting, crawling, searching, schedules | | `enable_rate_limiting`, `rate_limit_requests`, `rate_limit_window_minutes`
/// | API calls             | `quarry limit take`, when it is not told otherwise |
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

/// The type of a file in the setting's words (`html`, `pdf`, `jpg`), by its media type, or where that says nothing by the
/// end of its path; `bin` when neither does.
std::string file_type_of(std::string_view media_type, std::string_view path);
/// Whether a file of this type may be stored. `jpeg` and `jpg` are the same, and so are `htm` and `html`.
bool allows_file_type(const Policy& policy, std::string_view file_type);

}  // namespace quarry::ops
