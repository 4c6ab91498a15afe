#pragma once
/// A user's tasks that belong to no job, taken away before their user is.
///
/// The cascade of a user's deletion would take them too, but not from the figures of their queues and hosts.
///
/// Errors: `denied` for anybody but the system and admins. Thread safety: that of the transaction.

#include <cstdint>

#include "quarry/queue/control.hpp"

namespace quarry::queue {

struct TasksOfUser {
  std::int64_t removed = 0;
  std::int64_t running = 0;  ///< still with a worker; asked to stop
};

/// Cancels those that wait, asks those that run to stop, and deletes at most `limit` that have ended, with their attempts:
/// call again while `removed` equals it. What runs is removed once its worker, or the end of its lease, has ended it.
TasksOfUser remove_tasks_of_user(Write& tx, UserId user, int limit = move_limit);

}  // namespace quarry::queue
