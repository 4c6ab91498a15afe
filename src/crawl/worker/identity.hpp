#pragma once
/// Who a worker is, so that its death can be noticed at once by others on the same machine.

#include <string>
#include <string_view>

#include "quarry/sql/database.hpp"

namespace quarry::crawl {

/// `host/pid/start`, where `start` is the process's start time in clock ticks since boot (proc(5), field 22): a pid that was
/// given to another process does not pass for the dead one.
std::string worker_identity();

/// Whether `identity` names a process of this machine that is no more.
bool is_dead_here(std::string_view identity);

/// Takes the tasks of workers that died on this machine, so that they need not wait for their leases to run out. A worker
/// that ended a task while it had the others was killed by somebody, and they are given back; one that never got anywhere
/// may have died of any of them, and that is a stall for each (`max_stalls`). Returns how many workers were found dead.
int bury_dead_workers(const Database& db);

}  // namespace quarry::crawl
