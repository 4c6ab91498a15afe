#include "accounts/memory_budget.hpp"

#include <algorithm>

#include "quarry/core/error.hpp"

namespace quarry::accounts {

MemoryBudget::Share MemoryBudget::take(std::int64_t size, std::chrono::milliseconds wait_max) {
  size = std::min(size, total_);
  std::unique_lock lock(mutex_);
  const auto place = line_.insert(line_.end(), size);
  const bool got = changed_.wait_for(lock, wait_max, [&] { return place == line_.begin() && free_ >= size; });
  line_.erase(place);
  if (got) free_ -= size;
  lock.unlock();
  changed_.notify_all();  // somebody else is the first in line now
  if (!got) throw Error(ErrorCode::busy, "too many passwords are being checked at once: try again in a few seconds");
  return Share(*this, size);
}

void MemoryBudget::give_back(std::int64_t size) {
  {
    const std::scoped_lock lock(mutex_);
    free_ += size;
  }
  changed_.notify_all();
}

}  // namespace quarry::accounts
