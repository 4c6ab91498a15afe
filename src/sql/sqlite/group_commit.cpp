#include "sql/sqlite/group_commit.hpp"

#include <algorithm>

#include "quarry/core/error.hpp"

namespace quarry::sql::sqlite_driver {

void GroupCommit::run(PendingWrite& write, std::chrono::steady_clock::time_point deadline) {
  write.turn_by = deadline;
  std::unique_lock lock(mutex_);
  if (busy_) {
    queue_.push_back(&write);
    const bool all_are_here = gathering_ > 0 && queue_.size() >= gathering_;
    lock.unlock();
    if (all_are_here) gathered_.notify_one();
    await_turn(write, deadline);
    if (write.state == PendingWrite::State::leading) lock.lock();
  } else {
    busy_ = true;
    write.state = PendingWrite::State::leading;
  }
  if (write.state == PendingWrite::State::leading) lead(lock, write);
  if (write.failure) std::rethrow_exception(write.failure);
}

void GroupCommit::lead(std::unique_lock<std::mutex>& lock, PendingWrite& write) {
  gather(lock, write);
  if (admit_) {
    lock.unlock();
    write.failure = admit_(write);
    lock.lock();
  }
  const bool refused = write.failure != nullptr;
  const auto batch = refused ? std::vector<PendingWrite*>{&write} : take_batch(write);
  lock.unlock();
  const auto began = std::chrono::steady_clock::now();
  if (!refused) commit_(batch);
  lock.lock();
  last_batch_ = batch.size();
  last_took_ = std::chrono::steady_clock::now() - began;
  for (auto* member : batch) member->state = PendingWrite::State::done;
  auto* const next = next_leader();
  lock.unlock();
  // The others first: the next leader waits for them to come back. Who is told may be gone from then on.
  for (auto* member : batch)
    if (member != &write) member->settled.give();
  if (next) next->settled.give();
}

void GroupCommit::await_turn(PendingWrite& write, std::chrono::steady_clock::time_point deadline) {
  if (write.settled.wait(deadline)) return;
  {
    const std::scoped_lock lock(mutex_);
    if (write.state == PendingWrite::State::queued) {
      std::erase(queue_, &write);
      throw Error(ErrorCode::timeout, "other writes took the whole time allowed for this one; try again")
          .set_retryable(true);
    }
  }
  // Taken into a batch, or told to lead: its outcome must be waited for.
  write.settled.wait();
}

void GroupCommit::gather(std::unique_lock<std::mutex>& lock, const PendingWrite& leader) {
  if (leader.alone || queue_.size() + 1 >= last_batch_) return;
  gathering_ = last_batch_ - 1;
  gathered_.wait_for(lock, std::min<std::chrono::steady_clock::duration>(last_took_ / 2, std::chrono::microseconds(60)),
                     [&] { return queue_.size() >= gathering_; });
  gathering_ = 0;
}

std::vector<PendingWrite*> GroupCommit::take_batch(PendingWrite& leader) {
  std::vector<PendingWrite*> batch{&leader};
  if (leader.alone) return batch;
  while (batch.size() < batch_max_ && !queue_.empty() && !queue_.front()->alone) {
    queue_.front()->state = PendingWrite::State::taken;
    batch.push_back(queue_.front());
    queue_.pop_front();
  }
  return batch;
}

PendingWrite* GroupCommit::next_leader() {
  if (queue_.empty()) {
    busy_ = false;
    return nullptr;
  }
  auto* next = queue_.front();
  queue_.pop_front();
  next->state = PendingWrite::State::leading;
  return next;
}

void GroupCommit::run_exclusive(FunctionRef<void()> action) {
  std::unique_lock lock(mutex_);
  auto nothing = [](Write&) {};
  PendingWrite turn{.body = nothing, .alone = true};
  if (busy_) {
    queue_.push_back(&turn);
    lock.unlock();
    await_turn(turn, std::chrono::steady_clock::time_point::max());
  } else {
    busy_ = true;
    lock.unlock();
  }
  std::exception_ptr failure;
  try {
    action();
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  auto* const next = next_leader();
  lock.unlock();
  if (next) next->settled.give();
  if (failure) std::rethrow_exception(failure);
}

std::size_t GroupCommit::waiting() const {
  const std::scoped_lock lock(mutex_);
  return queue_.size();
}

}  // namespace quarry::sql::sqlite_driver
