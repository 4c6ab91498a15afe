#pragma once
/// The columns of a `Job`, for every query that reads one.

#define QUARRY_JOB_COLUMNS                                                                                                \
  "id, user_id, job_type, title, description, keywords, expanded_keywords, config, schema_version, status, priority, "    \
  "progress, attempt, total_items,"                                                                                       \
  " processed_items, failed_items, results_count, open_tasks, bytes_fetched, depends_on_job_id, search_id, scraper_name," \
  " error_message, cancel_requested_at, is_paused, scheduled_at, started_at, completed_at, created_at, updated_at"
