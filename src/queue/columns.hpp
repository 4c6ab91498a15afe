#pragma once
/// The columns of a `Task`, a `Host` and a `Schedule`, for every query that reads one, and what the schema lets a host's key
/// be.

#include <cstddef>

#define QUARRY_TASK_COLUMNS                                                                           \
  "id, queue_id, user_id, job_id, task_type, payload, status, priority, scheduled_at, rank, host_id," \
  " unique_key, lease_token, lease_until, worker, retry_count, max_retries, stall_count, max_stalls," \
  " cancel_requested, error_message, result, created_at, started_at, completed_at"

#define QUARRY_HOST_COLUMNS \
  "id, host_key, delay_ms, max_in_flight, in_flight, pending, next_at, blocked_until, backoff_count"

#define QUARRY_SCHEDULE_COLUMNS                                                           \
  "id, user_id, name, cron, queue, task_type, payload, job_config, priority, is_enabled," \
  " overlap_policy, misfire_policy, next_run_at, last_run_at, last_job_id, last_task_id"

namespace quarry::queue {

inline constexpr std::size_t host_key_max = 300;  ///< bytes

}  // namespace quarry::queue
