#pragma once
/// Fires what is due by the clock, from a thread of its own, as long as it lives.
///
/// Any number of programs may do so at once: each time of a schedule is fired once. Trouble with the database is logged, and
/// tried again.

#include <condition_variable>
#include <mutex>
#include <thread>

#include "quarry/sql/database.hpp"

namespace quarry::cli {

class ScheduleRunner {
 public:
  explicit ScheduleRunner(Database db);
  /// Waits for the transaction that is under way.
  ~ScheduleRunner();
  ScheduleRunner(const ScheduleRunner&) = delete;
  ScheduleRunner& operator=(const ScheduleRunner&) = delete;

 private:
  void run();
  void fire();

  Database db_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace quarry::cli
