#pragma once
/// Other programs, run from a test: start, look at what they have said so far, signal, kill, wait with a deadline.
///
///     const auto done = quarry::test::run({.program = quarry_binary(), .args = {"--version"}});
///     EXPECT_EQ(done.exit.code, 0) << done.err;
///
///     auto worker = Process::start({.program = quarry_binary(), .args = {"work"}});
///     worker.wait_for_output("claimed", 10s);
///     worker.kill();                                        // SIGKILL, and collects it
///
/// Output goes to anonymous files in memory and not through pipes: a program that says much is never blocked, and nobody has
/// to read along. Errors of the system throw `std::system_error`; a deadline that passes throws `std::runtime_error` with
/// the program's output. Not thread-safe.

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::test {

/// An account of this machine to run a program as; only root can change to another one.
struct User {
  uid_t uid;
  gid_t gid;
};

struct Command {
  std::filesystem::path program{};                   ///< with a folder; `PATH` is searched when it has none
  std::vector<std::string> args{};                   ///< without the program's own name
  std::map<std::string, std::string> environment{};  ///< on top of ours
  std::filesystem::path directory{};                 ///< where it runs; empty: here
  std::string input{};                               ///< its standard input
  std::optional<User> user{};
  /// The kernel kills the program when the *thread* that started it ends, so that a killed test leaves nothing behind.
  /// Switch it off when a short-lived thread starts a program that outlives it.
  bool dies_with_parent = true;
};

struct Exit {
  int code = 0;    ///< what the program returned; -1 when a signal ended it
  int signal = 0;  ///< the signal that ended it, or 0
  bool ok() const noexcept { return code == 0 && signal == 0; }
};

class Process {
 public:
  static Process start(const Command& command);
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();  ///< kills it if it still runs

  pid_t pid() const noexcept { return pid_; }
  bool running();
  void signal(int number);
  /// SIGKILL, then waits for the end.
  Exit kill();
  /// Empty when it still runs after `timeout`.
  std::optional<Exit> wait_for(std::chrono::milliseconds timeout);
  /// Like `wait_for`, but a program that does not end is killed and reported.
  Exit wait(std::chrono::milliseconds timeout = std::chrono::seconds{60});
  /// Returns as soon as standard output or standard error holds `text`; throws at the deadline or when the program ends
  /// without it.
  void wait_for_output(std::string_view text, std::chrono::milliseconds timeout = std::chrono::seconds{30});

  std::string out() const;  ///< standard output so far
  std::string err() const;  ///< standard error so far

  /// Lets go of the program: it is neither killed nor waited for.
  void release() noexcept;

 private:
  Process(std::string name, pid_t pid, int pidfd, int out, int err);
  std::string describe() const;

  std::string name_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::optional<Exit> exit_;
};

struct Finished {
  Exit exit;
  std::string out;
  std::string err;
};

/// Starts a program and waits for its end.
Finished run(const Command& command, std::chrono::milliseconds timeout = std::chrono::seconds{60});

}  // namespace quarry::test
