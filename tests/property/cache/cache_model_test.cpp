/// Random histories of two programs' caches over one table, beside a map that remembers when each value was the truth: what
/// a cache gives was true at most `max_stale` ago and has not expired, and its own changes it sees at once.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <map>

#include "quarry/cache/cache.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

using std::chrono::microseconds;

enum class Verb { get, set, set_if_absent, remove, remove_prefix, compute, advance, maintain };

struct Step {
  Verb verb;
  int program;
  int key;
  int amount;
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr const char* names[] = {"get",           "set",     "set_if_absent", "remove",
                                   "remove_prefix", "compute", "advance",       "maintain"};
  return out << names[static_cast<int>(step.verb)] << " program " << step.program << " key " << step.key << " "
             << step.amount;
}

constexpr std::int64_t max_stale_us = 50;

/// A value and the span of time in which it was the truth.
struct Reign {
  std::optional<std::string> value;
  std::int64_t from_us = 0;
  std::int64_t until_us = INT64_MAX;
  std::int64_t expires_us = INT64_MAX;
};

class Truth {
 public:
  void change(const std::string& key, std::optional<std::string> value, std::int64_t now, std::int64_t expires, int by) {
    auto& reigns = reigns_[key];
    if (!reigns.empty()) reigns.back().until_us = now;
    reigns.push_back({std::move(value), now, INT64_MAX, expires});
    changed_by_[key] = {by, now};
  }
  std::optional<std::string> now(const std::string& key, std::int64_t at) const {
    const auto found = reigns_.find(key);
    if (found == reigns_.end() || found->second.back().expires_us <= at) return std::nullopt;
    return found->second.back().value;
  }
  bool may_give(const std::string& key, const std::optional<std::string>& given, std::int64_t at, int program) const {
    if (given == now(key, at)) return true;
    const auto changed = changed_by_.find(key);
    if (changed == changed_by_.end() || changed->second.first == program) return false;
    for (const auto& reign : reigns_.at(key))
      if (reign.value == given && given && reign.until_us + max_stale_us >= at && reign.expires_us > at) return true;
    return false;
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (const auto& [key, reigns] : reigns_) keys.push_back(key);
    return keys;
  }

 private:
  std::map<std::string, std::vector<Reign>> reigns_;
  std::map<std::string, std::pair<int, std::int64_t>> changed_by_;
};

class CacheModel : public MigratedEngines {};
QUARRY_BOTH_ENGINES(CacheModel);

TEST_P(CacheModel, EveryHistoryGivesWhatWasTrueLately) {
  const bool is_long = std::getenv("QUARRY_TEST_LONG") != nullptr;
  setenv("RC_PARAMS", is_long ? "max_success=1000 max_size=150" : "max_success=60 max_size=80", 0);
  auto second = database().open();
  const bool good = rc::check("a cache gives what was true lately", [&] {
    const auto steps = *rc::gen::container<std::vector<Step>>(
        rc::gen::construct<Step>(rc::gen::weightedElement<Verb>({{10, Verb::get},
                                                                 {5, Verb::set},
                                                                 {2, Verb::set_if_absent},
                                                                 {2, Verb::remove},
                                                                 {1, Verb::remove_prefix},
                                                                 {3, Verb::compute},
                                                                 {5, Verb::advance},
                                                                 {1, Verb::maintain}}),
                                 rc::gen::inRange(0, 2), rc::gen::inRange(0, 4), rc::gen::inRange(1, 60)));
    db().write([](Write& tx) { cache::remove_prefix(tx, "k"); });
    const cache::CacheOptions options{.max_stale = microseconds(max_stale_us)};
    std::array<std::unique_ptr<cache::Cache>, 2> programs{std::make_unique<cache::Cache>(db(), options),
                                                          std::make_unique<cache::Cache>(second, options)};
    Truth truth;
    int serial = 0;
    for (const auto& step : steps) {
      auto& program = *programs[static_cast<std::size_t>(step.program)];
      const auto key = "k" + std::to_string(step.key % 2) + std::to_string(step.key);
      const auto now = clock().now().us;
      const auto value = "v" + std::to_string(++serial);
      const cache::Ttl ttl = step.amount % 3 == 0 ? cache::Ttl() : cache::Ttl(microseconds(step.amount));
      const auto expires = ttl ? now + ttl->count() : INT64_MAX;
      switch (step.verb) {
        case Verb::get:
          RC_ASSERT(truth.may_give(key, program.get(key), now, step.program));
          break;
        case Verb::set:
          program.set(key, value, ttl);
          truth.change(key, value, now, expires, step.program);
          break;
        case Verb::set_if_absent: {
          const bool absent = !truth.now(key, now);
          RC_ASSERT(program.set_if_absent(key, value, ttl) == absent);
          if (absent) truth.change(key, value, now, expires, step.program);
          break;
        }
        case Verb::remove:
          RC_ASSERT(program.remove(key) == truth.now(key, now).has_value());
          truth.change(key, std::nullopt, now, INT64_MAX, step.program);
          break;
        case Verb::remove_prefix:
          program.remove_prefix("k1");
          for (const auto& gone : truth.keys())
            if (gone.starts_with("k1")) truth.change(gone, std::nullopt, now, INT64_MAX, step.program);
          break;
        case Verb::compute: {
          bool computed = false;
          const auto given = program.get_or_compute(key, ttl, [&] {
            computed = true;
            return value;
          });
          RC_ASSERT(!computed || !truth.now(key, now));
          if (computed)
            truth.change(key, value, now, expires, step.program);
          else
            RC_ASSERT(truth.may_give(key, given, now, step.program));
          break;
        }
        case Verb::advance:
          clock().advance(microseconds(step.amount));
          break;
        case Verb::maintain:
          program.maintain();
          break;
      }
    }
  });
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace quarry::test
