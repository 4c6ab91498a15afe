#pragma once
/// Compute units: what run time costs.
///
/// One unit is one minute of run time. Every count in the ledger is in micro-units, a millionth of it, in an int64: no
/// floats, no rounding but the one that is said here.
///
/// Errors: none. Thread safety: pure functions.

#include <chrono>
#include <cstdint>
#include <string>

namespace quarry::billing {

inline constexpr std::int64_t micro_per_unit = 1'000'000;

/// The largest amount of one event, in micro-units: a thousand million units.
inline constexpr std::int64_t micro_units_max = 1'000'000'000 * micro_per_unit;

/// What a run of this length costs, in micro-units: whole units, rounded up, at least one.
std::int64_t cost_of(std::chrono::microseconds run_time) noexcept;

/// `12`, `-3`, `0.5`: micro-units as units, without zeros at the end.
std::string units_text(std::int64_t micro_units);

}  // namespace quarry::billing
