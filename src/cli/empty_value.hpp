#pragma once
/// Values that are there and empty, which is what a variable that is not set makes of `--unchanged-since "$seen"`: no option
/// may take one for not being given at all, because a guard would not guard then, and a filter would let everything through.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/commands.hpp"

namespace quarry::cli {

/// Every option and every argument of `app` and of the commands below it refuses an empty value from now on, but for those
/// that `Commands::may_be_empty` was told of. To be called when all of them are added.
void refuse_empty_values(CLI::App& app, const Commands& commands);

/// What is wrong with `--option=` and nothing behind it, which the parser would give the next argument; empty when there is
/// no such thing before a `--`.
std::string empty_by_equals_sign(const std::vector<std::string>& args);

/// What such a value is answered with, behind the option's name.
inline constexpr const char* empty_value_refusal = "it may not be empty";

}  // namespace quarry::cli
