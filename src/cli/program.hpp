#pragma once
/// The program's command line before anything is read from it: every command with its options.

#include <CLI/CLI.hpp>
#include <cstddef>
#include <optional>
#include <string>

#include "cli/commands.hpp"
#include "cli/settings.hpp"

namespace quarry::cli {

constexpr const char* program_description =
    "Quarry: jobs, a crawl-aware task queue, artifacts and full-text search in one program, on SQLite or PostgreSQL.";

/// What the options that every command takes have said.
struct Globals {
  PartialSettings flags{};
  std::optional<std::string> config_file{};
};

/// All commands, into an `app` that has none yet; what is parsed goes into `globals` and `commands`, which must outlive it.
/// `width`: of the terminal that help is for, if it is one. No option takes an empty value unless it says so:
/// empty_value.hpp.
void build_program(CLI::App& app, Globals& globals, Commands& commands, std::optional<std::size_t> width);

}  // namespace quarry::cli
