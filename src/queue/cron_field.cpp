#include "queue/cron_field.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "quarry/core/error.hpp"

namespace quarry::queue {
namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

[[noreturn]] void refuse(const CronField& field, std::string_view part, std::string_view why) {
  throw_invalid(fmt::format("cron: '{}' in the {} field: {}", part, field.name, why));
}

/// A number of at most four digits; nothing else fits a field, and nothing overflows.
std::optional<int> parse_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '-' || text.size() > 4)
    return std::nullopt;
  return value;
}

int parse_value(const CronField& field, std::string_view text, std::string_view part) {
  if (text.empty()) refuse(field, part, "a value is missing");
  if (text.size() == 3 && !field.names.empty()) {
    const auto same = [&](std::string_view name) {
      return std::ranges::equal(name, text, [](char a, char b) { return a == upper(b); });
    };
    if (const auto found = std::ranges::find_if(field.names, same); found != field.names.end())
      return field.first + static_cast<int>(found - field.names.begin());
  }
  const auto value = parse_number(text);
  if (!value && field.names.empty()) refuse(field, part, fmt::format("'{}' is not a number", text));
  if (!value) refuse(field, part, fmt::format("'{}' is neither a number nor a name like {}", text, field.names.front()));
  if (*value < field.first || *value > field.last)
    refuse(field, part, fmt::format("{} is out of range: it must be from {} to {}", *value, field.first, field.last));
  return *value;
}

/// `1-5`, `1-5/2`, `*`, `*/2`, `3`, `3/2`.
std::uint64_t parse_part(const CronField& field, std::string_view part) {
  if (part.empty()) refuse(field, part, "a value is missing between commas");
  const auto slash = part.find('/');
  const auto range = part.substr(0, slash);
  int from = field.first, to = field.last;
  if (range != "*") {
    const auto dash = range.find('-');
    from = parse_value(field, range.substr(0, dash), part);
    if (dash != std::string_view::npos) {
      to = parse_value(field, range.substr(dash + 1), part);
      // Sunday ends a week as well as it begins one.
      if (field.last == 7 && to == 0 && from > 0) to = 7;
    } else if (slash == std::string_view::npos) {
      to = from;
    }
    if (from > to)
      refuse(field, part, fmt::format("the range runs backwards; write {}-{},{}-{}", from, field.last, field.first, to));
  }
  int step = 1;
  if (slash != std::string_view::npos) {
    const auto text = part.substr(slash + 1);
    const auto number = text.empty() ? std::nullopt : parse_number(text);
    if (!number || *number < 1) refuse(field, part, "the step after '/' must be a number from 1 on");
    if (*number > field.last - field.first + 1)
      refuse(field, part,
             fmt::format("a step of {} never comes to a second value; a field has no more than {} values", *number,
                         field.last - field.first + 1));
    step = *number;
  }
  std::uint64_t bits = 0;
  for (int value = from; value <= to; value += step) bits |= std::uint64_t{1} << value;
  return bits;
}

}  // namespace

std::uint64_t parse_cron_field(const CronField& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (;;) {
    const auto comma = text.find(',');
    bits |= parse_part(field, text.substr(0, comma));
    if (comma == std::string_view::npos) return bits;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace quarry::queue
