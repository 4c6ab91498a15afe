#include "fault/artifacts/traced_process.hpp"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace quarry::test {
namespace {

constexpr int cannot_trace = 99;

pid_t start(const std::string& program, const std::vector<std::string>& args) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const auto& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(cannot_trace);
  ::execv(program.c_str(), argv.data());
  ::_exit(127);
}

/// Its next stop or end.
int wait_for(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, __WALL) != child) throw std::runtime_error("waitpid failed");
  return status;
}

Traced ended(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == cannot_trace) return {.can_trace = false};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {.finished = true};
  throw std::runtime_error("the traced program failed by itself, status " + std::to_string(status));
}

}  // namespace

Traced kill_at_system_call(const std::string& program, const std::vector<std::string>& args, int n) {
  const pid_t child = start(program, args);
  // Up to where it stops itself: signals are passed on, the exec's own stop is not.
  int status = wait_for(child);
  for (bool is_first = true; WIFSTOPPED(status) && (is_first || WSTOPSIG(status) != SIGSTOP); is_first = false) {
    if (is_first) ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    const auto pass_on = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    ::ptrace(PTRACE_CONT, child, nullptr, static_cast<long>(pass_on));
    status = wait_for(child);
  }
  // Every call stops twice, on its way in and out: killing on the way in is killing after the one before.
  for (int stops = 0; WIFSTOPPED(status); ++stops) {
    if (stops == 2 * n - 1) {
      ::kill(child, SIGKILL);
      while (!WIFSIGNALED(status) && !WIFEXITED(status)) status = wait_for(child);
      return {};
    }
    const auto signal = WSTOPSIG(status);
    const bool is_own = signal == SIGSTOP || signal == (SIGTRAP | 0x80) || signal == SIGTRAP;
    ::ptrace(PTRACE_SYSCALL, child, nullptr, static_cast<long>(is_own ? 0 : signal));
    status = wait_for(child);
  }
  return ended(status);
}

}  // namespace quarry::test
