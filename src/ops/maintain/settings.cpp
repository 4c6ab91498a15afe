#include "quarry/system/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "quarry/core/error.hpp"
#include "quarry/ops/maintain_settings.hpp"

namespace quarry::ops {
namespace {

constexpr std::int64_t days_max = 36'500;

constexpr std::array<MaintainSetting, 16> all_settings{{
    {"default_job_timeout", {}, 0, 31'536'000, "Seconds after which a job is given up; 0: never"},
    {"maintain.audit_months", 0, 0, 1'200, "Months for which the audit log is kept in its table; 0: for ever"},
    {"maintain.audit_months_ahead", 3, 0, 120, "Months for which the audit log's partitions are made ahead"},
    {"maintain.cache_mb", 1'024, 1, 1'048'576, "MB that the cache's table may hold"},
    {"maintain.deleted_days", 30, 0, days_max, "Days for which deleted users, jobs and artifacts can be brought back"},
    {"maintain.interval_minutes", 60, 0, 44'640, "Minutes between two runs by `quarry work`; 0: it does none"},
    {"maintain.limits_hours", 24, 1, 87'600, "Hours after which the rows of idle rate limits are forgotten"},
    {"maintain.logs_days", 30, 0, days_max, "Days for which the log lines of jobs are kept"},
    {"maintain.reindex_min_mb", 64, 1, 1'048'576, "MB from which on a bloated index is rebuilt (PostgreSQL)"},
    {"maintain.reindex_percent", 300, 150, 10'000, "Size of an index, in percent of what it needs, that makes it bloated"},
    {"maintain.sessions_days", 30, 0, days_max, "Days for which sessions are kept after their end"},
    {"maintain.tasks_days", 30, 0, days_max, "Days for which ended tasks are kept"},
    {"maintain.vacuum_free_percent", 20, 1, 99,
     "Free space, in percent of the file, from which on it is given back (SQLite)"},
    {"maintain.vacuum_min_mb", 4, 0, 1'048'576, "MB of free space below which nothing is given back (SQLite)"},
    {"maintain.webhooks_days", 180, 0, days_max, "Days for which the payment provider's processed messages are kept"},
    {"retention_days", {}, 0, days_max, "Days after which ended jobs are purged, with all that they found"},
}};
static_assert(std::ranges::is_sorted(all_settings, {}, &MaintainSetting::key));

}  // namespace

std::span<const MaintainSetting> maintain_settings() noexcept { return all_settings; }

std::optional<std::int64_t> maintain_setting(Read& tx, std::string_view key) {
  const auto found = std::ranges::find(all_settings, key, &MaintainSetting::key);
  if (found == all_settings.end()) throw_bug(fmt::format("'{}' is no setting of maintenance", key));
  const auto value = system::get_integer(tx, key);
  if (!value) return found->default_value;
  if (*value < found->least || *value > found->most)
    throw_invalid(fmt::format("setting '{}' is {}: it must be from {} to {}", key, *value, found->least, found->most));
  return value;
}

}  // namespace quarry::ops
