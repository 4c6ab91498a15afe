#pragma once
/// How `--help` looks: what an option takes in one word, its bounds and choices behind its description, and lines that end
/// with words where the terminal ends.

#include <CLI/CLI.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace quarry::cli {

/// For the program and, as it is inherited, for every command that is added later. `width` is the terminal's, or nothing for
/// lines that are never broken.
std::shared_ptr<CLI::FormatterBase> help_formatter(std::optional<std::size_t> width);

/// A number as the parser writes it (`5300000.000000`, `1e+06`) as people do (`5300000`, `1000000`).
std::string readable_number(const std::string& text);

/// `a,b,c` as a sentence has it: `a, b, c`.
std::string spaced(std::string_view names);

}  // namespace quarry::cli
