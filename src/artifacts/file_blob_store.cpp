#include "quarry/artifacts/file_blob_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "artifacts/blob_batch.hpp"
#include "artifacts/blob_codec.hpp"
#include "artifacts/blob_folder.hpp"

namespace quarry::artifacts {
namespace {

Instant put_time(const struct stat& info) {
  return {static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000 + info.st_mtim.tv_nsec / 1000};
}

class Sha256 {
 public:
  Sha256() { crypto_hash_sha256_init(&state_); }
  void update(std::span<const std::byte> piece) {
    crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(piece.data()), piece.size());
  }
  BlobHash finish() {
    BlobHash hash;
    crypto_hash_sha256_final(&state_, hash.bytes.data());
    return hash;
  }

 private:
  crypto_hash_sha256_state state_{};
};

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

OpenFolder open_for_reading(const Fd& folder, const std::filesystem::path& where) {
  // The stream closes what it reads from, so it gets a descriptor of its own.
  Fd own(::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  OpenFolder opened(own ? ::fdopendir(own.get()) : nullptr);
  if (!opened) throw file_error(errno, "read the folder", where);
  own.release();
  return opened;
}

/// Calls `visit(name, stat)` for every regular file.
template <class Visit>
void for_each_file(const Fd& folder, const std::filesystem::path& where, Visit visit) {
  const auto opened = open_for_reading(folder, where);
  while (true) {
    errno = 0;
    const auto* entry = ::readdir(opened.get());
    if (!entry && errno != 0) throw file_error(errno, "read the folder", where);
    if (!entry) return;
    struct stat info {};
    if (::fstatat(folder.get(), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone since it was listed
    if (S_ISREG(info.st_mode)) visit(entry->d_name, info);
  }
}

std::optional<BlobHash> hash_named(std::string_view name) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (name.size() != 64 || !std::all_of(name.begin(), name.end(), is_digit)) return std::nullopt;
  return parse_blob_hash(name);
}

}  // namespace

struct FileBlobStore::Impl {
  FileBlobStoreOptions options;
  BlobFolder folder;
};

StagedBlob BlobStore::put(std::span<const std::byte> body) { return put_many({&body, 1}).front(); }

FileBlobStore::FileBlobStore(std::filesystem::path root, FileBlobStoreOptions options)
    : impl_(new Impl{std::move(options), {std::move(root), options.create}}) {
  if (!impl_->options.clock) impl_->options.clock = std::make_shared<SystemClock>();
}

FileBlobStore::~FileBlobStore() = default;

Instant FileBlobStore::now() const { return impl_->options.clock->now(); }
const std::filesystem::path& FileBlobStore::root() const noexcept { return impl_->folder.root(); }
std::filesystem::path FileBlobStore::path_of(const BlobHash& hash) const { return impl_->folder.path_of(hash); }

std::vector<StagedBlob> FileBlobStore::put_many(std::span<const std::span<const std::byte>> bodies) {
  BlobBatch batch(impl_->folder, impl_->options, now(), bodies.size());
  for (const auto body : bodies) batch.add(body);
  if (bodies.empty()) return {};
  return batch.publish();
}

Bytes FileBlobStore::get(const BlobHash& hash) {
  const auto file = impl_->folder.open_body(hash);
  if (!file) throw Error(ErrorCode::not_found, fmt::format("the blob {} is not in '{}'", to_string(hash), root().native()));
  Bytes body;
  Sha256 sha;
  auto collect = [&](std::span<const std::byte> piece) {
    sha.update(piece);
    body.insert(body.end(), piece.begin(), piece.end());
    return true;
  };
  const auto read = decode_body(file->get(), impl_->options.body_bytes_max, collect);
  if (read.outcome == Decoded::failed) throw file_error(errno, "read the blob", path_of(hash));
  if (read.outcome != Decoded::whole || sha.finish() != hash)
    throw Error(ErrorCode::corrupt,
                fmt::format("the blob {} is damaged: restore the file '{}' from a backup, or fetch its source again",
                            to_string(hash), path_of(hash).native()));
  return body;
}

BlobCheck FileBlobStore::verify(const BlobHash& hash) {
  const auto file = impl_->folder.open_body(hash);
  if (!file) return {BlobState::missing, 0};
  BlobCheck check;
  Sha256 sha;
  auto count = [&](std::span<const std::byte> piece) {
    sha.update(piece);
    check.size_bytes += static_cast<std::int64_t>(piece.size());
    return true;
  };
  const auto read = decode_body(file->get(), impl_->options.body_bytes_max, count);
  if (read.outcome != Decoded::whole || sha.finish() != hash) return {BlobState::damaged, 0};
  return check;
}

std::optional<BlobInfo> FileBlobStore::find(const BlobHash& hash) {
  const auto file = impl_->folder.open_body(hash);
  if (!file) return std::nullopt;
  struct stat info {};
  if (::fstat(file->get(), &info) != 0) throw file_error(errno, "look at the blob", path_of(hash));
  return BlobInfo{hash, info.st_size, put_time(info)};
}

bool FileBlobStore::remove(const BlobHash& hash) {
  const auto shard = impl_->folder.open_shard(hash.bytes[0], ShardLock::exclusive);
  if (!shard) return false;
  if (::unlinkat(shard->get(), to_string(hash).c_str(), 0) == 0) return true;
  if (errno != ENOENT) throw file_error(errno, "remove the blob", path_of(hash));
  return false;
}

bool FileBlobStore::remove_unless_put_after(const BlobHash& hash, Instant moment) {
  const auto shard = impl_->folder.open_shard(hash.bytes[0], ShardLock::exclusive);
  if (!shard) return false;
  const auto name = to_string(hash);
  struct stat info {};
  if (::fstatat(shard->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return false;
    throw file_error(errno, "look at the blob", path_of(hash));
  }
  if (put_time(info) > moment) return false;
  if (::unlinkat(shard->get(), name.c_str(), 0) != 0) throw file_error(errno, "remove the blob", path_of(hash));
  return true;
}

std::vector<BlobInfo> FileBlobStore::list(std::uint8_t shard) {
  std::vector<BlobInfo> found;
  const auto folder = impl_->folder.open_shard(shard, ShardLock::none);
  if (!folder) return found;
  for_each_file(*folder, root(), [&](const char* name, const struct stat& info) {
    const auto hash = hash_named(name);
    if (hash && hash->bytes[0] == shard) found.push_back({*hash, info.st_size, put_time(info)});
  });
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.hash < b.hash; });
  return found;
}

Abandoned FileBlobStore::remove_abandoned(std::chrono::microseconds grace, bool dry_run) {
  Abandoned done;
  const auto folder = impl_->folder.open_incoming(false);
  if (!folder) return done;
  for_each_file(*folder, root(), [&](const char* name, const struct stat& info) {
    if (now() - put_time(info) < grace) return;
    if (!dry_run && ::unlinkat(folder->get(), name, 0) != 0) {
      if (errno == ENOENT) return;
      throw file_error(errno, "remove an abandoned file from", root());
    }
    ++done.files;
    done.bytes += info.st_size;
  });
  return done;
}

}  // namespace quarry::artifacts
