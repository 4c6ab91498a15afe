/// The proof that CI rests on: the migrations, run from nothing, give the desired schema, and every one of them can be taken
/// back.

#include <gtest/gtest.h>

#include "conformance/schema/migration_files.hpp"
#include "support/both_engines.hpp"

namespace quarry::schema::test {
namespace {

class Desired : public quarry::test::BothEngines {
 protected:
  std::string schema() { return to_text(introspect(db())); }
};
QUARRY_BOTH_ENGINES(Desired);

TEST_P(Desired, MigrationsGiveTheDesiredSchema) {
  const auto diff = diff_desired(db(), MigrationSet::embedded(), DesiredSchema::embedded());
  for (const auto& difference : diff.differences) ADD_FAILURE() << to_text(difference);
}

TEST_P(Desired, InitCurrentDownUpGivesTheSameSchema) {
  const auto& set = MigrationSet::embedded();
  migrate_up(db(), set);
  EXPECT_EQ(status(db(), set).state, State::current);
  const auto full = schema();
  EXPECT_GT(full.size(), 10'000u);
  migrate_to(db(), set, 0, {.allow_data_loss = true});
  EXPECT_EQ(status(db(), set).version, 0);
  for (const auto& object : introspect(db()).objects)  // the log is kept, and the roles with their way into the schema
    EXPECT_TRUE(object.type == ObjectType::role || object.name.starts_with("schema to ") ||
                (object.table.empty() ? object.name : object.table).starts_with("schema_migration"))
        << to_string(object.type) << ' ' << object.name;
  migrate_up(db(), set);
  EXPECT_EQ(schema(), full);
  const auto drift = diff_live(db(), set);
  for (const auto& difference : drift.differences) ADD_FAILURE() << to_text(difference);
}

TEST_P(Desired, EveryMigrationCanBeTakenBack) {
  const auto& set = MigrationSet::embedded();
  migrate_to(db(), set, 1);
  for (std::int64_t version = 2; version <= set.head(); ++version) {
    const auto before = schema();
    migrate_to(db(), set, version);
    const auto after = schema();
    migrate_to(db(), set, version - 1, {.allow_data_loss = true});
    EXPECT_EQ(schema(), before) << "version " << version;
    migrate_to(db(), set, version);
    EXPECT_EQ(schema(), after) << "version " << version;
  }
}

TEST_P(Desired, ADatabaseInUseIsNotForeign) {
  migrate_up(db(), MigrationSet::embedded());
  EXPECT_NO_THROW(check(db()));
  EXPECT_EQ(status(db()).state, State::current);
}

}  // namespace
}  // namespace quarry::schema::test
