#include "artifacts/posix_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace quarry::artifacts {
namespace {

std::string_view remedy(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "no room is left there for this user; free some, or choose a folder on another disk";
    case EACCES:
    case EPERM:
      return "this user may not do that there; change the owner or the permissions of the folder";
    case EROFS:
      return "the file system is mounted read-only";
    case ENOENT:
      return "it does not exist; create it, or choose another folder";
    case ENOTDIR:
      return "it is not a folder; choose another place";
    case EMFILE:
    case ENFILE:
      return "too many files are open; raise the limit (ulimit -n)";
    case ENOLCK:
    case EOPNOTSUPP:
      return "the file system has no locks; choose a folder on a local one";
    case EIO:
      return "the disk reports a failure; look at the kernel's log";
    default:
      return "the system refused";
  }
}

}  // namespace

Fd::~Fd() { close(); }

int Fd::close() noexcept {
  const int fd = std::exchange(fd_, -1);
  return fd >= 0 ? ::close(fd) : 0;
}

Error file_error(int code, std::string_view doing, const std::filesystem::path& where, std::source_location at) {
  const bool forbidden = code == EACCES || code == EPERM || code == EROFS;
  return Error(forbidden ? ErrorCode::denied : ErrorCode::unavailable,
               fmt::format("could not {} '{}': {}", doing, where.native(), remedy(code)),
               {std::generic_category().message(code), {}, code}, at);
}

int write_all(int fd, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

std::ptrdiff_t read_some(int fd, std::span<std::byte> into) noexcept {
  std::size_t have = 0;
  while (have < into.size()) {
    const auto got = ::read(fd, into.data() + have, into.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return static_cast<std::ptrdiff_t>(have);
}

}  // namespace quarry::artifacts
