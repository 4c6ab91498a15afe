#include "quarry/limits/limiter.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>

#include "limits/rows.hpp"
#include "quarry/core/error.hpp"

namespace quarry::limits {
namespace {

/// Transactions at once: while one waits for its commit, another's statements run (of 1, 2, 3 and 4 the best with 16
/// threads).
constexpr int leaders_max = 2;

/// One caller's take, on that caller's stack.
struct PendingTake {
  Take take;
  Decision decision{};
  std::exception_ptr failure = nullptr;
  bool done = false;
  bool leads = false;  ///< was told to
  bool alone = false;  ///< when done: it has no answer yet, and is to be asked for again by itself
  std::condition_variable told{};
};

void take_alone(const Database& db, PendingTake& pending) noexcept {
  try {
    pending.decision = take_now(db, pending.take.key, pending.take.limit, pending.take.cost);
  } catch (...) {
    pending.failure = std::current_exception();
  }
}

/// One that fails must not fail the others, so each is then repeated alone by its own caller, who may have done nothing
/// wrong; but not where nobody knows what became of them.
void take_together(const Database& db, std::vector<PendingTake*>& batch) noexcept {
  if (batch.size() == 1) return take_alone(db, *batch.front());
  try {
    std::stable_sort(batch.begin(), batch.end(), [](auto* a, auto* b) { return comes_before(a->take.key, b->take.key); });
    std::vector<const Take*> takes;
    takes.reserve(batch.size());
    for (const auto* each : batch) takes.push_back(&each->take);
    const auto decisions = db.write([&](Write& tx) { return take_each(tx, takes); });
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i]->decision = decisions[i];
  } catch (const Error& error) {
    if (!error.outcome_unknown()) {
      for (auto* each : batch) each->alone = true;
      return;
    }
    for (auto* each : batch) each->failure = std::current_exception();
  } catch (...) {
    for (auto* each : batch) each->failure = std::current_exception();
  }
}

}  // namespace

/// Whoever finds a free place leads: answers himself and those who have gathered, and tells the first of those who came
/// meanwhile to go on. (Flat combining, Hendler et al. 2010, as in the group commit of SQLite.)
class Limiter::Gathering {
 public:
  explicit Gathering(std::size_t together_max) : together_max_(together_max) {}

  void run(const Database& db, PendingTake& take) {
    std::vector<PendingTake*> batch;
    batch.reserve(together_max_);  // while nobody relies on us yet
    std::unique_lock lock(mutex_);
    if (leaders_ < leaders_max) {
      ++leaders_;
    } else {
      gathered_.push_back(&take);
      take.told.wait(lock, [&] { return take.done || take.leads; });
    }
    if (!take.done) lead(lock, db, take, batch);
    lock.unlock();
    if (take.alone) take_alone(db, take);
  }

 private:
  void lead(std::unique_lock<std::mutex>& lock, const Database& db, PendingTake& take, std::vector<PendingTake*>& batch) {
    batch.push_back(&take);
    for (; !gathered_.empty() && batch.size() < together_max_; gathered_.pop_front()) batch.push_back(gathered_.front());
    lock.unlock();
    take_together(db, batch);
    lock.lock();
    for (auto* each : batch) {
      each->done = true;
      each->told.notify_one();
    }
    hand_over();
  }

  void hand_over() {
    if (gathered_.empty()) {
      --leaders_;
      return;
    }
    auto* next = gathered_.front();
    gathered_.pop_front();
    next->leads = true;
    next->told.notify_one();
  }

  const std::size_t together_max_;
  std::mutex mutex_;
  std::deque<PendingTake*> gathered_;
  int leaders_ = 0;
};

Limiter::Limiter(Database db, std::size_t together_max) : db_(std::move(db)) {
  if (together_max < 1) throw_invalid("a limiter that takes none together: it must be at least 1");
  if (db_.engine() == Engine::postgres) gathering_ = std::make_unique<Gathering>(together_max);
}

Limiter::~Limiter() = default;

Decision Limiter::take(const Key& key, const Limit& limit, std::int64_t cost) {
  if (!gathering_ || cost == 0) return take_now(db_, key, limit, cost);
  db_.refuse_inside_transaction();
  arrival(limit, cost, db_.now());  // what is out of its bounds is refused before it can be in others' way
  PendingTake pending{.take = {key, limit, cost}};
  gathering_->run(db_, pending);
  if (pending.failure) std::rethrow_exception(pending.failure);
  return pending.decision;
}

}  // namespace quarry::limits
