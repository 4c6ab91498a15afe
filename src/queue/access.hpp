#pragma once
/// What the transaction's actor may see and do in the queue. Workers and operators act as the system, where none of this
/// costs anything.

#include <string_view>

#include "quarry/queue/task.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::queue {

/// Whether the task, or the job, is there and the actor's to see. Always true for those who see everything, without a look.
bool sees_task(Read& tx, TaskId task);
bool sees_job(Read& tx, JobId job);

/// Throws `denied` for a user: `what` concerns everybody's work.
void require_sees_all(const Read& tx, std::string_view what);

/// Throws `invalid` unless a page of a list may have so many rows.
void check_list_limit(int limit);

}  // namespace quarry::queue
