#include "artifacts/blob_rows.hpp"

namespace quarry::artifacts {
namespace {

#define QUARRY_BLOB_COLUMNS                                                                                      \
  "b.hash, b.stored_bytes, b.ref_count, (select count(*) from artifacts where blob_hash = b.hash) as artifacts," \
  " b.unreferenced_since is not null as is_marked"

constexpr sql::Query<BlobRow(BlobHash, BlobHash, std::int64_t)> first_rows{
    "blob.first_rows",
    "select " QUARRY_BLOB_COLUMNS " from blobs b where b.hash >= $1 and b.hash <= $2 order by b.hash limit $3"};
constexpr sql::Query<BlobRow(BlobHash, BlobHash, std::int64_t)> next_rows{
    "blob.next_rows",
    "select " QUARRY_BLOB_COLUMNS " from blobs b where b.hash > $1 and b.hash <= $2 order by b.hash limit $3"};
constexpr sql::Query<BlobRow(BlobHash)> one_row{"blob.find",
                                                "select " QUARRY_BLOB_COLUMNS " from blobs b where b.hash = $1"};

constexpr sql::Command<std::int64_t(BlobHash)> lock_row{
    "blob.lock", sql::sqlite("select ref_count from blobs where hash = $1"),
    sql::postgres("select ref_count from blobs where hash = $1 for update")};
constexpr sql::Command<void(BlobHash, Instant)> recount_row{
    "blob.recount",
    "update blobs set ref_count = (select count(*) from artifacts where blob_hash = $1),"
    " unreferenced_since = case when exists (select 1 from artifacts where blob_hash = $1) then null else "
    "coalesce(unreferenced_since, $2) end"
    " where hash = $1"};
constexpr sql::Command<void(BlobHash, std::int64_t)> update_stored_bytes{
    "blob.set_stored_bytes", "update blobs set stored_bytes = $2 where hash = $1"};

}  // namespace

std::vector<BlobRow> read_blob_rows(const Database& db, std::uint8_t shard, const std::optional<BlobHash>& after,
                                    int limit) {
  return db.read([&](Read& tx) {
    return tx.all(after ? next_rows : first_rows, after.value_or(first_of_shard(shard)), last_of_shard(shard), limit);
  });
}

std::optional<BlobRow> read_blob_row(const Database& db, const BlobHash& hash) {
  return db.read([&](Read& tx) { return tx.one(one_row, hash); });
}

void recount(const Database& db, const BlobHash& hash) {
  db.write([&](Write& tx) {
    // Whoever adds a reference holds this lock until its artifact is in sight, so the count that follows misses none.
    if (tx.one(lock_row, hash)) tx.run(recount_row, hash, tx.now());
  });
}

void set_stored_bytes(const Database& db, const BlobHash& hash, std::int64_t stored_bytes) {
  db.write([&](Write& tx) { tx.run(update_stored_bytes, hash, stored_bytes); });
}

}  // namespace quarry::artifacts
