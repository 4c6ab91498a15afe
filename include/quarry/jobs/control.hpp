#pragma once
/// What people do to jobs.
///
/// `cancel`, `pause`, `resume` and `retry` change the job first and then at most `limit` of its tasks, so that no
/// transaction grows without bound: call again, in a transaction of its own, while the result is not `done`
/// (`queue::until_done`). Calling again when it is done changes nothing.
///
/// Errors: `not_found`; `conflict` for a move that the state machine does not have, naming both states.

#include <cstdint>
#include <optional>
#include <string>

#include "quarry/jobs/job.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::jobs {

/// How many tasks a call has moved, and whether anything is left to move.
using queue::Moved;

/// The job is cancelled at once. Tasks that run are asked to stop; the others will not run.
Moved cancel(Write& tx, JobId job, int limit = queue::move_limit);

/// What is under way goes on; nothing more of the job is started until `resume`.
Moved pause(Write& tx, JobId job, int limit = queue::move_limit);
/// Undoes `pause`.
Moved resume(Write& tx, JobId job, int limit = queue::move_limit);

/// Tries the job's failed and dead tasks again; an ended job runs again, as its next `attempt`. Each task's attempts stay on
/// record (`queue::attempts_of`), and how the job's last one ended stands in its log. A job whose tasks have
/// all succeeded is a `conflict`, and so is a cancelled one.
Moved retry(Write& tx, JobId job, int limit = queue::move_limit);

/// For jobs that end otherwise than with their last task (their seed was refused, say): what waits for the job goes on then,
/// as after a last task. `error` is kept with the job. A job with open tasks is completed or failed by them alone,
/// `conflict`; one that becomes cancelled here wants `cancel` besides, which stops them.
void change_status(Write& tx, JobId job, JobStatus to, const std::optional<std::string>& error = {});

}  // namespace quarry::jobs
