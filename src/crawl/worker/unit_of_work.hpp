#pragma once
/// The transaction that finishes requests: all of it, or none of it.

#include <span>

#include "crawl/worker/outcome.hpp"
#include "quarry/artifacts/blob_store.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::crawl {

struct Committed {
  std::int64_t pages = 0;
  std::int64_t failed = 0;
  std::int64_t cancelled = 0;
  std::int64_t lost = 0;
  std::int64_t links = 0;
  std::int64_t results = 0;
};

/// Commits what `outcomes` say, of those whose leases are still held: artifacts, extractions, new pages, the jobs' figures,
/// the hosts' state, and the tasks' ends. `blobs` are the bodies of the outcomes with content, in order, and durable
/// already. A batch that was committed before (its outcome was unknown) finds no lease and changes nothing.
Committed commit_outcomes(Write& tx, std::span<const Outcome> outcomes, std::span<const artifacts::StagedBlob> blobs,
                          const Politeness& politeness);

}  // namespace quarry::crawl
