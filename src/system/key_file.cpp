/// The key ring as a file that nobody else can read.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "quarry/core/error.hpp"
#include "quarry/system/key_ring.hpp"

namespace quarry::system {
namespace {

constexpr std::size_t key_file_bytes_max = 64 * 1024;

/// A file descriptor that closes itself.
class KeyFile {
 public:
  KeyFile(const std::filesystem::path& file, int flags) : fd_(::open(file.c_str(), flags | O_CLOEXEC, 0600)) {}
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;
  ~KeyFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::filesystem::path& file, std::string_view what) {
  const int error = errno;
  const bool is_absent = error == ENOENT;
  const bool is_denied = error == EACCES || error == EPERM || error == EROFS;
  throw Error(is_absent   ? ErrorCode::not_found
              : is_denied ? ErrorCode::denied
                          : ErrorCode::unavailable,
              fmt::format("the file of keys {} cannot be {}{}", file.string(), what,
                          is_absent   ? ": is the name right?"
                          : is_denied ? ": this user may not"
                                      : ""),
              {.message = {}, .sqlstate = {}, .native_code = error});
}

void check_closed_to_others(const std::filesystem::path& file, int fd) {
  struct stat seen {};
  if (::fstat(fd, &seen) != 0) fail(file, "examined");
  if (!S_ISREG(seen.st_mode)) throw_invalid(fmt::format("the file of keys {} is no regular file", file.string()));
  if ((seen.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw Error(ErrorCode::denied, fmt::format("the file of keys {0} is open to others: chmod 600 {0}", file.string()));
  if (seen.st_uid != ::geteuid() && seen.st_uid != 0)
    throw Error(ErrorCode::denied, fmt::format("the file of keys {} belongs to somebody else", file.string()));
}

void write_whole(const std::filesystem::path& file, int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(file, "written");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) fail(file, "written");
}

}  // namespace

KeyRing KeyRing::from_file(const std::filesystem::path& file) {
  const KeyFile opened(file, O_RDONLY);
  if (opened.get() < 0) fail(file, "opened");
  check_closed_to_others(file, opened.get());
  std::string bytes(key_file_bytes_max + 1, '\0');
  std::size_t size = 0;
  for (;;) {
    const auto count = ::read(opened.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(file, "read");
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
    if (size > key_file_bytes_max)
      throw_invalid(fmt::format("the file of keys {} is larger than {} bytes", file.string(), key_file_bytes_max));
  }
  const Secret text(std::move(bytes));
  return parse(text.reveal().substr(0, size));
}

void KeyRing::write_file(const std::filesystem::path& file) const {
  auto next = file;
  next += ".new";
  const KeyFile opened(next, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
  if (opened.get() < 0) fail(next, "made");
  if (::fchmod(opened.get(), 0600) != 0) fail(next, "closed to others");
  const auto text = to_text();
  write_whole(next, opened.get(), text.reveal());
  if (::rename(next.c_str(), file.c_str()) != 0) fail(file, "replaced");
  // The name lasts when its folder is on the disk.
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const KeyFile folder_file(folder, O_RDONLY | O_DIRECTORY);
  if (folder_file.get() < 0 || ::fsync(folder_file.get()) != 0) fail(folder, "synced");
}

}  // namespace quarry::system
