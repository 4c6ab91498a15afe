#pragma once
/// One field of a crontab expression.

#include <cstdint>
#include <span>
#include <string_view>

namespace quarry::queue {

struct CronField {
  std::string_view name;  ///< for messages
  int first;
  int last;
  /// Three capital letters each; the first name stands for `first`.
  std::span<const std::string_view> names{};
};

/// The values as bits. Throws `invalid`, naming the field and the part of it that is wrong.
std::uint64_t parse_cron_field(const CronField& field, std::string_view text);

}  // namespace quarry::queue
