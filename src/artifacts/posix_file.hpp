#pragma once
/// File descriptors that close themselves, and errno as `quarry::Error`.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "quarry/core/error.hpp"

namespace quarry::artifacts {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// Somebody else closes it from here on.
  int release() noexcept { return std::exchange(fd_, -1); }
  /// Closes and returns what `close` says: some file systems report a failed write only here.
  int close() noexcept;

 private:
  int fd_ = -1;
};

/// `doing` completes "could not ..."; the remedy follows from `code`.
Error file_error(int code, std::string_view doing, const std::filesystem::path& where,
                 std::source_location at = std::source_location::current());

/// Writes all of it; returns 0 or errno.
int write_all(int fd, std::span<const std::byte> bytes) noexcept;
/// Fills as much of `into` as the file has. Returns the number of bytes, or -1 with errno set.
std::ptrdiff_t read_some(int fd, std::span<std::byte> into) noexcept;

}  // namespace quarry::artifacts
