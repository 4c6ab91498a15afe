#pragma once
/// How far a crawl is, while it runs: one line that is written over on a terminal, a plain line every few seconds otherwise.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "cli/console.hpp"

namespace quarry::cli {

struct ProgressFigures {
  std::int64_t done = 0;   ///< pages
  std::int64_t known = 0;  ///< pages, the done ones included; 0 when nobody knows
  std::int64_t bytes = 0;
  std::int64_t errors = 0;
  std::string waits = {};  ///< why nothing gets done, when nothing does
};

/// Pages per second over the last few seconds, so that a pause shows.
class Speed {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  void add(TimePoint at, std::int64_t done);
  double per_second() const;

 private:
  std::deque<std::pair<TimePoint, std::int64_t>> samples_;
};

/// `123 of 1058 pages, 412 pages/s, 12.3 MB, 0 errors`, or `123 of 1058 pages, 0 errors: ` and what is waited for.
std::string progress_line(const ProgressFigures& figures, double per_second);

/// Asks for figures from a thread of its own, and shows them until it ends. With `--json` it shows nothing.
class Progress {
 public:
  Progress(Console& console, std::function<ProgressFigures()> figures);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void run(const std::function<ProgressFigures()>& figures);
  void show(const std::string& line);

  Console& console_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace quarry::cli
