#pragma once
/// The committing thread: takes outcomes, makes bodies durable, and commits many pages in one transaction.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "crawl/worker/outcome.hpp"
#include "quarry/artifacts/blob_store.hpp"
#include "quarry/crawl/worker.hpp"

namespace quarry::crawl {

/// Thread safety: `submit`, `take_settled`, `drain` from one other thread.
class Committer {
 public:
  /// `settled` is called from the committing thread after each batch, to wake whoever waits for capacity. Once `stop` is
  /// requested, a database that is away is not waited for much longer.
  Committer(Database db, artifacts::BlobStore& blobs, const WorkerOptions& options, WorkerStats& stats, std::stop_token stop,
            std::function<void()> settled);
  /// Ends the thread; what was not committed is left to its leases.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  void submit(Outcome outcome);
  /// Numbers of the outcomes whose fate is settled since the last call: committed, failed or lost. Throws what ended the
  /// committing thread, if it has ended.
  std::vector<std::uint64_t> take_settled();
  /// Waits until everything submitted is settled. Throws as `take_settled`.
  void drain();

 private:
  void work();
  void commit(std::vector<Outcome>& batch);

  Database db_;
  artifacts::BlobStore& blobs_;
  const WorkerOptions& options_;
  WorkerStats& stats_;
  std::stop_token stop_;
  std::function<void()> settled_callback_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Outcome> waiting_;
  std::vector<std::uint64_t> settled_;
  std::size_t in_hand_ = 0;  ///< outcomes of the batch being committed
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace quarry::crawl
