#pragma once
/// What the mains of the programs that measure have in common.

#include <CLI/CLI.hpp>
#include <functional>

namespace quarry::bench {

/// Reads the options that `app` has, runs `body`, and reports on standard error what either of them throws. Returns the exit
/// code.
int run_program(CLI::App& app, int argc, const char* const* argv, const std::function<void()>& body);

}  // namespace quarry::bench
