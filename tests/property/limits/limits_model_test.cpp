/// Random histories of the limiter beside a model that remembers every request: what is admitted is what the law says, and
/// the law itself is checked over the whole history.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "quarry/accounts/users.hpp"
#include "quarry/limits/limits.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

using limits::Limit;
using std::chrono::microseconds;

enum class Verb { take, peek, advance, reset };

struct Step {
  Verb verb;
  int key;
  int amount;  ///< the cost, or by how much the clock moves
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr const char* names[] = {"take", "peek", "advance", "reset"};
  return out << names[static_cast<int>(step.verb)] << " key " << step.key << " " << step.amount;
}

struct Admitted {
  std::int64_t at_us;
  std::int64_t cost;
};

/// A leaky bucket, told in other words than the statement's: what was poured in runs out at one request each interval.
class Bucket {
 public:
  explicit Bucket(const Limit& limit) : limit_(limit) {}

  bool fits(std::int64_t now_us, std::int64_t cost) const {
    return level_us(now_us) + cost * limit_.interval().count() <= limit_.burst_or_all() * limit_.interval().count();
  }
  void pour(std::int64_t now_us, std::int64_t cost) {
    level_us_ = level_us(now_us) + cost * limit_.interval().count();
    at_us_ = now_us;
    history_.push_back({now_us, cost});
  }
  void empty() { level_us_ = 0, history_.clear(); }
  std::int64_t remaining(std::int64_t now_us) const {
    return limit_.burst_or_all() - (level_us(now_us) + limit_.interval().count() - 1) / limit_.interval().count();
  }
  /// In every span of time w that begins and ends with a request: at most b + w / T.
  bool law_holds() const {
    for (std::size_t i = 0; i < history_.size(); ++i) {
      std::int64_t sum = 0;
      for (std::size_t j = i; j < history_.size(); ++j) {
        sum += history_[j].cost;
        const auto span = history_[j].at_us - history_[i].at_us;
        if (sum * limit_.interval().count() > limit_.burst_or_all() * limit_.interval().count() + span) return false;
      }
    }
    return true;
  }

 private:
  std::int64_t level_us(std::int64_t now_us) const { return std::max<std::int64_t>(level_us_ - (now_us - at_us_), 0); }

  Limit limit_;
  std::int64_t level_us_ = 0;
  std::int64_t at_us_ = 0;
  std::vector<Admitted> history_;
};

class LimitsModel : public MigratedEngines {};
QUARRY_BOTH_ENGINES(LimitsModel);

TEST_P(LimitsModel, EveryHistoryKeepsTheLaw) {
  const bool is_long = std::getenv("QUARRY_TEST_LONG") != nullptr;
  setenv("RC_PARAMS", is_long ? "max_success=2000 max_size=150" : "max_success=150 max_size=100", 0);
  const auto user = db().write([](Write& tx) { return accounts::ensure_local_user(tx); });
  const std::array<limits::Key, 3> keys{limits::ApiCall{user, "a"}, limits::ApiCall{user, "b"}, limits::Scraper{"a"}};
  const bool good = rc::check("the limiter does what a leaky bucket does", [&] {
    const Limit limit{.requests = *rc::gen::inRange(1, 8),
                      .period = microseconds(*rc::gen::inRange(8, 1'000)),
                      .burst = *rc::gen::inRange(1, 8)};
    const auto steps = *rc::gen::container<std::vector<Step>>(rc::gen::construct<Step>(
        rc::gen::weightedElement<Verb>({{8, Verb::take}, {2, Verb::peek}, {5, Verb::advance}, {1, Verb::reset}}),
        rc::gen::inRange(0, 3), rc::gen::inRange(1, 300)));
    std::array<Bucket, 3> model{Bucket(limit), Bucket(limit), Bucket(limit)};
    for (const auto& key : keys) db().write([&](Write& tx) { limits::reset(tx, key); });
    for (const auto& step : steps) {
      const auto k = static_cast<std::size_t>(step.key);
      const auto now = clock().now().us;
      const auto cost = step.amount % limit.burst + 1;
      if (step.verb == Verb::advance) {
        clock().advance(microseconds(step.amount));
      } else if (step.verb == Verb::reset) {
        db().write([&](Write& tx) { limits::reset(tx, keys[k]); });
        model[k].empty();
      } else {
        const auto decision = step.verb == Verb::take
                                  ? limits::take_now(db(), keys[k], limit, cost)
                                  : db().read([&](Read& tx) { return limits::peek(tx, keys[k], limit, cost); });
        RC_ASSERT(decision.admitted == model[k].fits(now, cost));
        // Waiting as long as it says helps, and waiting a moment less does not.
        if (!decision.admitted) {
          RC_ASSERT(model[k].fits(now + decision.retry_after.count(), cost));
          RC_ASSERT(!model[k].fits(now + decision.retry_after.count() - 1, cost));
        } else if (step.verb == Verb::take) {
          model[k].pour(now, cost);
        }
        RC_ASSERT(decision.remaining == model[k].remaining(now));
      }
    }
    for (const auto& bucket : model) RC_ASSERT(bucket.law_holds());
  });
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace quarry::test
