#include "quarry/schema/author.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "quarry/core/error.hpp"
#include "schema/in_use.hpp"
#include "schema/scratch.hpp"
#include "schema/state.hpp"

namespace quarry::schema {
namespace {

SchemaDiff diff(const Model& actual, const Model& expected) {
  SchemaDiff result{compare(actual, expected), {}, {}};
  if (result.differences.empty()) return result;
  result.up = change_script(actual, expected);
  result.down = change_script(expected, actual);
  return result;
}

void check_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (name.empty() || !std::all_of(name.begin(), name.end(), fits))
    throw_invalid(fmt::format("'{}' cannot name a migration: use a-z, 0-9 and '_'", name));
}

void write_new_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out)
    throw Error(ErrorCode::unavailable, fmt::format("cannot write '{}': check the folder and the disk", path.string()));
}

}  // namespace

Model introspect(const Database& db) {
  return db.read([](Read& tx) { return introspect(tx); });
}

SchemaDiff diff_desired(const Database& near, const MigrationSet& set, const DesiredSchema& desired) {
  const auto migrated = model_of_migrations(near, set, set.head());
  const auto name = near.engine() == Engine::sqlite ? "schema/sqlite.sql" : "schema/postgres.sql";
  return diff(migrated, model_of_script(near, name, desired.text(near.engine())));
}

SchemaDiff diff_live(const Database& db, const MigrationSet& set) {
  const auto stored = db.read([](Read& tx) { return read_state(tx); });
  const auto status = judge(stored, set, db.engine(), db.display_url());
  if (status.state == State::empty || status.state == State::newer || status.state == State::foreign)
    refuse_unless_usable(status, false);
  auto live = introspect(db);
  auto expected = model_of_migrations(db, set, status.version);
  if (status.version == 0) {
    live = without_state_tables(std::move(live));
    expected = without_state_tables(std::move(expected));
  }
  allow_for_use(live, expected);
  return diff(live, expected);
}

std::string script_text(const ChangeScript& script) {
  std::string text;
  if (script.rebuild) text += "-- quarry: rebuild\n";
  if (script.no_transaction) text += "-- quarry: no-transaction\n";
  if (script.destructive) text += "-- quarry: destructive\n";
  for (const auto& statement : script.statements) text.append(text.empty() ? "" : "\n").append(statement).append(";\n");
  return text;
}

NewMigration new_migration(const std::string& folder, std::string_view name, const std::map<Engine, SchemaDiff>& changes) {
  check_name(name);
  const auto set = MigrationSet::from_directory(folder);
  NewMigration made{label(set.head() + 1, name), {}};
  const auto place = std::filesystem::path(folder) / made.label;
  std::error_code failure;
  if (!std::filesystem::create_directory(place, failure))
    throw Error(ErrorCode::unavailable, fmt::format("cannot make the folder '{}': {}", place.string(),
                                                    failure ? failure.message() : "it is there already"));
  for (const Engine engine : {Engine::sqlite, Engine::postgres})
    for (const Direction direction : {Direction::up, Direction::down}) {
      const auto change = changes.find(engine);
      const auto path =
          place / fmt::format("{}.{}.sql", to_string(direction), engine == Engine::sqlite ? "sqlite" : "postgres");
      write_new_file(path, change == changes.end()
                               ? std::string{}
                               : script_text(direction == Direction::up ? change->second.up : change->second.down));
      made.files.push_back(path.string());
    }
  return made;
}

}  // namespace quarry::schema
