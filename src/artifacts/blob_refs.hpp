#pragma once
/// References to blobs, counted in the transaction that makes or ends them.

#include <map>

#include "quarry/artifacts/blob_store.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::artifacts {

/// Collects what a call does to the counts and applies it in the order of the hashes, so that two transactions rarely wait
/// for each other in a circle.
class BlobRefs {
 public:
  void add(const StagedBlob& blob);
  void release(const BlobHash& hash);

  /// Makes the rows that artifacts are about to refer to. Before the artifacts are written.
  void apply_added(Write& tx) const;
  /// After the artifacts are written.
  void apply_released(Write& tx) const;

 private:
  struct Change {
    std::int64_t by = 0;
    StagedBlob blob{};  ///< known when something was added
  };
  std::map<BlobHash, Change> changes_;
};

}  // namespace quarry::artifacts
