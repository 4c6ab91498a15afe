#pragma once
/// Ctrl-C, twice: the first asks for an orderly end, the second ends the process at once. SIGTERM counts the same, and so
/// does SIGHUP, which comes when the terminal goes, unless the program was started with it ignored
/// (`nohup`); it is never the second one, nor the first of two.
///
///     Interrupt interrupt;
///     worker.run(interrupt.token());
///     if (interrupt.signal() != 0) ...
///
/// It belongs to long work, so SIGPIPE is ignored meanwhile: libcurl leaves that to its users (CURLOPT_NOSIGNAL(3)), and a
/// reader of our output that has gone is no reason to leave tasks half done.
///
/// One at a time in a process. The handler does what a handler may (signal-safety(7)): it writes to a pipe, and a thread
/// reads there.

#include <stop_token>
#include <thread>

#include "cli/exit_code.hpp"

namespace quarry::cli {

class Interrupt {
 public:
  /// Takes over SIGINT, SIGTERM, SIGHUP and SIGPIPE. Throws `unavailable` when the system has no pipe left.
  Interrupt();
  /// Gives them back to the system.
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// Stopped by the first signal.
  std::stop_token token() const noexcept { return source_.get_token(); }
  /// SIGINT, SIGTERM or SIGHUP, or 0 when there was none.
  int signal() const noexcept;

 private:
  int read_end_ = -1;
  bool takes_hangup_ = false;
  std::stop_source source_;
  std::thread listener_;
};

/// How a command ends that one of these signals has interrupted.
ExitCode ended_by(int signal) noexcept;

}  // namespace quarry::cli
