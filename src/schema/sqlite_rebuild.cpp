#include "schema/sqlite_rebuild.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/describe/class.hpp>
#include <exception>

#include "quarry/core/log.hpp"
#include "quarry/schema/error.hpp"
#include "quarry/sql/transaction.hpp"
#include "schema/sqlite_table.hpp"

namespace quarry::schema {
namespace {

struct ForeignKeyFault {
  std::string child;
  std::string parent;
  std::int64_t rows;
};
BOOST_DESCRIBE_STRUCT(ForeignKeyFault, (), (child, parent, rows))

constexpr sql::Query<std::int64_t()> foreign_keys{"schema.foreign_keys", "select foreign_keys from pragma_foreign_keys"};
constexpr sql::Query<ForeignKeyFault()> foreign_key_faults{
    "schema.foreign_key_check",
    "select \"table\" as child, parent, count(*) as rows from pragma_foreign_key_check group by 1, 2 order by 1, 2"};
constexpr sql::Query<std::string()> integrity_faults{
    "schema.integrity_check", "select integrity_check from pragma_integrity_check where integrity_check <> 'ok' limit 3"};
constexpr sql::Query<std::string()> view_names{"schema.view_names", "select name from sqlite_master where type = 'view'"};
constexpr sql::Query<std::string(std::string_view)> table_sql{
    "schema.table_sql", "select sql from sqlite_master where type = 'table' and name = $1 collate nocase"};

std::int64_t count(sql::Session& session, const std::string& sql) {
  return Read(session).value(sql::Query<std::int64_t()>("schema.count", sql));
}

/// The tokens of a short statement, names without quotes.
std::vector<std::string> words_of(std::string_view statement) {
  std::vector<std::string> words;
  Lexer lexer(Engine::sqlite, statement);
  for (Token token = lexer.next_significant(); token.kind != TokenKind::end && words.size() < 7;
       token = lexer.next_significant()) {
    auto word = normalised(Engine::sqlite, token.text);
    if (word.size() > 2 && word.front() == '"') word = word.substr(1, word.size() - 2);
    words.push_back(std::move(word));
  }
  return words;
}

/// Columns that hold the same in both tables, if the copy is right: the new definition is the old one, and the value is
/// stored.
std::vector<std::string> columns_alike(const std::string& old_sql, const std::string& new_sql) {
  const auto old_table = parse_create_table(old_sql);
  const auto new_table = parse_create_table(new_sql);
  std::vector<std::string> names;
  for (const auto& column : new_table.columns)
    if (column.normalised.find("generated always") == std::string::npos &&
        column.normalised.find(" as (") == std::string::npos)
      for (const auto& old : old_table.columns)
        if (old.name == column.name && old.normalised == column.normalised) names.push_back(quoted_name(column.name));
  return names;
}

[[noreturn]] void wrong_copy(const Replacement& tables, std::string_view what) {
  throw MigrationError(Reason::failed, fmt::format("table {} was not copied rightly into {}: {}. Nothing was changed",
                                                   tables.old_table, tables.new_table, what));
}

}  // namespace

RebuildMode::RebuildMode(sql::Session& session) : session_(session) { switch_to(true); }

RebuildMode::~RebuildMode() {
  try {
    switch_to(false);
  } catch (const std::exception& error) {
    // The connection is the migrator's own and ends with it, so nobody else works without foreign keys.
    log::error("foreign keys stay off on the migrator's connection: {}", error.what());
  }
}

void RebuildMode::switch_to(bool rebuild) {
  session_.run_script("schema.rebuild_mode", fmt::format("pragma foreign_keys = {}; pragma legacy_alter_table = {}",
                                                         rebuild ? "off" : "on", rebuild ? "on" : "off"));
  if (Read(session_).value(foreign_keys) != (rebuild ? 0 : 1))
    throw_bug("foreign keys cannot be switched inside a transaction");
}

std::optional<Replacement> replacement_at(const std::vector<ScriptStatement>& statements, std::size_t index) {
  const auto drop = words_of(statements[index].text);
  if (drop.size() != 3 || drop[0] != "drop" || drop[1] != "table") return std::nullopt;
  for (std::size_t i = index + 1; i < statements.size(); ++i) {
    const auto rename = words_of(statements[i].text);
    if (rename.size() == 6 && rename[0] == "alter" && rename[1] == "table" && rename[3] == "rename" && rename[4] == "to" &&
        rename[5] == drop[2])
      return Replacement{drop[2], rename[2]};
  }
  return std::nullopt;
}

void check_copied_rows(sql::Session& session, const Script& script, std::size_t index) {
  const auto tables = replacement_at(script.statements, index);
  if (!tables) return;
  Read tx(session);
  const auto old_sql = tx.one(table_sql, std::string_view(tables->old_table));
  const auto new_sql = tx.one(table_sql, std::string_view(tables->new_table));
  if (!old_sql || !new_sql) return;  // the statement itself will fail and say so
  const auto old_name = quoted_name(tables->old_table);
  const auto new_name = quoted_name(tables->new_table);
  const auto old_rows = count(session, "select count(*) from " + old_name);
  const auto new_rows = count(session, "select count(*) from " + new_name);
  if (old_rows != new_rows) wrong_copy(*tables, fmt::format("it has {} rows, the copy {}", old_rows, new_rows));
  const auto names = columns_alike(*old_sql, *new_sql);
  if (names.empty()) return;
  const auto list = fmt::format("{}", fmt::join(names, ", "));
  for (const auto& [from, to] : {std::pair(old_name, new_name), std::pair(new_name, old_name)}) {
    const auto lost =
        count(session, fmt::format("select count(*) from (select {0} from {1} except select {0} from {2})", list, from, to));
    if (lost > 0) wrong_copy(*tables, fmt::format("{} rows differ", lost));
  }
}

void check_rebuilt(sql::Session& session) {
  Read tx(session);
  const auto faults = tx.all(foreign_key_faults);
  if (!faults.empty())
    throw MigrationError(Reason::failed,
                         fmt::format("{} rows of {} refer to rows of {} that do not exist. Nothing was changed",
                                     faults[0].rows, faults[0].child, faults[0].parent));
  const auto damage = tx.all(integrity_faults);
  if (!damage.empty())
    throw MigrationError(Reason::failed, "the file's integrity check fails: restore it from a backup. Nothing was changed",
                         {fmt::format("{}", fmt::join(damage, "; ")), {}, 0});
  for (const auto& view : tx.all(view_names))
    count(session, fmt::format("select count(*) from (select * from {} limit 0)", quoted_name(view)));
}

}  // namespace quarry::schema
