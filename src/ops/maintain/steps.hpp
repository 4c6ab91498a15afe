#pragma once
/// The steps, by theme; `run.cpp` has their order. Each does its work, or counts it in a dry run.

#include "ops/maintain/step.hpp"

namespace quarry::ops::upkeep {

// steps_audit.cpp
void make_partitions(Step& step);
void retire_partitions(Step& step);

// steps_work.cpp
void end_leases(Step& step);
void expire_reservations(Step& step);
void sync_periods(Step& step);
void roll_up_usage(Step& step);
void give_up_jobs(Step& step);

// steps_payments.cpp
void apply_payments(Step& step);

// steps_retention.cpp
void purge_jobs(Step& step);
void purge_tasks(Step& step);
void purge_logs(Step& step);
void purge_sessions(Step& step);
void purge_webhooks(Step& step);
using FindJobs = std::vector<JobId> (*)(Read&, Instant before, int limit);
/// Purges what `find` finds, until it finds nothing more that can be purged.
void purge_found_jobs(Step& step, Instant before, FindJobs find);

// steps_deleted.cpp
void purge_deleted_jobs(Step& step);
void purge_deleted_artifacts(Step& step);
void purge_deleted_users(Step& step);

// steps_storage.cpp
void sweep_limits(Step& step);
void trim_cache(Step& step);
void collect_bodies(Step& step);

// steps_space.cpp
void refresh_statistics(Step& step);
void give_back_space(Step& step);
void checkpoint_wal(Step& step);

// steps_postgres.cpp
void set_autovacuum(Step& step);

// steps_indexes.cpp
void rebuild_indexes(Step& step);

}  // namespace quarry::ops::upkeep
