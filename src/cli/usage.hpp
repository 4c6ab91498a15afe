#pragma once
/// What is wrong with a command line, in one line for people.

#include <CLI/CLI.hpp>
#include <string>

namespace quarry::cli {

/// The parser's words, made ours: the option and the value that was given, what it may be, and whose `--help` tells more.
/// An argument that may hold a secret (a URL) is not repeated.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error);

}  // namespace quarry::cli
