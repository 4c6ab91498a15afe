#include "artifacts/blob_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace quarry::artifacts {
namespace {

constexpr const char* incoming = "tmp";
constexpr mode_t folder_mode = 0750;
constexpr mode_t file_mode = 0640;

std::string shard_name(std::uint8_t byte) { return fmt::format("{:02x}", byte); }

Fd open_folder(int at, const char* name) { return Fd(::openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

/// A new folder is durable when its parent is: a body in it would otherwise be lost with it.
Fd make_folder(int at, const char* name, const std::filesystem::path& where) {
  if (::mkdirat(at, name, folder_mode) != 0 && errno != EEXIST) throw file_error(errno, "make the folder", where);
  auto made = open_folder(at, name);
  if (!made) throw file_error(errno, "open the folder", where);
  if (at != AT_FDCWD && ::fsync(at) != 0) throw file_error(errno, "write to", where.parent_path());
  return made;
}

}  // namespace

BlobFolder::BlobFolder(std::filesystem::path root, bool create) : root_(std::move(root)) {
  if (root_.empty()) throw_invalid("the folder for blobs has no name: write it as data/blobs");
  if (!root_.has_filename()) root_ = root_.parent_path();  // `data/blobs/`, as shells complete it
  root_fd_ = open_folder(AT_FDCWD, root_.c_str());
  if (root_fd_) return;
  if (errno != ENOENT || !create) throw file_error(errno, "open the folder for blobs", root_);
  const auto parent = root_.has_parent_path() ? root_.parent_path() : std::filesystem::path(".");
  const auto parent_fd = open_folder(AT_FDCWD, parent.c_str());
  if (!parent_fd) throw file_error(errno, fmt::format("make the folder for blobs '{}' in", root_.native()), parent);
  root_fd_ = make_folder(parent_fd.get(), root_.filename().c_str(), root_);
}

std::filesystem::path BlobFolder::path_of(const BlobHash& hash) const {
  return root_ / shard_name(hash.bytes[0]) / to_string(hash);
}

void BlobFolder::lock(const Fd& shard, ShardLock how) const {
  if (how == ShardLock::none) return;
  while (::flock(shard.get(), how == ShardLock::shared ? LOCK_SH : LOCK_EX) != 0)
    // NFS answers EBADF: it turns these locks into ones that want a file open for writing.
    if (errno != EINTR) throw file_error(errno == EBADF ? ENOLCK : errno, "lock the folder for blobs", root_);
}

std::optional<Fd> BlobFolder::open_shard(std::uint8_t byte, ShardLock how) const {
  auto shard = open_folder(root_fd_.get(), shard_name(byte).c_str());
  if (!shard && errno == ENOENT) return std::nullopt;
  if (!shard) throw file_error(errno, "open the folder", root_ / shard_name(byte));
  lock(shard, how);
  return shard;
}

Fd BlobFolder::open_or_make_shard(std::uint8_t byte, ShardLock how) {
  if (auto found = open_shard(byte, how)) return *std::move(found);
  auto made = make_folder(root_fd_.get(), shard_name(byte).c_str(), root_ / shard_name(byte));
  lock(made, how);
  return made;
}

std::optional<Fd> BlobFolder::open_body(const BlobHash& hash) const {
  const auto name = shard_name(hash.bytes[0]) + "/" + to_string(hash);
  Fd body(::openat(root_fd_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (body) return body;
  if (errno == ENOENT) return std::nullopt;
  if (errno == ELOOP)
    throw Error(ErrorCode::corrupt,
                fmt::format("'{}' is a link, and bodies are files: restore it from a backup, or fetch its "
                            "source again",
                            path_of(hash).native()));
  throw file_error(errno, "open the blob", path_of(hash));
}

std::optional<Fd> BlobFolder::open_incoming(bool make) const {
  auto folder = open_folder(root_fd_.get(), incoming);
  if (folder) return folder;
  if (errno != ENOENT) throw file_error(errno, "open the folder", root_ / incoming);
  if (!make) return std::nullopt;
  return make_folder(root_fd_.get(), incoming, root_ / incoming);
}

BlobFolder::Incoming BlobFolder::create_incoming(const Fd& folder, const BlobHash& hash) {
  while (true) {
    // Processes of several containers may share their number, and a crashed one's files may still be there: the next number
    // is free.
    auto name = fmt::format("{}.{}.{}", to_string(hash), ::getpid(), created_.fetch_add(1, std::memory_order_relaxed));
    Fd fd(::openat(folder.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file_mode));
    if (fd) return {std::move(fd), std::move(name)};
    if (errno != EEXIST) throw file_error(errno, "write to", root_ / incoming);
  }
}

std::uint64_t BlobFolder::sync_failures() const {
  const std::scoped_lock lock(sync_mutex_);
  return sync_failures_;
}

void BlobFolder::sync_all(std::uint64_t failures_before) {
  std::unique_lock lock(sync_mutex_);
  // One that is under way may have passed our files already.
  const auto needed = syncs_begun_ + 1;
  while (syncs_ended_ < needed) {
    if (syncs_begun_ != syncs_ended_) {
      sync_ended_.wait(lock);
      continue;
    }
    ++syncs_begun_;
    lock.unlock();
    const int error = ::syncfs(root_fd_.get()) == 0 ? 0 : errno;
    lock.lock();
    if (error != 0) {
      ++sync_failures_;
      sync_error_ = error;
    }
    ++syncs_ended_;
    sync_ended_.notify_all();
  }
  if (sync_failures_ != failures_before) throw file_error(sync_error_, "write to", root_);
}

int set_put_time(int folder, const char* name, Instant at) noexcept {
  const timespec time{static_cast<time_t>(at.us / 1'000'000), static_cast<long>(at.us % 1'000'000 * 1000)};
  const timespec times[2] = {time, time};
  return ::utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

}  // namespace quarry::artifacts
