/// `quarry validate`: whether the database is what this program takes it for.

#include "quarry/schema/validate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/text.hpp"
#include "quarry/schema/migrator.hpp"

namespace quarry::cli {
namespace {

using schema::Validation;

struct ValidateCli {
  std::string scratch;
  bool sql = false;
};

struct DriftResult {
  std::string kind;  ///< missing, extra, changed or invalid
  std::string type;  ///< table, column, index, ...
  std::string table;
  std::string name;
  std::string text;
  std::vector<std::string> mend;
};
BOOST_DESCRIBE_STRUCT(DriftResult, (), (kind, type, table, name, text, mend))

struct ValidateResult {
  std::string database;
  std::string engine;
  std::int64_t version = 0;
  std::int64_t objects = 0;
  std::vector<DriftResult> differences;
  std::vector<std::string> notes;
  std::string script;  ///< mends all of them
};
BOOST_DESCRIBE_STRUCT(ValidateResult, (), (database, engine, version, objects, differences, notes, script))

Validation validation_of(const Database& db, const ValidateCli& cli) {
  if (cli.scratch.empty()) return schema::validate(db);
  if (db.engine() == Engine::sqlite)
    throw_invalid("--scratch is for PostgreSQL: on SQLite what to compare with is made in memory");
  schema::check(db);
  return schema::validate(db, schema::expected_schema(Database::open(cli.scratch, {.create = false})));
}

/// Names and texts come from the database, whoever filled it: line by line, made harmless, with the space that each begins
/// with.
void print_lines(Console& console, std::string_view indent, std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto inner = line.substr(0, std::min(line.size(), line.find_first_not_of(' ')));
    console.raw(fmt::format("{}{}{}\n", indent, inner, printable(line)));
  }
}

/// A rebuild mends several parts of a table at once, and is shown with the first of them.
void show_differences(Console& console, const ValidateResult& result) {
  constexpr std::string_view indent = "    ";
  const std::vector<std::string>* shown = nullptr;
  for (const auto& difference : result.differences) {
    print_lines(console, "", difference.text);
    if (shown && difference.mend.size() > 1 && *shown == difference.mend)
      print_lines(console, indent, "(by the same statements)");
    else
      for (const auto& statement : difference.mend) print_lines(console, indent, statement + ";");
    shown = &difference.mend;
  }
}

ExitCode run_validate(Context& context, const ValidateCli& cli) {
  // PostgreSQL's scratch schema is made in a transaction, though it is rolled back.
  const bool sqlite = sql::engine_of(context.settings().db) == Engine::sqlite;
  const auto db = context.open_any_version(false, {.read_only = sqlite});
  const auto found = validation_of(db, cli);
  ValidateResult result{.database = db.display_url(),
                        .engine = std::string(to_string(db.engine())),
                        .version = schema::MigrationSet::embedded().head(),
                        .objects = static_cast<std::int64_t>(found.objects),
                        .differences = {},
                        .notes = found.notes,
                        .script = schema::mend_text(found)};
  for (const auto& one : found.differences)
    result.differences.push_back({std::string(to_string(one.kind)), std::string(to_string(one.type)), one.table, one.name,
                                  schema::to_text(one), one.mend});
  auto& console = context.console();
  console.result(result, [&] {
    if (cli.sql) return console.raw(result.script);
    if (result.differences.empty())
      console.line(fmt::format("{} is as it should be: {} objects compared", result.database, result.objects));
    show_differences(console, result);
    for (const auto& note : result.notes) console.note("note: " + note);
    if (!result.differences.empty())
      console.note(
          fmt::format("{} difference{}; one may need another mended before: `quarry validate --sql` prints one script that "
                      "mends them all in an order that works; read it before you run it",
                      result.differences.size(), result.differences.size() == 1 ? "" : "s"));
    if (found.mend.destructive) console.note("the script drops a table or a column, with what is in it");
  });
  return result.differences.empty() ? ExitCode::ok : ExitCode::drift;
}

}  // namespace

void add_validate_command(CLI::App& app, Commands& commands) {
  auto cli = std::make_shared<ValidateCli>();
  auto* command =
      commands.add(app, "validate", "Compare the database with the schema that this program expects", cli, run_validate);
  command->add_flag("--sql", cli->sql, "Print nothing but the script that mends all differences");
  command
      ->add_option("--scratch", cli->scratch,
                   "PostgreSQL: make what to compare with in this database instead, where you may make schemas")
      ->type_name("URL");
}

}  // namespace quarry::cli
