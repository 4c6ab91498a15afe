#include "quarry/artifacts/fsck.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "artifacts/blob_rows.hpp"
#include "artifacts/search_index.hpp"
#include "quarry/core/error.hpp"

namespace quarry::artifacts {
namespace {

class Fsck {
 public:
  Fsck(const Database& db, BlobStore& store, const FsckOptions& options)
      : db_(db), store_(store), options_(options), moment_(store.now() - options.grace) {}

  FsckResult run() {
    for (int shard = 0; shard < 256; ++shard) check_shard(static_cast<std::uint8_t>(shard));
    const auto abandoned = store_.remove_abandoned(options_.grace, !options_.repair);
    result_.abandoned_files = abandoned.files;
    result_.abandoned_bytes = abandoned.bytes;
    if (options_.deep) check_search_index();
    return std::move(result_);
  }

 private:
  /// A merge of two ordered lists: the shard's files, taken first, and its rows, read piece by piece.
  void check_shard(std::uint8_t shard) {
    const auto files = store_.list(shard);
    auto file = files.begin();
    std::optional<BlobHash> after;
    while (true) {
      const auto rows = read_blob_rows(db_, shard, after, options_.rows_per_transaction);
      for (const auto& row : rows) {
        for (; file != files.end() && file->hash < row.hash; ++file) check_stray(*file);
        const bool is_there = file != files.end() && file->hash == row.hash;
        check_row(row, is_there ? &*file : nullptr);
        if (is_there) ++file;
      }
      if (options_.progress) options_.progress(result_);
      if (std::cmp_less(rows.size(), options_.rows_per_transaction)) break;
      after = rows.back().hash;
    }
    for (; file != files.end(); ++file) check_stray(*file);
  }

  void check_row(const BlobRow& row, const BlobInfo* file) {
    ++result_.blobs;
    if (file) result_.stored_bytes += file->stored_bytes;
    if (row.ref_count != row.artifacts || row.is_marked != (row.artifacts == 0)) {
      if (options_.repair) recount(db_, row.hash);
      ++result_.wrong_ref_counts;
      note(FsckFinding::wrong_ref_count, row, options_.repair);
    }
    // A body that nothing refers to is garbage, whatever its state.
    if (row.artifacts == 0) return;
    const bool is_suspect = !file || file->stored_bytes != row.stored_bytes;
    if (options_.deep || is_suspect) check_body(row);
  }

  /// One body that cannot be looked at says nothing of the others.
  void check_body(const BlobRow& row) {
    try {
      look_at_body(row);
    } catch (const Error& error) {
      if (!error.query_name().empty()) throw;
      if (error.code() == ErrorCode::corrupt) return lose(row, FsckFinding::damaged_body, result_.damaged);
      const int cause = error.native_code();
      if (error.code() != ErrorCode::denied && cause != EIO && cause != ENXIO && cause != ENODEV) throw;
      lose(row, FsckFinding::unreadable_body, result_.unreadable);
    }
  }

  void look_at_body(const BlobRow& row) {
    const auto check = store_.verify(row.hash);
    if (check.state == BlobState::whole) {
      ++result_.bodies_hashed;
      const auto now = store_.find(row.hash);
      const auto row_now = read_blob_row(db_, row.hash);
      if (now && row_now && now->stored_bytes != row_now->stored_bytes) fix_size(row, now->stored_bytes);
      return;
    }
    const bool is_missing = check.state == BlobState::missing;
    lose(row, is_missing ? FsckFinding::missing_body : FsckFinding::damaged_body,
         is_missing ? result_.missing : result_.damaged);
  }

  void lose(const BlobRow& row, FsckFinding finding, std::int64_t& count) {
    // Its last artifact may have been purged and the body collected since the row was read.
    const auto again = read_blob_row(db_, row.hash);
    if (!again || again->artifacts == 0) return;
    ++count;
    result_.lost_artifacts += again->artifacts;
    note(finding, *again, false);
  }

  void fix_size(const BlobRow& row, std::int64_t stored_bytes) {
    if (options_.repair) set_stored_bytes(db_, row.hash, stored_bytes);
    ++result_.wrong_sizes;
    note(FsckFinding::wrong_size, row, options_.repair);
  }

  void check_stray(const BlobInfo& file) {
    if (file.last_put_at > moment_) return;
    // A row of a later piece of the shard cannot be this file's: both lists are in order. One made since then can.
    if (read_blob_row(db_, file.hash)) return;
    const bool removed = options_.repair && store_.remove_unless_put_after(file.hash, moment_);
    ++result_.stray_files;
    result_.stray_bytes += file.stored_bytes;
    note(FsckFinding::stray_file, {file.hash, file.stored_bytes, 0, 0, false}, removed);
  }

  void check_search_index() {
    const auto progress = [&] {
      if (options_.progress) options_.progress(result_);
    };
    const auto artifacts = count_wrongly_indexed(db_, progress);
    if (artifacts == 0) return;
    if (options_.repair) mend_search_index(db_, progress);
    result_.wrongly_indexed = artifacts;
    const bool mended = options_.repair && count_wrongly_indexed(db_, progress) == 0;
    note({FsckFinding::wrong_search_index, "", artifacts, mended});
  }

  void note(FsckFinding finding, const BlobRow& row, bool repaired) {
    note({finding, to_string(row.hash), row.artifacts, repaired});
  }
  void note(FsckProblem problem) {
    result_.repaired += problem.repaired;
    if (!problem.repaired && problem.finding != FsckFinding::stray_file) result_.is_sound = false;
    if (result_.problems.size() < options_.problems_max) result_.problems.push_back(std::move(problem));
  }

  const Database& db_;
  BlobStore& store_;
  const FsckOptions& options_;
  const Instant moment_;  ///< younger files without a row may be about to get one
  FsckResult result_;
};

}  // namespace

FsckResult check_store(const Database& db, BlobStore& store, const FsckOptions& options) {
  return Fsck(db, store, options).run();
}

}  // namespace quarry::artifacts
