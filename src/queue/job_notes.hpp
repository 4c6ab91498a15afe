#pragma once
/// The lines of a job's log that say when it began, went on and ended: one row each, in the transaction that does it.
/// Whoever ends a job writes the figures that it ended with, so that they stand there even when a retry changes them later.
///
/// An attempt begins once, and a line that is the newest of its job already is not written again. Errors and thread safety:
/// those of the transaction.

#include "quarry/queue/task.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

/// Its first task was handed out.
void note_job_began(Write& tx, JobId job, Instant now);
/// It had ended, and tasks of it are tried again.
void note_job_goes_on(Write& tx, JobId job, Instant now);
/// Its last task has ended, or was cancelled. After the job's row has its last figures.
void note_job_ended(Write& tx, JobId job, Instant now);

}  // namespace quarry::queue
