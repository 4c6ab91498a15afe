#pragma once
/// Takes for programs in which many threads ask at once: those who ask while answers are on their way share the next
/// transaction.
///
///     limits::Limiter limiter(db);                                   // one for all threads
///     const auto decision = limiter.take(limits::ApiCall{user, "GET /jobs"}, limit);
///
/// Each decision is that of `limits::take_now`, and as durable when it is given; who asks alone waits for nobody. On SQLite
/// all small writes share their commits already (docs/decisions/0002), so nothing is gathered there. On PostgreSQL a commit
/// costs more than the take does: with 16 threads sharing it, several times as many are answered.
///
/// The keys of a transaction are taken in the order of `take_all`, so that programs which gather do not wait for each other
/// in a circle.
///
/// Errors: those of `take_now`, each to the caller whose take it was. Thread safety: `take` may be called from any thread;
/// the limiter must outlive the calls.

#include <cstddef>
#include <memory>

#include "quarry/limits/limits.hpp"

namespace quarry::limits {

class Limiter {
 public:
  /// At most `together_max` takes share a transaction. Throws `invalid` for none.
  explicit Limiter(Database db, std::size_t together_max = 64);
  ~Limiter();
  Limiter(const Limiter&) = delete;
  Limiter& operator=(const Limiter&) = delete;

  /// What `limits::take_now` does, in a transaction that others' takes may share. Throws what that throws, and
  /// `bug` inside a transaction of the same database.
  Decision take(const Key& key, const Limit& limit, std::int64_t cost = 1);

 private:
  class Gathering;
  Database db_;
  std::unique_ptr<Gathering> gathering_;  ///< none where it would not pay
};

}  // namespace quarry::limits
