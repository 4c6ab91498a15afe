#include "artifacts/blob_refs.hpp"

namespace quarry::artifacts {
namespace {

struct AddedRow {
  BlobHash hash;
  std::int64_t size_bytes;
  std::int64_t stored_bytes;
  BlobEncoding encoding;
  BlobStorage storage;
  std::int64_t ref_count;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(AddedRow, (), (hash, size_bytes, stored_bytes, encoding, storage, ref_count, created_at))

constexpr sql::Command<void(AddedRow)> add_refs{
    "artifact.add_blob_refs",
    "insert into blobs (hash, size_bytes, stored_bytes, encoding, storage, ref_count, created_at) values ($1, $2, $3, $4, "
    "$5, $6, $7)"
    " on conflict (hash) do update set ref_count = blobs.ref_count + excluded.ref_count, unreferenced_since = null,"
    "  stored_bytes = excluded.stored_bytes, encoding = excluded.encoding, storage = excluded.storage"};

struct ReleasedRow {
  BlobHash hash;
  std::int64_t count;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(ReleasedRow, (), (hash, count, now))

constexpr sql::Command<void(ReleasedRow)> release_refs{"artifact.release_blob_refs",
                                                       "update blobs set ref_count = ref_count - $2, unreferenced_since = "
                                                       "case when ref_count = $2 then $3 end where hash = $1"};

}  // namespace

void BlobRefs::add(const StagedBlob& blob) {
  auto& change = changes_[blob.hash];
  ++change.by;
  change.blob = blob;
}

void BlobRefs::release(const BlobHash& hash) { --changes_[hash].by; }

void BlobRefs::apply_added(Write& tx) const {
  std::vector<AddedRow> rows;
  for (const auto& [hash, change] : changes_)
    if (change.by > 0)
      rows.push_back({hash, change.blob.size_bytes, change.blob.stored_bytes, change.blob.encoding, change.blob.storage,
                      change.by, tx.now()});
  if (!rows.empty()) tx.run_each(add_refs, rows);
}

void BlobRefs::apply_released(Write& tx) const {
  std::vector<ReleasedRow> rows;
  for (const auto& [hash, change] : changes_)
    if (change.by < 0) rows.push_back({hash, -change.by, tx.now()});
  if (!rows.empty()) tx.run_each(release_refs, rows);
}

}  // namespace quarry::artifacts
