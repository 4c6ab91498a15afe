#include "support/watchdog.hpp"

#include <stdexcept>

#include "support/process.hpp"

namespace quarry::test {

void watch_cluster(const std::filesystem::path& folder, pid_t owner) {
  // A shell and not a forked copy of this program: the copy would keep its memory and its open files. `setsid --fork` takes
  // it out of the tree of processes that ctest kills.
  constexpr const char* kScript = R"sh(
    while [ -d "$1" ] && kill -0 "$2" 2>/dev/null; do sleep 1; done
    if [ -f "$1/data/postmaster.pid" ]; then
      read -r server < "$1/data/postmaster.pid"
      case "$(readlink "/proc/$server/cwd")" in "$1/data"*) kill -QUIT "$server" ;; esac
      sleep 1
    fi
    rm -rf -- "$1"
  )sh";
  const auto started =
      run({.program = "setsid",
           .args = {"--fork", "sh", "-c", kScript, "quarry-watchdog", folder.string(), std::to_string(owner)},
           .directory = "/",
           .dies_with_parent = false});
  if (!started.exit.ok()) throw std::runtime_error("the watchdog over the test server cannot be started: " + started.err);
}

}  // namespace quarry::test
