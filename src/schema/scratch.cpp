#include "schema/scratch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "quarry/schema/error.hpp"
#include "quarry/sql/backend.hpp"
#include "schema/change.hpp"

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

using Fill = std::function<void(sql::Session&)>;
using Look = std::function<Model(Read&)>;

/// Roles are the whole server's: what is read back in the scratch place are the real ones. Migrations make plain ones.
Model with_plain_roles(Model model) {
  for (auto& object : model.objects)
    if (object.type == ObjectType::role) object.attributes.clear();
  return model;
}

Model in_sqlite(const Fill& fill, const Look& look) {
  const auto scratch = Database::open("sqlite::memory:");
  const auto connection = scratch.backend().dedicated();
  auto& session = connection->session();
  // As for a rebuild: a table may be replaced while views and keys name it.
  session.run_script("schema.scratch", "pragma foreign_keys = off; pragma legacy_alter_table = on");
  fill(session);
  Read tx(session);
  return look(tx);
}

/// In a transaction that is rolled back.
Model in_rolled_back_schema(sql::Session& session, const std::string& schema, const Fill& fill, const Look& look) {
  session.run_script("schema.scratch", fmt::format("begin; create schema {0}; set local search_path = {0}", schema));
  fill(session);
  Read tx(session);
  auto model = with_plain_roles(look(tx));
  session.run_script("schema.scratch", "rollback");
  return model;
}

constexpr sql::Query<std::string()> left_schemas{
    "schema.scratch_left", "select nspname::text from pg_namespace where nspname ~ '^quarry_scratch_[0-9a-f]{16}$'"};
constexpr sql::Query<bool(std::string_view)> lock_scratch{
    "schema.scratch_lock", "select pg_try_advisory_lock(hashtext('quarry scratch'), hashtext($1))"};

/// A killed program leaves its schema behind, but not the lock on its name.
void drop_left_schemas(sql::Session& session) {
  Read tx(session);
  for (const auto& schema : tx.all(left_schemas))
    if (tx.value(lock_scratch, std::string_view(schema)))
      session.run_script("schema.scratch", fmt::format("drop schema if exists {} cascade", schema));
}

/// Committed statement by statement and dropped at the end: an enum value can be used once the transaction that added it is
/// over.
Model in_committed_schema(sql::Session& session, const std::string& schema, const Fill& fill, const Look& look) {
  drop_left_schemas(session);
  Read tx(session);
  if (!tx.value(lock_scratch, std::string_view(schema))) throw_bug("a scratch schema of this name is in use");
  session.run_script("schema.scratch", fmt::format("create schema {0}; set search_path = {0}", schema));
  const auto drop = [&] { session.run_script("schema.scratch", fmt::format("drop schema {} cascade", schema)); };
  try {
    fill(session);
    auto model = with_plain_roles(look(tx));
    drop();
    return model;
  } catch (const Error& error) {
    if (!error.poisons_connection()) drop();
    throw;
  }
}

Model in_postgres(const Database& near, bool adds_enum_values, const Fill& fill, const Look& look) {
  const auto connection = near.backend().dedicated();
  auto& session = connection->session();
  const auto schema = fmt::format("quarry_scratch_{:016x}", SystemRandom{}.next());
  return adds_enum_values ? in_committed_schema(session, schema, fill, look)
                          : in_rolled_back_schema(session, schema, fill, look);
}

bool adds_enum_values(const Script& script) {
  for (const auto& statement : script.statements)
    if (leading_words(Engine::postgres, statement.text, 2) == std::vector<std::string>{"alter", "type"} &&
        mentions(Engine::postgres, statement.text, "value"))
      return true;
  return false;
}

Model in_scratch(const Database& near, const std::vector<const Script*>& scripts,
                 const std::function<void(Model&, Read&)>& look_too) {
  const Fill fill = [&](sql::Session& session) {
    for (const Script* script : scripts) run_statements(session, *script);
  };
  const Look look = [&](Read& tx) {
    auto model = introspect(tx);
    if (look_too) look_too(model, tx);
    return model;
  };
  if (near.engine() == Engine::sqlite) return in_sqlite(fill, look);
  return in_postgres(
      near, std::any_of(scripts.begin(), scripts.end(), [](auto* script) { return adds_enum_values(*script); }), fill, look);
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

Model model_of_migrations(const Database& near, const MigrationSet& set, std::int64_t version,
                          const std::function<void(Model&, Read&)>& look) {
  std::vector<const Script*> scripts;
  for (const auto& migration : set.migrations())
    if (migration.version <= version) scripts.push_back(&migration.script(near.engine(), Direction::up));
  return in_scratch(near, scripts, look);
}

Model without_state_tables(Model model) {
  std::erase_if(model.objects, [](const Object& object) {
    const auto& name = object.table.empty() ? object.name : object.table;
    const bool is_of_the_server = object.type == ObjectType::role || name.starts_with("schema to ");
    return is_of_the_server || name == "schema_migrations" || name == "schema_migration_log";
  });
  return model;
}

Model model_of_script(const Database& near, std::string_view name, std::string_view sql) {
  Script script;
  script.path = name;
  for (const auto& statement : split_script(near.engine(), sql))
    script.statements.push_back({std::string(statement.text), statement.line, {}});
  return in_scratch(near, {&script}, {});
}

}  // namespace quarry::schema
