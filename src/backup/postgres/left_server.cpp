#include "backup/postgres/left_server.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <system_error>
#include <thread>

#include "quarry/core/log.hpp"

namespace quarry::backup::postgres {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A server works in its folder of data (postmaster.c).
bool works_in(pid_t pid, const fs::path& data) {
  std::error_code program_error, same_error;
  const auto process = fs::path("/proc") / fmt::format("{}", pid);
  const auto program = fs::read_symlink(process / "exe", program_error);
  const bool same = fs::equivalent(process / "cwd", data, same_error);
  return !program_error && !same_error && same && program.filename().native().starts_with("postgres");
}

bool ends_within(pid_t pid, const fs::path& data, std::chrono::milliseconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (works_in(pid, data)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

}  // namespace

void stop_left_server(const fs::path& data) noexcept {
  try {
    pid_t pid = 0;
    std::ifstream file(data / "postmaster.pid");
    if (!(file >> pid) || pid <= 1 || !works_in(pid, data)) return;
    log::warn("a PostgreSQL server that a killed run has left in '{}' is stopped", data.native());
    ::kill(pid, SIGQUIT);
    if (ends_within(pid, data, 5s)) return;
    ::kill(pid, SIGKILL);
    ends_within(pid, data, 5s);
  } catch (const std::exception& error) {
    log::warn("whether a server still runs in '{}' could not be told: {}", data.native(), error.what());
  }
}

}  // namespace quarry::backup::postgres
