#pragma once
/// Wrong passwords, counted per user or per name that nobody has.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/core/id.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::accounts {

/// What is counted together; fits into the name of a limit.
std::string guard_of(UserId user);
std::string guard_of(std::string_view unknown_name);

struct GuardRules {
  int failures_max;
  std::chrono::microseconds window;
};

/// Until when it is locked.
std::optional<Instant> locked_until(Read& tx, const std::string& guard, const GuardRules& rules);
struct CountedAttempt {
  std::optional<Instant> locked_until;  ///< it was one too many
  bool is_last = false;                 ///< the one that locks, if it proves wrong
};
/// Counts an attempt before its outcome is told, so that many at once are counted one by one.
CountedAttempt count_attempt(Write& tx, const std::string& guard, const GuardRules& rules);
/// The attempt was none of a stranger.
bool forget_attempts(Write& tx, const std::string& guard);

}  // namespace quarry::accounts
