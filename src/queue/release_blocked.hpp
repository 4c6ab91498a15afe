#pragma once
/// Dependencies through the job: tasks of a job that depends on another one are `blocked` until that one has ended.

#include "queue/transition.hpp"

namespace quarry::queue {

/// Lets the tasks of every job that depends on `ended` run, and wakes the workers. The caller notes them in its effects.
std::vector<MovedTask> release_jobs_that_waited_for(Write& tx, JobId ended);

}  // namespace quarry::queue
