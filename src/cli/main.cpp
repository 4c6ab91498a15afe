#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/run.hpp"

namespace {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? std::optional<std::string>(value) : std::nullopt;
}

std::optional<std::size_t> terminal_width(int fd) {
  if (!::isatty(fd)) return std::nullopt;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

/// Whoever starts us with a standard stream closed would have its number given to the first socket or file that we open, and
/// our output written into that. Standard output is opened so that it cannot be written: that its result reaches nobody
/// must still be an error.
bool open_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) == -1 && ::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) != fd) return false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (!open_standard_streams()) return static_cast<int>(quarry::cli::ExitCode::unavailable);
  // A file that may not grow is an error like a full disk, and no reason to die and leave half of it behind.
  std::signal(SIGXFSZ, SIG_IGN);
  std::ios::sync_with_stdio(false);
  const auto out_width = terminal_width(STDOUT_FILENO);
  const bool dumb = environment("TERM") == "dumb";
  const auto code = quarry::cli::run({.args = {argv + std::min(argc, 1), argv + argc},
                                      .environment = environment,
                                      .out = std::cout,
                                      .err = std::cerr,
                                      .terminal = {.out_width = out_width,
                                                   .err_width = dumb ? std::nullopt : terminal_width(STDERR_FILENO),
                                                   .colour = out_width && !dumb && !environment("NO_COLOR")}});
  return static_cast<int>(code);
}
