#include "ops/health/checks.hpp"

namespace quarry::ops::health {

std::string in_words(std::chrono::microseconds duration) {
  using namespace std::chrono;
  const auto seconds_in = duration_cast<seconds>(duration).count();
  if (seconds_in < 1) return fmt::format("{:.1f} ms", static_cast<double>(duration.count()) / 1000);
  if (seconds_in < 120) return fmt::format("{} s", seconds_in);
  const auto minutes_in = seconds_in / 60;
  if (minutes_in < 120) return fmt::format("{} min", minutes_in);
  const auto hours_in = minutes_in / 60;
  if (hours_in < 48) return fmt::format("{} h {} min", hours_in, minutes_in % 60);
  return fmt::format("{} days", hours_in / 24);
}

std::string bytes_in_words(std::uint64_t bytes) {
  double value = static_cast<double>(bytes);
  for (const auto* unit : {"bytes", "kB", "MB", "GB", "TB"}) {
    if (value < 1000) return fmt::format("{:.{}f} {}", value, *unit == 'b' ? 0 : 1, unit);
    value /= 1000;
  }
  return fmt::format("{:.1f} PB", value);
}

std::string count_in_words(std::int64_t counted_to, std::string_view of_one, std::string_view of_many) {
  if (counted_to > count_max) return fmt::format("more than {} {}", count_max, of_many);
  return fmt::format("{} {}", counted_to, counted_to == 1 ? of_one : of_many);
}

}  // namespace quarry::ops::health
