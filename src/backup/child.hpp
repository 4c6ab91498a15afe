#pragma once
/// A program of PostgreSQL's, with a pipe to it or from it. Its words on standard error are kept for the log: they may name
/// tables and hold rows.

#include <sys/types.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "backup/file.hpp"

namespace quarry::backup {

enum class Pipe { none, to_child, from_child };

/// Killed at the end if it still runs. Not thread-safe.
class Child {
 public:
  /// `PATH` is searched. Throws `unavailable` when the program cannot be started.
  Child(const std::string& program, const std::vector<std::string>& args,
        const std::map<std::string, std::string>& environment, Pipe pipe);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// 0 at the end.
  std::size_t read(std::span<std::byte> into);
  /// False when the child reads no more; `wait` tells why.
  bool write(std::span<const std::byte> bytes);
  void close_pipe() noexcept { pipe_.close(); }
  /// Throws `unavailable`, with its words as the engine's, unless it has ended well. `doing` completes "could not ...".
  void wait(std::string_view doing);
  bool running();
  /// Sends the signal and waits for its end, however it ends.
  void stop(int signal) noexcept;
  /// The end of what it has said.
  std::string words() const;

 private:
  std::string program_;
  pid_t pid_ = -1;
  File pipe_;
  File words_;
};

}  // namespace quarry::backup
