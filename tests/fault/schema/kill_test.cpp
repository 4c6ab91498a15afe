/// A migrator killed at any point is resumed by running it again, and the result is the same to the byte.

#include <cstdlib>

#include "fault/schema/child.hpp"
#include "quarry/schema/author.hpp"
#include "support/both_engines.hpp"

namespace quarry::schema::test {
namespace {

class KilledMigrator : public quarry::test::BothEngines {
 protected:
  std::string schema_of(const Database& db) { return to_text(introspect(db)); }
  std::int64_t count(const Database& db, const std::string& sql) {
    return db.read([&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.count", sql)); });
  }
  bool is_long() const { return std::getenv("QUARRY_TEST_LONG") != nullptr; }
};
QUARRY_BOTH_ENGINES(KilledMigrator);

TEST_P(KilledMigrator, IsResumedFromEveryMoment) {
  const auto& set = small_set();
  migrate_up(db(), set);
  const auto full = schema_of(db());
  std::int64_t kills = 0;
  for (;; ++kills) {
    quarry::test::TestDatabase fresh(GetParam(), quarry::test::Schema::none);
    if (run_child({fresh.url(), "small", set.head(), kills})) break;
    migrate_up(fresh.db(), set);
    ASSERT_EQ(schema_of(fresh.db()), full) << "killed at moment " << kills;
    ASSERT_EQ(count(fresh.db(), "select count(*) from c"), 3) << "killed at moment " << kills;
    ASSERT_EQ(count(fresh.db(), "select count(*) from a"), 2) << "killed at moment " << kills;
    ASSERT_EQ(count(fresh.db(), "select count(*) from e"), 1) << "killed at moment " << kills;
  }
  EXPECT_GT(kills, 20);
}

TEST_P(KilledMigrator, IsResumedOnTheWayDown) {
  const auto& set = small_set();
  migrate_to(db(), set, 1);
  const auto down = schema_of(db());
  std::int64_t kills = 0;
  for (;; ++kills) {
    quarry::test::TestDatabase fresh(GetParam(), quarry::test::Schema::none);
    migrate_up(fresh.db(), set, {.verify = false});
    if (run_child({fresh.url(), "small", 1, kills})) break;
    migrate_to(fresh.db(), set, 1, {.allow_data_loss = true});
    ASSERT_EQ(schema_of(fresh.db()), down) << "killed at moment " << kills;
    ASSERT_EQ(status(fresh.db(), set).version, 1);
  }
  EXPECT_GT(kills, 15);
}

TEST_P(KilledMigrator, TheRealMigrationsAreResumed) {
  const auto& set = MigrationSet::embedded();
  migrate_up(db(), set);
  const auto full = schema_of(db());
  const std::int64_t stride = is_long() ? 1 : is_sqlite() ? 7 : 41;
  for (std::int64_t moment = 0;; moment += stride) {
    quarry::test::TestDatabase fresh(GetParam(), quarry::test::Schema::none);
    if (run_child({fresh.url(), "embedded", set.head(), moment})) break;
    migrate_up(fresh.db(), set, {.verify = false});
    ASSERT_EQ(schema_of(fresh.db()), full) << "killed at moment " << moment;
  }
}

}  // namespace
}  // namespace quarry::schema::test
