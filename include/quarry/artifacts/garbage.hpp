#pragma once
/// Taking away what nobody refers to: blobs whose last artifact is gone, files that no row knows (a writer died between its
/// `put` and its commit), and half-written files.
///
/// Nothing in use is ever taken, whoever writes meanwhile, as long as each writer commits within `grace` of its `put`:
///
///   1. a row is deleted only if nothing refers to it, in one transaction with the look;
///   2. its file is removed after that commit, and only if it was not put since the moment, `grace` before the run began, in
///   one step
///      with regard to every put.
///
/// A writer that puts the same body between 1 and 2 makes the file young, which stops 2; its transaction then makes the row
/// anew. A crash between 1 and 2 leaves a file without a row, which the next run takes. `docs/artifacts.md` has the whole
/// argument.
///
/// Errors: those of the blob store and of the database. Thread safety: that of its arguments.

#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <functional>

#include "quarry/artifacts/blob_store.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::artifacts {

/// Longer than any writer takes from `put` to commit, and than the clocks of the machines involved may differ.
inline constexpr std::chrono::microseconds grace_default = std::chrono::hours{1};

struct GarbageResult {
  std::int64_t blobs = 0;  ///< rows that nothing referred to
  std::int64_t blob_bytes = 0;
  std::int64_t stray_files = 0;  ///< bodies without a row
  std::int64_t stray_bytes = 0;
  std::int64_t abandoned_files = 0;  ///< half-written
  std::int64_t abandoned_bytes = 0;
  bool dry_run = false;  ///< nothing was taken, only counted
};
BOOST_DESCRIBE_STRUCT(GarbageResult, (),
                      (blobs, blob_bytes, stray_files, stray_bytes, abandoned_files, abandoned_bytes, dry_run))

struct GarbageOptions {
  std::chrono::microseconds grace = grace_default;
  bool dry_run = false;
  int rows_per_transaction = 500;
  /// Called between transactions with what was found so far.
  std::function<void(const GarbageResult&)> progress{};
};

/// May run while others write, and several at once.
GarbageResult collect_garbage(const Database& db, BlobStore& store, const GarbageOptions& options = {});

}  // namespace quarry::artifacts
