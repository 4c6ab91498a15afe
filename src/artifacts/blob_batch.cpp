#include "artifacts/blob_batch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "artifacts/blob_codec.hpp"

namespace quarry::artifacts {

BlobBatch::BlobBatch(BlobFolder& folder, const FileBlobStoreOptions& options, Instant now, std::size_t size)
    : folder_(folder), options_(options), now_(now), size_(size), sync_failures_(folder.sync_failures()) {
  entries_.reserve(size);
}

BlobBatch::~BlobBatch() {
  for (const auto& entry : entries_)
    if (!entry.incoming.empty()) ::unlinkat(incoming_.get(), entry.incoming.c_str(), 0);
}

void BlobBatch::add(std::span<const std::byte> body) {
  if (std::cmp_greater(body.size(), options_.body_bytes_max))
    throw_invalid(fmt::format("a body of {} bytes is too large: {} is the most", body.size(), options_.body_bytes_max));
  const auto hash = hash_of(body);
  const auto [place, is_new] = by_hash_.try_emplace(hash, entries_.size());
  order_.push_back(place->second);
  if (!is_new) return;
  auto& entry = entries_.emplace_back();
  entry.body = body;
  entry.staged.hash = hash;
  entry.staged.size_bytes = static_cast<std::int64_t>(body.size());
  if (!find_copy(entry)) write(entry);
}

/// Compares byte by byte: the body is at hand, so a copy that has rotted is found and replaced instead of being relied on.
bool BlobBatch::find_copy(Entry& entry) const {
  const auto file = folder_.open_body(entry.staged.hash);
  if (!file) return false;
  auto rest = entry.body;
  auto is_next = [&rest](std::span<const std::byte> piece) {
    if (piece.size() > rest.size() || std::memcmp(piece.data(), rest.data(), piece.size()) != 0) return false;
    rest = rest.subspan(piece.size());
    return true;
  };
  const auto read = decode_body(file->get(), options_.body_bytes_max, is_next);
  struct stat info {};
  if (read.outcome != Decoded::whole || !rest.empty() || ::fstat(file->get(), &info) != 0) return false;
  entry.staged.existed = true;
  entry.staged.encoding = read.encoding;
  entry.staged.stored_bytes = info.st_size;
  return true;
}

void BlobBatch::write(Entry& entry) {
  if (!incoming_) incoming_ = *folder_.open_incoming(true);
  auto [fd, name] = folder_.create_incoming(incoming_, entry.staged.hash);
  entry.incoming = std::move(name);
  const auto encoded = encode_body(fd.get(), entry.body, options_.zstd_level);
  int error = encoded.error;
  if (error == 0) error = set_put_time(incoming_.get(), entry.incoming.c_str(), now_);
  if (error == 0 && options_.durable && syncs_singly() && ::fsync(fd.get()) != 0) error = errno;
  if (fd.close() != 0 && error == 0) error = errno;
  if (error != 0) throw file_error(error, "write a blob to", folder_.root());
  entry.staged.encoding = encoded.encoding;
  entry.staged.stored_bytes = encoded.stored_bytes;
  entry.staged.existed = false;
}

void BlobBatch::write_again(Entry& entry) {
  write(entry);
  if (options_.durable && !syncs_singly()) folder_.sync_all(sync_failures_);
}

/// The shared lock keeps `remove_unless_put_after` from removing, between its look at the time and its removal, what we rely
/// on.
void BlobBatch::place(Entry& entry) {
  const auto name = to_string(entry.staged.hash);
  const auto shard = folder_.open_or_make_shard(entry.staged.hash.bytes[0], ShardLock::shared);
  if (entry.incoming.empty()) {
    const int error = set_put_time(shard.get(), name.c_str(), now_);
    if (error == ENOENT)
      write_again(entry);  // collected since we looked
    else if (error != 0)
      throw file_error(error, "set the time of the blob", folder_.path_of(entry.staged.hash));
  }
  for (int attempt = 1; !entry.incoming.empty(); ++attempt) {
    if (::renameat(incoming_.get(), entry.incoming.c_str(), shard.get(), name.c_str()) == 0) {
      entry.incoming.clear();
    } else if (errno == ENOENT && attempt < 3) {
      // Somebody whose clock is far from ours, or a program that cleans up, took it for abandoned.
      write_again(entry);
    } else {
      throw file_error(errno, "give its name to the blob", folder_.path_of(entry.staged.hash));
    }
  }
  if (options_.durable && syncs_singly() && ::fsync(shard.get()) != 0) throw file_error(errno, "write to", folder_.root());
}

std::vector<StagedBlob> BlobBatch::publish() {
  const bool all_at_once = options_.durable && !syncs_singly();
  const auto is_written = [](const Entry& entry) { return !entry.incoming.empty(); };
  if (all_at_once && std::any_of(entries_.begin(), entries_.end(), is_written)) folder_.sync_all(sync_failures_);
  for (auto& entry : entries_) place(entry);
  // Also when every body was there already: its writer may have given it its name a moment ago and not have synced that yet.
  if (all_at_once) folder_.sync_all(sync_failures_);
  std::vector<StagedBlob> staged;
  staged.reserve(order_.size());
  for (const auto index : order_) staged.push_back(entries_[index].staged);
  return staged;
}

}  // namespace quarry::artifacts
