/// 32 migrators at once, some of them killed at a moment that chance decides: each migration is applied once, and nothing
/// half-done is left. QUARRY_TEST_LONG=1 plays 50 rounds on each engine.

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <thread>

#include "fault/schema/child.hpp"
#include "fault/seed.hpp"
#include "quarry/schema/author.hpp"
#include "support/both_engines.hpp"

namespace quarry::schema::test {
namespace {

using quarry::test::Process;
using std::chrono::milliseconds;

constexpr int migrators = 32;

class Crowd : public quarry::test::BothEngines {
 protected:
  using Random = std::mt19937_64;
  static std::int64_t count(const Database& db, const std::string& sql) {
    return db.read([&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.count", sql)); });
  }
  /// Some are killed from within, at a moment of their work that they may never come to; some from without, whatever they
  /// do.
  static void play(const quarry::test::TestDatabase& database, const std::string& set, std::int64_t head, Random& random) {
    std::vector<Process> crowd;
    std::vector<bool> killed(migrators, false);
    for (int i = 0; i < migrators; ++i) {
      const auto fate = random() % 4;
      std::optional<std::int64_t> moment;
      if (fate == 0) moment = static_cast<std::int64_t>(random() % 30);
      if (fate == 1 && i % 2 == 0) killed[static_cast<std::size_t>(i)] = true;
      crowd.push_back(start_child({database.url(), set, head, moment}));
    }
    for (std::size_t i = 0; i < crowd.size(); ++i) {
      if (!killed[i]) continue;
      std::this_thread::sleep_for(milliseconds(random() % 40));
      crowd[i].signal(SIGKILL);
    }
    for (auto& one : crowd) {
      const auto exit = one.wait(std::chrono::minutes(3));
      EXPECT_TRUE(exit.ok() || exit.signal == SIGKILL) << one.out() << one.err();
    }
  }
  void expect_whole(const Database& db, const MigrationSet& set) {
    migrate_up(db, set);  // in case everybody was killed who came to its turn
    EXPECT_EQ(status(db, set).state, State::current);
    std::map<std::int64_t, int> applied;
    for (const auto& entry : history(db)) applied[entry.version] += entry.outcome == "applied";
    EXPECT_EQ(applied.size(), set.migrations().size());
    for (const auto& [version, times] : applied) EXPECT_EQ(times, 1) << "version " << version;
    for (const auto& difference : diff_live(db, set).differences) ADD_FAILURE() << to_text(difference);
    if (is_postgres())
      EXPECT_EQ(count(db, "select count(*) from pg_index where not indisvalid or not indisready"), 0);
    else
      EXPECT_EQ(count(db, "select count(*) from pragma_integrity_check where integrity_check <> 'ok'"), 0);
  }
};
QUARRY_BOTH_ENGINES(Crowd);

TEST_P(Crowd, OfMigratorsAppliesEachMigrationOnce) {
  const int rounds = std::getenv("QUARRY_TEST_LONG") ? 50 : 3;
  Random random(quarry::test::test_seed());
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const bool small = round % 3 != 2;
    const auto& set = small ? small_set() : MigrationSet::embedded();
    quarry::test::TestDatabase fresh(GetParam(), quarry::test::Schema::none);
    play(fresh, small ? "small" : "embedded", set.head(), random);
    expect_whole(fresh.db(), set);
    if (small) {
      // What the migrations put in, they have put in once.
      EXPECT_EQ(count(fresh.db(), "select count(*) from a"), 2);
      EXPECT_EQ(count(fresh.db(), "select count(*) from c"), 3);
      EXPECT_EQ(count(fresh.db(), "select count(*) from e"), 1);
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace quarry::schema::test
