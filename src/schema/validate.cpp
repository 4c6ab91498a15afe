#include "quarry/schema/validate.hpp"

#include <fmt/format.h>

#include <boost/describe/class.hpp>
#include <utility>

#include "quarry/schema/error.hpp"
#include "schema/default_rows.hpp"
#include "schema/in_use.hpp"
#include "schema/introspect.hpp"
#include "schema/scratch.hpp"
#include "schema/state.hpp"

namespace quarry::schema {
namespace {

constexpr sql::Query<std::int64_t()> major_version{
    "schema.major_version", sql::sqlite("select 0"),
    sql::postgres("select current_setting('server_version_num')::bigint / 10000")};

struct Us {
  std::string role;
  std::string database;
};
BOOST_DESCRIBE_STRUCT(Us, (), (role, database))
constexpr sql::Query<Us()> us{"schema.us", sql::sqlite("select '' as role, '' as database"),
                              sql::postgres("select quote_ident(current_user) as role,"
                                            " quote_ident(current_database()) as database")};

/// The scratch schema could not be made: insufficient privilege, or a standby, or a read-only server.
bool is_about_rights(const Error& error) { return error.sqlstate() == "42501" || error.sqlstate() == "25006"; }

[[noreturn]] void refuse_scratch(const Database& near, const Error& error) {
  const auto who = near.read([](Read& tx) { return tx.value(us); });
  const auto remedy =
      error.sqlstate() == "25006"
          ? std::string("it is read-only, a standby perhaps")
          : fmt::format(
                "ask its owner for: GRANT CREATE ON DATABASE {} TO {}, and for membership of quarry_system and "
                "quarry_tenant",
                who.database, who.role);
  throw Error(ErrorCode::denied,
              fmt::format("{} may not make the scratch schema to compare with in database {}: {}. Or name a database of the "
                          "same PostgreSQL version where it may be made (--scratch postgresql://...)",
                          who.role, who.database, remedy),
              {error.engine_message(), error.sqlstate(), error.native_code()});
}

Model model_to_expect(const Database& near, const MigrationSet& set) {
  try {
    return model_of_migrations(near, set, set.head(), add_default_rows);
  } catch (const Error& error) {
    if (is_about_rights(error)) refuse_scratch(near, error);
    throw;
  }
}

}  // namespace

ExpectedSchema expected_schema(const Database& near, const MigrationSet& set) {
  return {model_to_expect(near, set), near.read([](Read& tx) { return tx.value(major_version); })};
}

Validation validate(const Database& db, const ExpectedSchema& wanted, const MigrationSet& set) {
  if (wanted.model.engine != db.engine()) throw_invalid("a schema of one engine cannot be held against one of the other");
  Model expected = wanted.model;
  Model actual = db.read([&](Read& tx) {
    refuse_unless_usable(judge(read_state(tx), set, db.engine(), db.display_url()), false);
    if (const auto version = tx.value(major_version); version != wanted.server_version)
      throw_invalid(
          fmt::format("the database is PostgreSQL {} and what to expect was made by PostgreSQL {}, which spells "
                      "some things otherwise: name a scratch database of the same version",
                      version, wanted.server_version));
    auto model = introspect(tx);
    add_default_rows(model, tx);
    return model;
  });
  sort_objects(actual);
  sort_objects(expected);
  Validation result{.engine = db.engine(), .schema = actual.schema, .differences = {}, .mend = {}, .notes = {}};
  allow_for_use(actual, expected);
  result.notes = settle_default_rows(actual, expected);
  result.objects = expected.objects.size();
  result.differences = compare(actual, expected);
  if (!result.differences.empty()) result.mend = change_script(actual, expected);
  return result;
}

Validation validate(const Database& db, const MigrationSet& set) {
  // First: whoever has an old database should hear that, and not of rights.
  check(db, set);
  return validate(db, expected_schema(db, set), set);
}

std::string mend_text(const Validation& validation) {
  const auto& mend = validation.mend;
  if (mend.statements.empty()) return {};
  const bool sqlite = validation.engine == Engine::sqlite;
  std::string text;
  if (mend.rebuild) text += "PRAGMA foreign_keys = OFF;\nPRAGMA legacy_alter_table = ON;\n";
  if (!mend.no_transaction) text += sqlite ? "BEGIN IMMEDIATE;\n" : "BEGIN;\n";
  if (!validation.schema.empty())
    text += fmt::format("SET{} search_path = {};\n", mend.no_transaction ? "" : " LOCAL", validation.schema);
  for (const auto& statement : mend.statements) text.append(statement).append(";\n");
  if (!mend.no_transaction) text += "COMMIT;\n";
  if (mend.rebuild) text += "PRAGMA foreign_keys = ON;\nPRAGMA legacy_alter_table = OFF;\nPRAGMA foreign_key_check;\n";
  return text;
}

}  // namespace quarry::schema
