#include "schema/scratch.hpp"

#include <fmt/format.h>

#include <functional>

#include "quarry/schema/error.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::schema {
namespace {

void run_statements(sql::Session& session, const Script& script) {
  for (const auto& statement : script.statements) {
    std::string sql = statement.text;
    if (session.engine() == Engine::postgres && needs_autocommit(Engine::postgres, sql)) sql = without_concurrently(sql);
    if (sql.empty()) continue;
    try {
      session.run_script(script.path, sql);
    } catch (const Error& error) {
      throw MigrationError(Reason::failed,
                           fmt::format("{}, line {}: {}", script.path, statement.line, error.client_message()),
                           {error.engine_message(), error.sqlstate(), error.native_code()});
    }
  }
}

Model in_sqlite(const std::function<void(sql::Session&)>& fill) {
  const auto scratch = Database::open("sqlite::memory:");
  const auto connection = scratch.backend().dedicated();
  auto& session = connection->session();
  // As for a rebuild: a table may be replaced while views and keys name it.
  session.run_script("schema.scratch", "pragma foreign_keys = off; pragma legacy_alter_table = on");
  fill(session);
  Read tx(session);
  return introspect(tx);
}

Model in_postgres(const Database& near, const std::function<void(sql::Session&)>& fill) {
  const auto connection = near.backend().dedicated();
  auto& session = connection->session();
  const auto schema = fmt::format("quarry_scratch_{:016x}", session.random().next());
  session.run_script("schema.scratch", fmt::format("begin; create schema {0}; set local search_path = {0}", schema));
  fill(session);
  Read tx(session);
  auto model = introspect(tx);
  session.run_script("schema.scratch", "rollback");
  return model;
}

Model in_scratch(const Database& near, const std::function<void(sql::Session&)>& fill) {
  return near.engine() == Engine::sqlite ? in_sqlite(fill) : in_postgres(near, fill);
}

}  // namespace

std::string without_concurrently(std::string_view statement) {
  const auto first = leading_words(Engine::postgres, statement, 1);
  if (first != std::vector<std::string>{"create"} && first != std::vector<std::string>{"drop"} &&
      first != std::vector<std::string>{"alter"})
    return {};
  std::string result;
  Lexer lexer(Engine::postgres, statement);
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next())
    if (!token.is_word("concurrently")) result += token.text;
  return result;
}

Model model_of_migrations(const Database& near, const MigrationSet& set, std::int64_t version) {
  return in_scratch(near, [&](sql::Session& session) {
    for (const auto& migration : set.migrations())
      if (migration.version <= version) run_statements(session, migration.script(session.engine(), Direction::up));
  });
}

Model without_state_tables(Model model) {
  std::erase_if(model.objects, [](const Object& object) {
    const auto& name = object.table.empty() ? object.name : object.table;
    return name == "schema_migrations" || name == "schema_migration_log";
  });
  return model;
}

Model model_of_script(const Database& near, std::string_view name, std::string_view sql) {
  Script script;
  script.path = name;
  for (const auto& statement : split_script(near.engine(), sql))
    script.statements.push_back({std::string(statement.text), statement.line, {}});
  return in_scratch(near, [&](sql::Session& session) { run_statements(session, script); });
}

}  // namespace quarry::schema
