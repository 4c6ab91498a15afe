#pragma once
/// How often maintenance is done, and how long things are kept: settings of the system, read at each run.
///
/// A setting that is not there has its default. One of another type, or out of its bounds, fails the steps that ask for it
/// and no others. For days, 0 means: kept for ever.
///
/// Errors: `invalid`, naming the setting and its bounds. Thread safety: pure functions, and that of the transaction.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "quarry/sql/transaction.hpp"

namespace quarry::ops {

struct MaintainSetting {
  std::string_view key;
  std::optional<std::int64_t> default_value;  ///< nothing: what it bounds is not done until it is set
  std::int64_t least;
  std::int64_t most;
  std::string_view description;
};
/// By key; all are integers.
std::span<const MaintainSetting> maintain_settings() noexcept;

/// The setting as it stands, or its default. `key` is one of `maintain_settings()`.
std::optional<std::int64_t> maintain_setting(Read& tx, std::string_view key);

}  // namespace quarry::ops
