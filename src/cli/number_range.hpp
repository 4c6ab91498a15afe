#pragma once
/// Bounds of options that are not whole numbers.

#include <CLI/CLI.hpp>
#include <string>

namespace quarry::cli {

/// `CLI::Range` asks whether a number is too small or too large, and NaN is neither.
inline CLI::Validator number_range(double least, double most) {
  const CLI::Range range(least, most);
  return CLI::Validator(
      [range, least, most](std::string& text) {
        double value = 0;
        const bool is_inside = CLI::detail::lexical_cast(text, value) && value >= least && value <= most;
        // Its words, when it has some.
        auto refusal = is_inside ? std::string() : range(text);
        if (!is_inside && refusal.empty()) refusal = "Value " + text + " is no number";
        return refusal;
      },
      range.get_description());
}

}  // namespace quarry::cli
