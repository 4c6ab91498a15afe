#pragma once
/// The whole program but for what only a process can do: from arguments to an exit code.

#include <ostream>
#include <string>
#include <vector>

#include "cli/console.hpp"
#include "cli/settings.hpp"

namespace quarry::cli {

struct Invocation {
  std::vector<std::string> args;  ///< without the program's name
  Environment environment;
  std::ostream& out;
  std::ostream& err;
  Terminal terminal{};
};

/// Never throws. Sets the log's level and form for the process.
ExitCode run(const Invocation& invocation);

}  // namespace quarry::cli
