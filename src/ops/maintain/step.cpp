#include "ops/maintain/step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace quarry::ops::upkeep {

std::optional<std::int64_t> Step::setting(std::string_view key) const {
  return db_.read([&](Read& tx) { return maintain_setting(tx, key); });
}

std::optional<Instant> Step::days_ago(std::string_view key) {
  const auto days = setting(key);
  if (days.value_or(0) > 0) return db_.now() - std::chrono::hours(24 * *days);
  skip(fmt::format("setting '{}' is {}: nothing of this is taken away", key, days ? "0" : "not set"));
  return std::nullopt;
}

void Step::count(std::string_view what, std::int64_t n) {
  if (n == 0) return;
  const auto found = std::ranges::find(report_.figures, what, &StepFigure::what);
  if (found != report_.figures.end())
    found->count += n;
  else
    report_.figures.push_back({std::string(what), n});
  report_.outcome = StepOutcome::done;
}

void Step::skip(std::string message) {
  report_.outcome = StepOutcome::skipped;
  say(std::move(message));
}

void Step::rest(std::chrono::steady_clock::time_point begin) {
  if (options_.progress) options_.progress(report_.step);
  const auto took = std::chrono::steady_clock::now() - begin;
  const auto pause = std::min<std::chrono::steady_clock::duration>(took, options_.pause_max);
  if (pause.count() > 0) {
    // Whoever asks to stop does not wait for the pause.
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, options_.stop, pause, [] { return false; });
  }
  if (options_.stop.stop_requested()) throw Stopped{};
}

}  // namespace quarry::ops::upkeep
