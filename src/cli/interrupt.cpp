#include "cli/interrupt.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

// A signal handler gets no arguments of ours: what it needs must be global.
std::atomic<int> first_signal{0};  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<int> write_end{-1};    // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

extern "C" void on_signal(int number) {
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) {
    // A terminal that goes may say so twice, once by the shell and once by the kernel, and the end of a session is a SIGTERM
    // with a SIGHUP: nobody has lost patience.
    if (number == SIGHUP) return;
    if (none == SIGHUP && first_signal.compare_exchange_strong(none, number)) return;
    ::_exit(128 + number);
  }
  const int errno_before = errno;
  const char byte = 1;
  [[maybe_unused]] const auto written = ::write(write_end.load(), &byte, 1);
  errno = errno_before;
}

/// What was ignored when the program was started stays so: that is how `nohup` works.
bool is_ignored(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(number, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(ErrorCode::unavailable, "too many open files: raise the limit (ulimit -n)");
  read_end_ = ends[0];
  write_end = ends[1];
  first_signal = 0;
  listener_ = std::thread([this] {
    char byte = 0;
    // Zero bytes say that the other end was closed: nobody has interrupted anything.
    if (::read(read_end_, &byte, 1) == 1) source_.request_stop();
  });
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  takes_hangup_ = !is_ignored(SIGHUP);
  if (takes_hangup_) handle(SIGHUP, on_signal);
  handle(SIGPIPE, SIG_IGN);
}

Interrupt::~Interrupt() {
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
  if (takes_hangup_) handle(SIGHUP, SIG_DFL);
  handle(SIGPIPE, SIG_DFL);
  ::close(write_end.exchange(-1));
  listener_.join();
  ::close(read_end_);
}

int Interrupt::signal() const noexcept { return first_signal; }

ExitCode ended_by(int signal) noexcept { return ExitCode{128 + signal}; }

}  // namespace quarry::cli
