#include "sql/pool/work_pool.hpp"

#include <algorithm>
#include <utility>

#include "sql/pool/start_thread.hpp"

namespace quarry::sql {

WorkPool::WorkPool(std::size_t threads)
    : threads_max_(std::max<std::size_t>(threads, 1)), shared_(std::make_shared<Shared>()) {}

WorkPool::~WorkPool() {
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->wake.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.get_id() == std::this_thread::get_id())
      thread.detach();
    else
      thread.join();
  }
}

void WorkPool::post(std::function<void()> job) {
  {
    const std::scoped_lock lock(shared_->mutex);
    if (threads_.size() < threads_max_) start_one();
    shared_->jobs.push_back(std::move(job));
  }
  shared_->wake.notify_one();
}

void WorkPool::start_one() {
  try {
    threads_.emplace_back([shared = shared_] { serve(shared); });
  } catch (const std::system_error& error) {
    // Fewer threads than wished for serve as well; none do not.
    if (threads_.empty()) throw no_thread(error);
  }
}

void WorkPool::serve(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->wake.wait(lock, [&] { return shared->stopping || !shared->jobs.empty(); });
    if (shared->jobs.empty()) return;
    {
      const auto job = std::move(shared->jobs.front());
      shared->jobs.pop_front();
      lock.unlock();
      job();
    }  // the job's captures end outside the lock
    lock.lock();
  }
}

}  // namespace quarry::sql
