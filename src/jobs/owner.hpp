#pragma once
/// Whose a job is, for what is reached through its id alone.

#include "quarry/jobs/job.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::jobs {

/// Throws `not_found` for a job that the actor does not see. Costs nothing where the actor sees everything.
void require_seen(Read& tx, JobId job);

[[noreturn]] void throw_no_job(JobId job);

}  // namespace quarry::jobs
