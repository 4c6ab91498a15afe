#include "sql/sqlite/gate.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "quarry/core/error.hpp"
#include "sql/sqlite/error_map.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

using namespace std::chrono_literals;

/// `flock` cannot wait with a time limit, so the wait is made of naps: short first, since a commit takes a fraction of a
/// millisecond.
constexpr auto first_gate_nap = 20us;
constexpr std::chrono::microseconds longest_gate_nap = 500us;

}  // namespace

Gate::Gate(const std::string& path) : path_(path) {
  if (path.empty()) return;
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0)
    throw Error(errno == EACCES || errno == EPERM ? ErrorCode::denied : ErrorCode::unavailable,
                errno == EMFILE || errno == ENFILE
                    ? why_not_opened(errno, fmt::format("open '{}'", path))
                    : fmt::format("'{}' cannot be created: the database's directory must be writable", path),
                {std::strerror(errno), {}, errno});
}

Gate::~Gate() { close(); }

void Gate::enter(std::chrono::steady_clock::time_point deadline) {
  if (file_ < 0) return;
  for (std::chrono::microseconds nap = first_gate_nap;; nap = std::min(nap * 2, longest_gate_nap)) {
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    if (errno != EWOULDBLOCK && errno != EINTR)
      throw Error(ErrorCode::unavailable, fmt::format("'{}' cannot be locked", path_), {std::strerror(errno), {}, errno});
    if (std::chrono::steady_clock::now() >= deadline)
      throw Error(ErrorCode::busy, "another process has been writing to the database for the whole time allowed; try again")
          .set_retryable(true);
    std::this_thread::sleep_for(nap);
  }
}

void Gate::close() noexcept {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

void Gate::leave() noexcept {
  if (file_ >= 0) ::flock(file_, LOCK_UN);
}

}  // namespace quarry::sql::sqlite_driver
