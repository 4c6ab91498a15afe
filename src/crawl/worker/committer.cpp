#include "crawl/worker/committer.hpp"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>

#include "crawl/worker/patience.hpp"
#include "crawl/worker/unit_of_work.hpp"

namespace quarry::crawl {

/// Outcomes that may wait for the committing thread: two batches, so that it never waits for the fetching one.
constexpr std::size_t batches_ahead = 2;

Committer::Committer(Database db, artifacts::BlobStore& blobs, const WorkerOptions& options, WorkerStats& stats,
                     std::stop_token stop, std::function<void()> settled)
    : db_(std::move(db)),
      blobs_(blobs),
      options_(options),
      stats_(stats),
      stop_(std::move(stop)),
      settled_callback_(std::move(settled)),
      thread_([this] { work(); }) {}

Committer::~Committer() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Committer::submit(Outcome outcome) {
  std::unique_lock lock(mutex_);
  const auto most = batches_ahead * static_cast<std::size_t>(options_.commit_max);
  changed_.wait(lock, [&] { return failure_ || waiting_.size() < most; });
  if (failure_) std::rethrow_exception(failure_);
  waiting_.push_back(std::move(outcome));
  changed_.notify_all();
}

std::vector<std::uint64_t> Committer::take_settled() {
  const std::scoped_lock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  return std::exchange(settled_, {});
}

void Committer::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || (waiting_.empty() && in_hand_ == 0); });
  if (failure_) std::rethrow_exception(failure_);
}

void Committer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const auto count = std::min(waiting_.size(), static_cast<std::size_t>(options_.commit_max));
    std::vector<Outcome> batch(std::make_move_iterator(waiting_.begin()),
                               std::make_move_iterator(waiting_.begin() + static_cast<std::ptrdiff_t>(count)));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    in_hand_ = count;
    lock.unlock();
    changed_.notify_all();
    std::exception_ptr failure;
    try {
      commit(batch);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    in_hand_ = 0;
    for (const auto& outcome : batch) settled_.push_back(outcome.number);
    failure_ = failure;
    changed_.notify_all();
    settled_callback_();
    if (failure_) return;
  }
}

void Committer::commit(std::vector<Outcome>& batch) {
  std::vector<std::span<const std::byte>> bodies;
  for (const auto& outcome : batch)
    if (outcome.content) bodies.push_back(std::as_bytes(std::span(outcome.content->body)));
  const auto blobs = with_patience(options_.give_up_after, stop_, [&] { return blobs_.put_many(bodies); });
  const auto done = with_patience(options_.give_up_after, stop_, [&] {
    return db_.write([&](Write& tx) { return commit_outcomes(tx, batch, blobs, options_.politeness); });
  });
  stats_.pages += done.pages;
  stats_.failed += done.failed;
  stats_.cancelled += done.cancelled;
  stats_.lost += done.lost;
  stats_.links += done.links;
  stats_.results += done.results;
  ++stats_.commits;
}

}  // namespace quarry::crawl
