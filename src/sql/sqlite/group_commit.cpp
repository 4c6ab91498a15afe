#include "sql/sqlite/group_commit.hpp"

#include <algorithm>

#include "quarry/core/error.hpp"

namespace quarry::sql::sqlite_driver {

void GroupCommit::run(PendingWrite& write, std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  if (busy_) {
    queue_.push_back(&write);
    if (gathering_ > 0 && queue_.size() >= gathering_) gathered_.notify_one();
    await_turn(lock, write, deadline);
  } else {
    busy_ = true;
    write.state = PendingWrite::State::leading;
  }
  if (write.state == PendingWrite::State::leading) {
    gather(lock, write);
    const auto batch = take_batch(write);
    lock.unlock();
    const auto began = std::chrono::steady_clock::now();
    commit_(batch);
    lock.lock();
    last_batch_ = batch.size();
    last_took_ = std::chrono::steady_clock::now() - began;
    for (auto* member : batch) {
      member->state = PendingWrite::State::done;
      // Under the lock: the owner cannot return, and end the condition, before it has the lock again.
      if (member != &write) member->changed.notify_one();
    }
    hand_over();
  }
  lock.unlock();
  if (write.failure) std::rethrow_exception(write.failure);
}

void GroupCommit::await_turn(std::unique_lock<std::mutex>& lock, PendingWrite& write,
                             std::chrono::steady_clock::time_point deadline) {
  using State = PendingWrite::State;
  const auto settled = [&] { return write.state == State::leading || write.state == State::done; };
  while (!settled()) {
    if (write.changed.wait_until(lock, deadline, settled)) return;
    if (write.state == State::queued) {
      std::erase(queue_, &write);
      throw Error(ErrorCode::timeout, "other writes took the whole time allowed for this one; try again").set_retryable(true);
    }
    // Taken into a batch: its closure may be running, so its outcome must be waited for.
    write.changed.wait(lock, settled);
  }
}

void GroupCommit::gather(std::unique_lock<std::mutex>& lock, const PendingWrite& leader) {
  if (leader.alone || queue_.size() + 1 >= last_batch_) return;
  gathering_ = last_batch_ - 1;
  gathered_.wait_for(lock, std::min<std::chrono::steady_clock::duration>(last_took_ / 2, std::chrono::milliseconds(1)),
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

void GroupCommit::hand_over() {
  if (queue_.empty()) {
    busy_ = false;
    return;
  }
  auto* next = queue_.front();
  queue_.pop_front();
  next->state = PendingWrite::State::leading;
  next->changed.notify_one();
}

void GroupCommit::run_exclusive(FunctionRef<void()> action) {
  std::unique_lock lock(mutex_);
  auto nothing = [](Write&) {};
  PendingWrite turn{nothing, true};
  if (busy_) {
    queue_.push_back(&turn);
    await_turn(lock, turn, std::chrono::steady_clock::time_point::max());
  }
  busy_ = true;
  lock.unlock();
  std::exception_ptr failure;
  try {
    action();
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  hand_over();
  lock.unlock();
  if (failure) std::rethrow_exception(failure);
}

std::size_t GroupCommit::waiting() const {
  const std::scoped_lock lock(mutex_);
  return queue_.size();
}

}  // namespace quarry::sql::sqlite_driver
