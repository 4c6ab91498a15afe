#pragma once
/// Bounds of options that are not whole numbers.

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
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

/// What the parser does not see: a whole number beyond 64 bits, which it takes for the largest there is.
inline std::string number_beyond_range(const CLI::App& app) {
  for (const auto* option : app.get_options()) {
    if (option->get_type_name().rfind("INT", 0) != 0 && option->get_type_name().rfind("UINT", 0) != 0) continue;
    for (const auto& text : option->results()) {
      const auto digits = text.find_first_not_of("+-");
      if (digits == std::string::npos || text.find_first_not_of("0123456789", digits) != std::string::npos) continue;
      errno = 0;
      (void)std::strtoll(text.c_str(), nullptr, 10);
      if (errno == ERANGE)
        return option->get_name() + ": " + text +
               " is too large: a number is from -9223372036854775808 to 9223372036854775807";
    }
  }
  for (const auto* command : app.get_subcommands())
    if (auto found = number_beyond_range(*command); !found.empty()) return found;
  return {};
}

}  // namespace quarry::cli
