#pragma once
/// Maintains the database on a schedule, from a thread of its own, as long as it lives; and, more often, gives up jobs that
/// take too long.
///
/// Any number of programs may do so at once: one of them leads, and what it has done counts for all. The first run comes a
/// while after the start, the others `maintain.interval_minutes` after the last one of any program; both are jittered, so
/// that programs that started together do not all ask at once. Trouble is logged, and tried again.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "quarry/artifacts/blob_store.hpp"
#include "quarry/sql/database.hpp"
#include "quarry/system/key_ring.hpp"

namespace quarry::cli {

class MaintainRunner {
 public:
  MaintainRunner(Database db, artifacts::BlobStore& blobs, std::chrono::milliseconds first_after,
                 std::optional<system::KeyRing> keys = {});
  /// Waits for the transaction that is under way.
  ~MaintainRunner();
  MaintainRunner(const MaintainRunner&) = delete;
  MaintainRunner& operator=(const MaintainRunner&) = delete;

  std::int64_t runs() const noexcept { return runs_; }

 private:
  void run(std::stop_token stop);
  void look(std::stop_token stop);
  bool is_due();
  void warn(const std::string& trouble);

  Database db_;
  artifacts::BlobStore& blobs_;
  const std::optional<system::KeyRing> keys_;
  const Instant first_at_;
  double jitter_ = 1;  ///< of the interval: from nine tenths to eleven
  std::string last_trouble_;
  std::atomic<std::int64_t> runs_{0};
  std::jthread thread_;
};

}  // namespace quarry::cli
