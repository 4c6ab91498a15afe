#pragma once
/// Does what the rows say agree with what lies in the blob store, and does search know what the texts say?
///
/// Checked: every blob that an artifact refers to exists and has the stored size, with `deep` also the hash of every body,
/// and the full-text index; every `ref_count` is the number of artifacts that refer to it; files without a row; half-written
/// files. With `repair`, counts are set right, old files without a row removed, and with `deep` the index is built anew
/// where it is wrong. A body that is missing or damaged cannot be made from anything: it is reported with the number of
/// artifacts that have lost it, and is healed by putting the same body again.
///
/// May run while others write: what changes meanwhile is looked at again before it is reported. On SQLite, writers wait
/// while the index is compared (about a second for 50 MB of text) or built anew (four times that).
///
/// Errors: those of the blob store as a whole and of the database; what is found wrong with a body is a value. Thread
/// safety: that of its arguments.

#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "quarry/artifacts/garbage.hpp"

namespace quarry::artifacts {

enum class FsckFinding {
  missing_body,     ///< referred to, and not in the store
  damaged_body,     ///< does not match its hash
  unreadable_body,  ///< there, but the system does not let this user read it
  wrong_size,       ///< whole, but the row gives another stored size
  wrong_ref_count,  ///< or marked as unreferenced without being so
  stray_file,       ///< a body without a row, older than the grace period: garbage
  /// search misses artifacts or finds wrong ones, as the index does not say what the texts say
  wrong_search_index,
};
BOOST_DESCRIBE_ENUM(FsckFinding, missing_body, damaged_body, unreadable_body, wrong_size, wrong_ref_count, stray_file,
                    wrong_search_index)

struct FsckProblem {
  FsckFinding finding = FsckFinding::missing_body;
  std::string blob;            ///< its hash, in hexadecimal; empty where it is about no body
  std::int64_t artifacts = 0;  ///< that refer to it; of an index, those that it may be wrong about
  bool repaired = false;
};
BOOST_DESCRIBE_STRUCT(FsckProblem, (), (finding, blob, artifacts, repaired))

struct FsckResult {
  std::int64_t blobs = 0;         ///< rows looked at
  std::int64_t stored_bytes = 0;  ///< that their files take
  std::int64_t bodies_hashed = 0;
  std::int64_t missing = 0;
  std::int64_t damaged = 0;
  std::int64_t unreadable = 0;
  std::int64_t lost_artifacts = 0;  ///< that refer to a missing, damaged or unreadable body
  std::int64_t wrong_sizes = 0;
  std::int64_t wrong_ref_counts = 0;
  std::int64_t stray_files = 0;
  std::int64_t stray_bytes = 0;
  std::int64_t abandoned_files = 0;
  std::int64_t abandoned_bytes = 0;
  std::int64_t wrongly_indexed = 0;  ///< artifacts; all of them on SQLite, which cannot tell which ones
  std::int64_t repaired = 0;
  std::vector<FsckProblem> problems;  ///< the first `problems_max` of them
  /// Nothing is wrong. Garbage, which `collect_garbage` takes, is nothing wrong; neither is what was repaired.
  bool is_sound = true;
};
BOOST_DESCRIBE_STRUCT(FsckResult, (),
                      (blobs, stored_bytes, bodies_hashed, missing, damaged, unreadable, lost_artifacts, wrong_sizes,
                       wrong_ref_counts, stray_files, stray_bytes, abandoned_files, abandoned_bytes, wrongly_indexed,
                       repaired, problems, is_sound))

struct FsckOptions {
  bool deep = false;
  bool repair = false;
  std::chrono::microseconds grace = grace_default;  ///< younger files without a row may be about to get one
  int rows_per_transaction = 500;
  std::size_t problems_max = 1000;
  /// Called between transactions with what was found so far.
  std::function<void(const FsckResult&)> progress{};
};

/// Looks at the whole store, in transactions of at most `rows_per_transaction` rows; with `deep` it reads every
/// body and every text.
FsckResult check_store(const Database& db, BlobStore& store, const FsckOptions& options = {});

}  // namespace quarry::artifacts
