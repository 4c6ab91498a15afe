#include "quarry/artifacts/garbage.hpp"

#include <unordered_set>
#include <utility>

#include "artifacts/blob_rows.hpp"

namespace quarry::artifacts {
namespace {

struct Unreferenced {
  BlobHash hash;
  std::int64_t stored_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(Unreferenced, (), (hash, stored_bytes))

// The artifacts are asked as well: a wrong count must not cost a body.
#define QUARRY_UNREFERENCED                                                                             \
  "select hash, stored_bytes from blobs where unreferenced_since <= $1 and ref_count = 0 and hash > $2" \
  " and not exists (select 1 from artifacts where blob_hash = blobs.hash) order by hash limit $3"

constexpr sql::Command<Unreferenced(Instant, BlobHash, std::int64_t)> find_unreferenced{
    "blob.find_unreferenced", sql::sqlite(QUARRY_UNREFERENCED),
    sql::postgres(QUARRY_UNREFERENCED " for update skip locked")};
constexpr sql::Query<Unreferenced(Instant, BlobHash, std::int64_t)> look_for_unreferenced{"blob.look_for_unreferenced",
                                                                                          QUARRY_UNREFERENCED};
constexpr sql::Command<void(BlobHash)> delete_row{"blob.delete", "delete from blobs where hash = $1 and ref_count = 0"};

class Collector {
 public:
  Collector(const Database& db, BlobStore& store, const GarbageOptions& options)
      : db_(db), store_(store), options_(options), moment_(store.now() - options.grace) {
    result_.dry_run = options.dry_run;
  }

  GarbageResult run() {
    take_unreferenced();
    for (int shard = 0; shard < 256; ++shard) take_strays(static_cast<std::uint8_t>(shard));
    const auto abandoned = store_.remove_abandoned(options_.grace, options_.dry_run);
    result_.abandoned_files = abandoned.files;
    result_.abandoned_bytes = abandoned.bytes;
    report();
    return result_;
  }

 private:
  void take_unreferenced() {
    BlobHash after;
    while (true) {
      const auto found = options_.dry_run ? look_for_rows(after) : delete_rows(after);
      for (const auto& blob : found) {
        // The row is gone for good: whoever needs the body now has put it again since, and its time tells.
        if (!options_.dry_run) store_.remove_unless_put_after(blob.hash, moment_);
        ++result_.blobs;
        result_.blob_bytes += blob.stored_bytes;
      }
      report();
      if (std::cmp_less(found.size(), options_.rows_per_transaction)) return;
      after = found.back().hash;
    }
  }

  std::vector<Unreferenced> look_for_rows(const BlobHash& after) const {
    return db_.read([&](Read& tx) {
      return tx.all(look_for_unreferenced, tx.now() - options_.grace, after, options_.rows_per_transaction);
    });
  }
  std::vector<Unreferenced> delete_rows(const BlobHash& after) const {
    return db_.write([&](Write& tx) {
      auto found = tx.all(find_unreferenced, tx.now() - options_.grace, after, options_.rows_per_transaction);
      std::vector<BlobHash> hashes;
      for (const auto& blob : found) hashes.push_back(blob.hash);
      if (!hashes.empty()) tx.run_each(delete_row, hashes);
      return found;
    });
  }

  /// The files are listed before the rows are read: a body that gets its row in between has one, and one that gets it later
  /// is young.
  void take_strays(std::uint8_t shard) {
    auto files = store_.list(shard);
    if (files.empty()) return;
    std::unordered_set<BlobHash> known;
    std::optional<BlobHash> after;
    while (true) {
      const auto rows = read_blob_rows(db_, shard, after, options_.rows_per_transaction);
      for (const auto& row : rows) known.insert(row.hash);
      if (std::cmp_less(rows.size(), options_.rows_per_transaction)) break;
      after = rows.back().hash;
    }
    for (const auto& file : files) {
      if (known.contains(file.hash) || file.last_put_at > moment_) continue;
      if (!options_.dry_run && !store_.remove_unless_put_after(file.hash, moment_)) continue;
      ++result_.stray_files;
      result_.stray_bytes += file.stored_bytes;
    }
    report();
  }

  void report() const {
    if (options_.progress) options_.progress(result_);
  }

  const Database& db_;
  BlobStore& store_;
  const GarbageOptions& options_;
  /// Taken before any row is looked at, and not later: this process may be put to sleep between a look and a removal.
  const Instant moment_;
  GarbageResult result_;
};

}  // namespace

GarbageResult collect_garbage(const Database& db, BlobStore& store, const GarbageOptions& options) {
  return Collector(db, store, options).run();
}

}  // namespace quarry::artifacts
