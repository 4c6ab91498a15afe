#pragma once
/// The crawl worker: fetches the pages of every crawl job in the queue, within politeness, and commits what it finds.
///
///     crawl::Worker worker(db, blobs, {.fetcher = {.user_agent = "me/1.0 (+https://me.example)"}});
///     worker.run(stop.get_token());
///
/// One unit of work is one transaction: the task's end, its artifact, extraction and links, the job's figures and the host's
/// state are committed together, many pages at a time. A body's file is durable before that. `kill -9` at any moment leaves
/// a page done or to do, never half done, and nothing twice: whoever lost the lease commits nothing.
///
/// Three threads: one fetches and parses, one commits, and one keeps the leases alive meanwhile (`queue::LeaseKeeper`). A
/// batch that waits to be committed holds back the fetching, so memory stays bounded.
///
/// Who cancels a task or its job is heard within a second: the transfer is broken off, and the task ends as cancelled. It is
/// no failure, and the host is not held to account. What had been fetched by then is kept.
///
/// Errors: trouble with pages is recorded with their tasks. A database that cannot be reached is waited for, with backoff,
/// until `give_up_after`; then `run` throws what the database threw. Who asks it to stop meanwhile waits two seconds at
/// most. Leases that were held run out, or are taken back by the next worker on this machine at its start.
///
/// Thread safety: `run` is called once; `stats` and `request_stop` from any thread.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "quarry/artifacts/blob_store.hpp"
#include "quarry/crawl/crawl_job.hpp"
#include "quarry/crawl/fetcher.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::crawl {

struct WorkerOptions {
  FetcherOptions fetcher{};
  Politeness politeness{};
  int claim_max = 128;  ///< tasks under lease at once; more than the fetcher's, so that it never waits
  int commit_max = 64;  ///< pages in one transaction at most
  std::chrono::milliseconds lease{15'000};
  std::chrono::milliseconds give_up_after{60'000};
  std::size_t text_bytes_max = 1u << 20;  ///< of a page's text kept for search
  std::string product = "quarry";         ///< the crawler's name in robots.txt
  /// Asked between batches; true ends `run` once what is in flight is committed. Called on the fetching thread, with a read
  /// transaction's freedom: it may use the database.
  std::function<bool()> finished{};
};

/// Figures since the worker began. Each is exact; together they may be a page apart.
struct WorkerStats {
  std::atomic<std::int64_t> pages{0};      ///< committed as completed
  std::atomic<std::int64_t> failed{0};     ///< tries that failed, retries included
  std::atomic<std::int64_t> cancelled{0};  ///< tasks that were given up because somebody cancelled them
  std::atomic<std::int64_t> lost{0};       ///< leases lost to others: worked on for nothing
  std::atomic<std::int64_t> bytes{0};      ///< of bodies
  std::atomic<std::int64_t> links{0};      ///< new pages found
  std::atomic<std::int64_t> results{0};    ///< items extracted
  std::atomic<std::int64_t> commits{0};
  std::atomic<std::int64_t> claims{0};  ///< times that the queue was asked for tasks
};

class Worker {
 public:
  Worker(Database db, artifacts::BlobStore& blobs, WorkerOptions options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Works until `stop` is requested or `options.finished` says so. What was fetched is then committed and the rest given
  /// back.
  void run(std::stop_token stop);
  const WorkerStats& stats() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quarry::crawl
