#include "backup/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace quarry::backup {
namespace {

std::string_view what_to_do(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return "no room is left there: free some, or choose another disk";
    case EACCES:
    case EPERM:
      return "this user may not do that there: change the owner or the permissions";
    case EROFS:
      return "the file system is mounted read-only";
    case ENOENT:
      return "it does not exist";
    case EEXIST:
      return "it is there already";
    case ENOTDIR:
      return "it is not in a folder";
    case EFBIG:
      return "a file may not become as large as that: raise the limit (ulimit -f), or choose another disk";
    case EIO:
      return "the disk reports a failure: look at the kernel's log";
    default:
      return "the system refused";
  }
}

}  // namespace

Error file_error(int code, std::string_view doing, const fs::path& where, std::source_location at) {
  const bool denied = code == EACCES || code == EPERM;
  return Error(code == ENOENT ? ErrorCode::not_found
               : denied       ? ErrorCode::denied
                              : ErrorCode::unavailable,
               fmt::format("could not {} '{}': {}", doing, where.native(), what_to_do(code)),
               {std::generic_category().message(code), {}, code}, at);
}

File File::make(const fs::path& path) {
  File file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) throw file_error(errno, "make", path);
  return file;
}

File File::open_to_read(const fs::path& path) {
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw file_error(errno, "open", path);
  return file;
}

int File::close() noexcept {
  const int fd = release();
  return fd >= 0 ? ::close(fd) : 0;
}

void File::write(std::span<const std::byte> bytes, const fs::path& path) const {
  while (!bytes.empty()) {
    const auto written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw file_error(errno, "write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

std::size_t File::read(std::span<std::byte> into, const fs::path& path) const {
  std::size_t have = 0;
  while (have < into.size()) {
    const auto got = ::read(fd_, into.data() + have, into.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw file_error(errno, "read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

std::uint64_t File::size(const fs::path& path) const {
  struct stat seen {};
  if (::fstat(fd_, &seen) != 0) throw file_error(errno, "examine", path);
  if (!S_ISREG(seen.st_mode)) throw_invalid(fmt::format("'{}' is no regular file", path.native()));
  return static_cast<std::uint64_t>(seen.st_size);
}

void File::sync(const fs::path& path) const {
  if (::fsync(fd_) != 0) throw file_error(errno, "make durable", path);
}

bool File::lock(const fs::path& path) const {
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  throw file_error(errno, "lock", path);
}

void make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    if (errno != ENOENT) throw file_error(errno, "make the folder", folder);
    throw Error(ErrorCode::not_found,
                fmt::format("could not make the folder '{}': the folder it is to lie in does not exist", folder.native()));
  }
}

void sync_folder(const fs::path& folder) {
  const File opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) throw file_error(errno, "open", folder);
  opened.sync(folder);
}

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

void write_durably(const fs::path& path, std::string_view text) {
  auto next = path;
  next += ".new";
  std::error_code ignored;
  fs::remove(next, ignored);
  auto file = File::make(next);
  file.write(std::as_bytes(std::span(text)), next);
  file.sync(next);
  rename_durably(next, path);
}

std::optional<std::string> read_text(const fs::path& path, std::size_t bytes_max) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) throw file_error(errno, "open", path);
  const auto size = file.size(path);
  if (size > bytes_max)
    throw Error(ErrorCode::corrupt, fmt::format("'{}' is longer than the {} bytes it may have", path.native(), bytes_max));
  std::string text(static_cast<std::size_t>(size), '\0');
  text.resize(file.read(std::as_writable_bytes(std::span(text)), path));
  return text;
}

void rename_durably(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw file_error(errno, "put in its place", to);
  sync_folder(folder_of(to));
}

}  // namespace quarry::backup
