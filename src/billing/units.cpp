#include "quarry/billing/units.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace quarry::billing {

std::int64_t cost_of(std::chrono::microseconds run_time) noexcept {
  constexpr std::int64_t minute = 60'000'000;
  const std::int64_t us = std::max<std::int64_t>(run_time.count(), 0);
  return std::max<std::int64_t>(us / minute + (us % minute != 0), 1) * micro_per_unit;
}

std::string units_text(std::int64_t micro_units) {
  const auto whole = micro_units / micro_per_unit;
  const auto rest = micro_units % micro_per_unit;
  if (rest == 0) return fmt::format("{}", whole);
  auto text = fmt::format("{}{}.{:06}", micro_units < 0 ? "-" : "", whole < 0 ? -whole : whole, rest < 0 ? -rest : rest);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

}  // namespace quarry::billing
