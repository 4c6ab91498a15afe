/// Every seeded difference is told, a migration is generated for it, and that migration leads there and back with the rows
/// in place.

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>

#include "conformance/schema/drifts.hpp"
#include "conformance/schema/migration_files.hpp"
#include "support/test_database.hpp"

namespace quarry::schema::test {
namespace {

using testing::HasSubstr;

const std::string& base_of(Engine engine) { return engine == Engine::sqlite ? sqlite_base : postgres_base; }

DesiredSchema desired_of(Engine engine, const std::string& schema) {
  const auto sql = state_tables(engine) + schema;
  return engine == Engine::sqlite ? DesiredSchema{sql, {}} : DesiredSchema{{}, sql};
}

std::string edited(const Drift& drift) {
  auto schema = base_of(drift.engine);
  if (drift.from.empty()) return schema + drift.to + "\n";
  const auto at = schema.find(drift.from);
  if (at == std::string::npos) throw std::runtime_error("the base schema has no '" + drift.from + "'");
  return schema.replace(at, drift.from.size(), drift.to);
}

FileTexts base_migration(Engine engine) {
  FileTexts texts{.name = "base"};
  (engine == Engine::sqlite ? texts.up_sqlite : texts.up_postgres) = state_tables(engine) + base_of(engine);
  return texts;
}

FileTexts generated_migration(Engine engine, const SchemaDiff& diff) {
  FileTexts texts{.name = "generated"};
  (engine == Engine::sqlite ? texts.up_sqlite : texts.up_postgres) = script_text(diff.up);
  (engine == Engine::sqlite ? texts.down_sqlite : texts.down_postgres) = script_text(diff.down);
  return texts;
}

/// All differences of an engine share one database: each of them leads back to where it began, and when one does not, the
/// next one gets a new database.
class SeededDrift : public testing::TestWithParam<Drift> {
 protected:
  void SetUp() override {
    if (database_) return;
    const Engine engine = GetParam().engine;
    database_ = std::make_unique<quarry::test::TestDatabase>(engine, quarry::test::Schema::none);
    migrate_up(database_->db(), set_of({base_migration(engine)}), {.verify = false});
    database_->db().write(
        [&](Write& tx) { tx.session().run_script("test.rows", engine == Engine::sqlite ? sqlite_rows : postgres_rows); });
  }
  void TearDown() override {
    if (HasFailure() || GetParam().loses_rows) database_.reset();
  }
  static void TearDownTestSuite() { database_.reset(); }

  std::int64_t count(const std::string& sql) {
    return database_->db().read([&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.count", sql)); });
  }
  static inline std::unique_ptr<quarry::test::TestDatabase> database_;
};

/// With the engine's own words, which a migration's message leaves out.
template <class F>
void run(F&& body) {
  try {
    body();
  } catch (const Error& error) {
    FAIL() << error.client_message() << "\n" << error.engine_message();
  }
}

TEST_P(SeededDrift, IsToldAndMended) {
  const Drift& drift = GetParam();
  auto& db = database_->db();
  const auto base = set_of({base_migration(drift.engine)});
  const auto before = to_text(introspect(db));
  const auto desired = desired_of(drift.engine, edited(drift));

  const auto diff = diff_desired(db, base, desired);
  std::string told;
  for (const auto& difference : diff.differences) {
    told += to_text(difference) + "\n";
    EXPECT_FALSE(difference.mend.empty()) << to_text(difference);
    EXPECT_FALSE(difference.reverse.empty()) << to_text(difference);
  }
  EXPECT_THAT(told, HasSubstr(drift.told));
  EXPECT_EQ(diff.up.rebuild, drift.by_rebuild) << script_text(diff.up);

  SCOPED_TRACE("up:\n" + script_text(diff.up) + "down:\n" + script_text(diff.down));
  const auto set = set_of({base_migration(drift.engine), generated_migration(drift.engine, diff)});
  ASSERT_NO_FATAL_FAILURE(run([&] { migrate_up(db, set, {.allow_data_loss = true, .backup = false}); }));
  EXPECT_TRUE(diff_desired(db, set, desired).differences.empty());
  if (!drift.loses_rows) {
    EXPECT_EQ(count("select count(*) from parent"), 3);
    EXPECT_EQ(count("select count(*) from child"), 2);
    EXPECT_EQ(count("select count(*) from child where parent_id = 1"), 2);
  }
  ASSERT_NO_FATAL_FAILURE(
      run([&] { migrate_down(db, set, 1, {.allow_data_loss = true, .backup = false, .verify = false}); }));
  EXPECT_EQ(to_text(introspect(db)), before);
  if (!drift.loses_rows) {
    EXPECT_EQ(count("select count(*) from child"), 2);
  }
  if (drift.engine == Engine::sqlite) {
    EXPECT_EQ(count("select count(*) from page_words where page_words match 'words'"), 2);
    EXPECT_EQ(count("select count(*) from pragma_foreign_key_check"), 0);
  }
}

std::string name_of(const testing::TestParamInfo<Drift>& test) { return test.param.name; }
INSTANTIATE_TEST_SUITE_P(Sqlite, SeededDrift, testing::ValuesIn(sqlite_drifts()), name_of);
INSTANTIATE_TEST_SUITE_P(Postgres, SeededDrift, testing::ValuesIn(postgres_drifts()), name_of);

class CleanSchema : public testing::TestWithParam<Engine> {};

TEST_P(CleanSchema, GivesNoAlarm) {
  quarry::test::TestDatabase database(GetParam(), quarry::test::Schema::none);
  const auto base = set_of({base_migration(GetParam())});
  migrate_up(database.db(), base);
  EXPECT_TRUE(diff_desired(database.db(), base, desired_of(GetParam(), base_of(GetParam()))).differences.empty());
  EXPECT_TRUE(diff_live(database.db(), base).differences.empty());
  // Another spelling of the same schema.
  auto spelled = base_of(GetParam());
  for (std::size_t at = spelled.find('('); at != std::string::npos; at = spelled.find('(', at + 3))
    spelled.insert(at + 1, "\n ");
  std::transform(spelled.begin(), spelled.begin() + 13, spelled.begin(),
                 [](char c) { return static_cast<char>(std::toupper(c)); });
  EXPECT_TRUE(GetParam() == Engine::postgres ||
              diff_desired(database.db(), base, desired_of(GetParam(), spelled)).differences.empty());
}
INSTANTIATE_TEST_SUITE_P(, CleanSchema, testing::Values(Engine::sqlite, Engine::postgres),
                         [](const auto& test) { return std::string(test.param == Engine::sqlite ? "sqlite" : "postgres"); });

}  // namespace
}  // namespace quarry::schema::test
