/// Schemas made at random: one that the migrations have made gives no alarm, and of any two the one becomes the other by the
/// statements that are told.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "conformance/schema/migration_files.hpp"
#include "quarry/schema/validate.hpp"
#include "quarry/sql/backend.hpp"
#include "support/both_engines.hpp"

namespace quarry::schema::test {
namespace {

/// Names repeat from one schema to the next, so that two of them have much in common.
class RandomSchema {
 public:
  RandomSchema(Engine engine, std::uint32_t seed) : engine_(engine), random_(seed) {}

  std::string sql() {
    std::string sql;
    if (is_postgres() && one_in(2)) sql += fmt::format("create type mood as enum ({});\n", labels());
    has_mood_ = !sql.empty();
    const int tables = 1 + number(4);
    for (int table = 0; table < tables; ++table) {
      sql += table_sql(table);
      sql += more_of(table);
    }
    if (one_in(3)) sql += fmt::format("create view v as select id, '{}' as word from t0;\n", number(3));
    return sql;
  }

 private:
  bool is_postgres() const { return engine_ == Engine::postgres; }
  int number(int below) { return static_cast<int>(random_() % static_cast<std::uint32_t>(below)); }
  bool one_in(int n) { return number(n) == 0; }
  std::string labels() { return one_in(2) ? "'sad', 'ok'" : one_in(2) ? "'sad', 'ok', 'happy'" : "'ok', 'sad'"; }

  std::string column_sql(int column) {
    static const std::vector<std::string> sqlite_types{"text", "integer", "real", "any"};
    static const std::vector<std::string> postgres_types{"text", "integer", "bigint", "numeric(10, 2)", "varchar(20)"};
    const auto& types = is_postgres() ? postgres_types : sqlite_types;
    auto type = types[static_cast<std::size_t>(number(static_cast<int>(types.size())))];
    const bool is_text = type == "text" || type == "varchar(20)" || type == "any";
    if (has_mood_ && one_in(6)) return fmt::format("  c{} mood{}", column, one_in(2) ? " default 'ok'" : "");
    auto sql = fmt::format("  c{} {}", column, type);
    if (one_in(3)) sql += " not null";
    if (one_in(2)) sql += is_text ? fmt::format(" default 'x{}'", number(2)) : fmt::format(" default {}", number(3) - 1);
    if (one_in(4))
      sql += is_text ? fmt::format(" check (length(c{}) < {})", column, 8 + number(2))
                     : fmt::format(" check (c{} >= -{})", column, 5 + number(2));
    if (one_in(8)) sql += " unique";
    return sql;
  }

  std::string table_sql(int table) {
    columns_.clear();
    auto sql = fmt::format("create table t{} (\n  id {} primary key", table, is_postgres() ? "bigint" : "integer");
    for (int column = 0; column < 6; ++column) {
      if (one_in(2)) continue;
      sql += ",\n" + column_sql(column);
      columns_.push_back(fmt::format("c{}", column));
    }
    static const std::vector<std::string> actions{"", " on delete cascade", " on delete set null", " on update cascade"};
    if (table > 0 && one_in(2))
      sql += fmt::format(",\n  parent {} references t{} (id){}", is_postgres() ? "bigint" : "integer", number(table),
                         actions[static_cast<std::size_t>(number(4))]);
    if (one_in(3)) sql += fmt::format(",\n  constraint named check (id > {})", number(2));
    return sql + (is_postgres() || one_in(4) ? "\n);\n" : "\n) strict;\n");
  }

  std::string more_of(int table) {
    std::string sql;
    for (const auto& column : columns_)
      if (one_in(2))
        sql += fmt::format("create {}index t{}_{} on t{} ({}{}){};\n", one_in(3) ? "unique " : "", table, column, table,
                           column, one_in(3) ? " desc" : "", one_in(3) ? " where id > 3" : "");
    if (is_postgres() && one_in(3))
      sql += fmt::format("alter table t{0} enable row level security; create policy p on t{0} using (id > {1});\n", table,
                         number(2));
    if (is_postgres() && one_in(3))
      sql += fmt::format("grant {} on t{} to public;\n", one_in(2) ? "select" : "select, update", table);
    if (!is_postgres() && one_in(3))
      sql += fmt::format("create trigger t{0}_after after insert on t{0} begin delete from t{0} where id = {1}; end;\n",
                         table, number(2));
    return sql;
  }

  Engine engine_;
  std::mt19937 random_;
  std::vector<std::string> columns_;
  bool has_mood_ = false;
};

MigrationSet set_with(Engine engine, const std::string& schema) {
  FileTexts texts{.name = "random"};
  (engine == Engine::sqlite ? texts.up_sqlite : texts.up_postgres) = state_tables(engine) + schema;
  return set_of({texts});
}

std::string told_by(const SchemaDiff& diff) {
  std::string told;
  for (const auto& difference : diff.differences) told += to_text(difference) + "\n";
  return told;
}

class RandomSchemas : public quarry::test::BothEngines {
 protected:
  int rounds() const {
    const bool is_long = std::getenv("QUARRY_TEST_LONG") != nullptr;
    return is_sqlite() ? (is_long ? 1000 : 150) : (is_long ? 1000 : 25);
  }
};
QUARRY_BOTH_ENGINES(RandomSchemas);

TEST_P(RandomSchemas, GiveNoAlarmAndBecomeEachOther) {
  const Engine engine = GetParam();
  // They belong to the server, so that a test beside this one could make them between two looks.
  if (is_postgres())
    for (const auto* role : {"quarry_system", "quarry_tenant"})
      db().backend().run_outside_transaction(
          "test.role", fmt::format("do $$ begin create role {} nologin; exception when duplicate_object or unique_violation"
                                   " then null; end $$",
                                   role));
  auto schema = RandomSchema(engine, 1).sql();
  migrate_up(db(), set_with(engine, schema), {.verify = false});
  for (int round = 2; round < rounds(); ++round) {
    // The database has the last round's schema, and does not alarm.
    SCOPED_TRACE(fmt::format("round {}, from:\n{}", round, schema));
    ASSERT_EQ(told_by(diff_live(db(), set_with(engine, schema))), "");
    const auto next = RandomSchema(engine, static_cast<std::uint32_t>(round)).sql();
    SCOPED_TRACE("to:\n" + next);
    const auto diff = diff_live(db(), set_with(engine, next));
    const auto mend = mend_text({.engine = engine, .schema = {}, .differences = {}, .mend = diff.up, .notes = {}});
    SCOPED_TRACE(mend);
    try {
      db().backend().dedicated()->session().run_script("test.mend", mend);
    } catch (const Error& error) {
      FAIL() << error.client_message() << "\n" << error.engine_message();
    }
    ASSERT_EQ(told_by(diff_live(db(), set_with(engine, next))), "");
    schema = next;
  }
}

}  // namespace
}  // namespace quarry::schema::test
