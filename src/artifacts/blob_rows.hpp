#pragma once
/// The rows of blobs by shard, as garbage collection and fsck walk them: a shard's files and its rows, both in the order of
/// the hash.

#include <optional>
#include <vector>

#include "quarry/artifacts/blob_store.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::artifacts {

struct BlobRow {
  BlobHash hash;
  std::int64_t stored_bytes = 0;
  std::int64_t ref_count = 0;
  std::int64_t artifacts = 0;  ///< that refer to it
  bool is_marked = false;      ///< as unreferenced
};
BOOST_DESCRIBE_STRUCT(BlobRow, (), (hash, stored_bytes, ref_count, artifacts, is_marked))

inline BlobHash first_of_shard(std::uint8_t shard) {
  BlobHash hash;
  hash.bytes[0] = shard;
  return hash;
}

inline BlobHash last_of_shard(std::uint8_t shard) {
  BlobHash hash;
  hash.bytes.fill(0xFF);
  hash.bytes[0] = shard;
  return hash;
}

/// The next rows of a shard behind `after`; the shard's first ones without it.
std::vector<BlobRow> read_blob_rows(const Database& db, std::uint8_t shard, const std::optional<BlobHash>& after, int limit);
std::optional<BlobRow> read_blob_row(const Database& db, const BlobHash& hash);
/// Counts the artifacts anew and sets `ref_count` and the mark accordingly. Correct while others put and purge.
void recount(const Database& db, const BlobHash& hash);
void set_stored_bytes(const Database& db, const BlobHash& hash, std::int64_t stored_bytes);

}  // namespace quarry::artifacts
