#pragma once
/// Small migration sets for the tests. Each migration carries the file texts for both engines.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "quarry/schema/author.hpp"
#include "quarry/schema/migrator.hpp"

namespace quarry::schema::test {

struct FileTexts {
  std::string name;
  std::string up_sqlite{}, down_sqlite{};
  std::string up_postgres{}, down_postgres{};
};

/// The same text on both engines.
inline FileTexts both(std::string name, std::string up, std::string down) { return {std::move(name), up, down, up, down}; }

/// The statements of the desired schema that make the migrator's own tables.
inline std::string state_tables(Engine engine) {
  std::string sql;
  for (const auto& statement : split_script(engine, DesiredSchema::embedded().text(engine))) {
    const auto text = normalised(engine, statement.text);
    if (text.starts_with("create table") && text.substr(0, 80).find("schema_migration") != std::string::npos)
      sql.append(statement.text).append(";\n");
  }
  return sql;
}

inline FileTexts first_migration(const std::string& more = "create table a (id bigint primary key, b text not null);\n") {
  const std::string down = "drop table schema_migration_log; drop table schema_migrations; drop table a;";
  auto sqlite_more = more;
  if (const auto at = sqlite_more.find("bigint primary key"); at != std::string::npos)
    sqlite_more.replace(at, std::string("bigint primary key").size(), "integer primary key");
  return {"first", state_tables(Engine::sqlite) + sqlite_more, down, state_tables(Engine::postgres) + more, down};
}

inline std::vector<SourceFile> files_of(const std::vector<FileTexts>& migrations) {
  std::vector<SourceFile> files;
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    const auto& m = migrations[i];
    const auto folder = label(static_cast<std::int64_t>(i) + 1, m.name);
    files.push_back({folder + "/up.sqlite.sql", m.up_sqlite});
    files.push_back({folder + "/down.sqlite.sql", m.down_sqlite});
    files.push_back({folder + "/up.postgres.sql", m.up_postgres});
    files.push_back({folder + "/down.postgres.sql", m.down_postgres});
  }
  return files;
}

inline MigrationSet set_of(const std::vector<FileTexts>& migrations) { return MigrationSet(files_of(migrations)); }

/// The migrations up to number `count`.
inline std::vector<FileTexts> first(const std::vector<FileTexts>& migrations, std::size_t count) {
  return {migrations.begin(), migrations.begin() + static_cast<std::ptrdiff_t>(count)};
}

/// Runs `body` and gives the migration error that it throws.
template <class F>
std::pair<Reason, std::string> refusal(F&& body) {
  try {
    body();
  } catch (const MigrationError& error) {
    return {error.reason(), error.client_message()};
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

}  // namespace quarry::schema::test
