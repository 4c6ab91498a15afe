#pragma once
/// Text as a terminal shows it.
///
/// Titles and messages come from the web: what would move the cursor or change colours is made visible before it is printed.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/core/time.hpp"

namespace quarry::cli {

/// One line without control characters: runs of white space become one space, other controls and what is not UTF-8 become
/// `\u{fffd}`.
std::string printable(std::string_view text);

/// The same text with `\u{fffd}` for each piece that is no character.
std::string valid_utf8(std::string_view text);

/// Columns that `text` takes: none for combining marks, two for East Asian wide characters and emoji (the ranges of
/// Unicode's EastAsianWidth.txt, coarsely), one for everything else.
std::size_t display_width(std::string_view text);

/// The start of `text` that fits into `columns`, with an ellipsis as its last one when something is missing.
std::string fit(std::string_view text, std::size_t columns);

/// The text in lines of at most `columns`, broken between words; a word that is longer has a line of its own. At least one.
std::vector<std::string> in_lines(std::string_view text, std::size_t columns);

/// `1 task`, `2 tasks`; `many` where it is not `one` with an s.
std::string counted(std::int64_t number, std::string_view one, std::string_view many = {});
/// `1.5 MB`, in powers of 1000.
std::string human_bytes(std::int64_t bytes);
/// `850 ms`, `12.3 s`, `4 min 05 s`, `3 h 20 min`
std::string human_duration(std::chrono::microseconds duration);
/// `2026-03-01 12:00:00Z`
std::string human_time(Instant at);

}  // namespace quarry::cli
