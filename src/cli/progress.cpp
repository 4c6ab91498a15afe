#include "cli/progress.hpp"

#include <fmt/format.h>

#include "cli/text.hpp"

namespace quarry::cli {
namespace {

constexpr std::chrono::milliseconds rewrite_interval{200};
constexpr std::chrono::milliseconds line_interval{5'000};
constexpr std::chrono::seconds speed_window{5};

}  // namespace

void Speed::add(TimePoint at, std::int64_t done) {
  samples_.emplace_back(at, done);
  while (samples_.size() > 2 && at - samples_[1].first >= speed_window) samples_.pop_front();
}

double Speed::per_second() const {
  if (samples_.size() < 2) return 0;
  const std::chrono::duration<double> time = samples_.back().first - samples_.front().first;
  return time.count() > 0 ? static_cast<double>(samples_.back().second - samples_.front().second) / time.count() : 0;
}

std::string progress_line(const ProgressFigures& figures, double per_second) {
  const auto known = figures.known > 0 ? fmt::format(" of {}", figures.known) : std::string();
  const auto errors = fmt::format("{} error{}", figures.errors, figures.errors == 1 ? "" : "s");
  if (!figures.waits.empty()) return fmt::format("{}{} pages, {}: {}", figures.done, known, errors, figures.waits);
  return fmt::format("{}{} pages, {:.{}f} pages/s, {}, {}", figures.done, known, per_second, per_second < 10 ? 1 : 0,
                     human_bytes(figures.bytes), errors);
}

Progress::Progress(Console& console, std::function<ProgressFigures()> figures) : console_(console) {
  if (console.json()) return;
  thread_ = std::thread([this, figures = std::move(figures)] { run(figures); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    end_ = true;
  }
  ended_.notify_all();
  thread_.join();
  if (console_.terminal().err_width) console_.err() << "\r\x1b[K" << std::flush;
}

void Progress::run(const std::function<ProgressFigures()>& figures) {
  const auto interval = console_.terminal().err_width ? rewrite_interval : line_interval;
  Speed speed;
  std::unique_lock lock(mutex_);
  speed.add(std::chrono::steady_clock::now(), figures().done);
  while (!ended_.wait_for(lock, interval, [&] { return end_; })) {
    const auto now = figures();
    speed.add(std::chrono::steady_clock::now(), now.done);
    show(progress_line(now, speed.per_second()));
  }
}

void Progress::show(const std::string& line) {
  if (const auto width = console_.terminal().err_width)
    console_.err() << '\r' << fit(line, *width - 1) << "\x1b[K" << std::flush;
  else
    console_.note(line);
}

}  // namespace quarry::cli
