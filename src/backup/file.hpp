#pragma once
/// Files that close themselves and folders that are made durable; what the system refuses is an `Error` that names the file
/// and the remedy.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "quarry/core/error.hpp"

namespace quarry::backup {

namespace fs = std::filesystem;

/// `unavailable`, or `not_found` for ENOENT and `denied` for EACCES and EPERM. `doing` completes "could not ...".
Error file_error(int code, std::string_view doing, const fs::path& where,
                 std::source_location at = std::source_location::current());

class File {
 public:
  File() = default;
  explicit File(int fd) noexcept : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { close(); }

  /// A new file for its owner only; throws when the name is taken.
  static File make(const fs::path& path);
  /// Throws when it cannot be opened.
  static File open_to_read(const fs::path& path);

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  int close() noexcept;

  void write(std::span<const std::byte> bytes, const fs::path& path) const;
  /// As much as there is; less than asked for is the end.
  std::size_t read(std::span<std::byte> into, const fs::path& path) const;
  std::uint64_t size(const fs::path& path) const;
  void sync(const fs::path& path) const;
  /// Without waiting; false when somebody else has it.
  bool lock(const fs::path& path) const;

 private:
  int fd_ = -1;
};

/// A folder for its owner only; one that is there is left as it is. Its parent must be there.
void make_folder(const fs::path& folder);
/// Runs `work`; what the system refuses to std::filesystem is told in our words.
template <class F>
decltype(auto) in_our_words(F&& work) {
  try {
    return std::forward<F>(work)();
  } catch (const fs::filesystem_error& error) {
    throw file_error(error.code().value(), "work on", error.path1());
  }
}
/// Makes names in a folder last.
void sync_folder(const fs::path& folder);
/// The folder a path lies in; `.` where it names none.
fs::path folder_of(const fs::path& path);
/// Replaces the file in one durable step.
void write_durably(const fs::path& path, std::string_view text);
/// Nothing when there is no such file. Throws `corrupt` when it is longer than `bytes_max`.
std::optional<std::string> read_text(const fs::path& path, std::size_t bytes_max);
void rename_durably(const fs::path& from, const fs::path& to);

}  // namespace quarry::backup
