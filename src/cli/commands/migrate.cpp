/// `quarry migrate`: the schema's way up and down.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/text.hpp"
#include "quarry/schema/author.hpp"
#include "quarry/schema/error.hpp"
#include "quarry/schema/migrator.hpp"

namespace quarry::cli {
namespace {

using schema::MigrationSet;

struct MigrateCli {
  std::string dir;
  std::int64_t steps = 1;
  std::int64_t version = 0;
  bool allow_data_loss = false;
  bool no_verify = false;
  bool no_backup = false;
  std::int64_t lock_wait_ms = 60'000;
};

MigrationSet set_of(const std::string& dir) {
  return dir.empty() ? MigrationSet::embedded() : MigrationSet::from_directory(dir);
}

/// The same, to be run: a folder without any is rather a wrong name than a wish to do nothing.
MigrationSet set_to_run(const std::string& dir) {
  auto set = set_of(dir);
  if (set.head() == 0)
    throw schema::MigrationError(schema::Reason::bad_set,
                                 fmt::format("there are no migrations in '{}': is the name right? They lie there as "
                                             "0001_NAME/up.sqlite.sql and so on",
                                             dir));
  return set;
}

struct StepResult {
  std::int64_t version = 0;
  std::string name;
  std::string direction;
  std::int64_t statements = 0;
  std::int64_t duration_us = 0;
  bool resumed = false;
  std::optional<std::string> backup;  ///< the copy that was made before data was destroyed
};
BOOST_DESCRIBE_STRUCT(StepResult, (), (version, name, direction, statements, duration_us, resumed, backup))

struct MigrateResult {
  std::string database;
  std::int64_t version = 0;
  std::vector<StepResult> steps;
};
BOOST_DESCRIBE_STRUCT(MigrateResult, (), (database, version, steps))

schema::MigrateOptions options_of(const MigrateCli& cli, Console& console) {
  schema::MigrateOptions options;
  options.allow_data_loss = cli.allow_data_loss;
  options.verify = !cli.no_verify;
  options.backup = !cli.no_backup;
  options.lock_wait = std::chrono::milliseconds(cli.lock_wait_ms);
  options.on_wait = [&console](const std::string& reason) { console.note("waiting: " + reason); };
  return options;
}

ExitCode show_steps(Context& context, const Database& db, const MigrationSet& set,
                    const std::vector<schema::AppliedStep>& steps) {
  MigrateResult result{.database = db.display_url(), .version = schema::status(db, set).version, .steps = {}};
  for (const auto& step : steps)
    result.steps.push_back({step.version, step.name, std::string(to_string(step.direction)),
                            static_cast<std::int64_t>(step.statements), step.duration.count(), step.resumed,
                            step.backup.empty() ? std::nullopt : std::optional(step.backup)});
  auto& console = context.console();
  console.result(result, [&] {
    for (const auto& step : steps)
      console.line(fmt::format("{} {} ({} statements, {}){}", to_string(step.direction),
                               schema::label(step.version, step.name), step.statements, human_duration(step.duration),
                               step.resumed ? ", resumed" : ""));
    for (const auto& step : steps)
      if (!step.backup.empty()) console.line(fmt::format("the data as it was before is in {}", step.backup));
    console.line(steps.empty() ? fmt::format("nothing to do: {} is at version {:04}", result.database, result.version)
                               : fmt::format("{} is at version {:04}", result.database, result.version));
  });
  return ExitCode::ok;
}

ExitCode up(Context& context, const MigrateCli& cli) {
  const auto set = set_to_run(cli.dir);
  const auto db = context.open_any_version(true);
  return show_steps(context, db, set, schema::migrate_up(db, set, options_of(cli, context.console())));
}

ExitCode down(Context& context, const MigrateCli& cli) {
  const auto set = set_to_run(cli.dir);
  const auto db = context.open_any_version(false);
  return show_steps(context, db, set, schema::migrate_down(db, set, cli.steps, options_of(cli, context.console())));
}

ExitCode to(Context& context, const MigrateCli& cli) {
  const auto set = set_to_run(cli.dir);
  const auto db = context.open_any_version(cli.version > 0);
  return show_steps(context, db, set, schema::migrate_to(db, set, cli.version, options_of(cli, context.console())));
}

struct CurrentResult {
  std::string database;
  std::string state;
  std::int64_t version = 0;
  std::int64_t head = 0;
  std::vector<std::string> pending;
  std::vector<std::string> edited;
  std::string message;
};
BOOST_DESCRIBE_STRUCT(CurrentResult, (), (database, state, version, head, pending, edited, message))

ExitCode exit_code_of(schema::State state) {
  switch (state) {
    case schema::State::current:
      return ExitCode::ok;
    case schema::State::empty:
    case schema::State::behind:
      return ExitCode::pending;
    case schema::State::newer:
      return ExitCode::newer;
    case schema::State::edited:
      return ExitCode::checksum;
    case schema::State::foreign:
      return ExitCode::not_ours;
  }
  return ExitCode::bug;
}

ExitCode current(Context& context, const MigrateCli& cli) {
  const auto set = set_to_run(cli.dir);
  const auto db = context.open_any_version(false, {.read_only = true});
  const auto status = schema::status(db, set);
  const CurrentResult result{
      db.display_url(), std::string(to_string(status.state)), status.version, status.head, status.pending, status.edited,
      status.message};
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("{:04} of {:04} ({}): {}", status.version, status.head, result.state, result.database));
    for (const auto& label : status.pending) console.line("pending: " + label);
    if (!status.message.empty()) console.line(status.message);
  });
  return exit_code_of(status.state);
}

struct HistoryResult {
  std::vector<schema::LogEntry> history;
};
BOOST_DESCRIBE_STRUCT(HistoryResult, (), (history))

ExitCode history(Context& context) {
  const auto db = context.open_any_version(false, {.read_only = true});
  const HistoryResult result{schema::history(db)};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"MIGRATION"}, {"DIRECTION"}, {"OUTCOME"}, {"STARTED"}, {"TOOK", Align::right}, {"BY"}});
    for (const auto& entry : result.history)
      table.row({schema::label(entry.version, entry.name), entry.direction, entry.outcome, human_time(entry.started_at),
                 entry.finished_at ? human_duration(*entry.finished_at - entry.started_at) : "-",
                 fmt::format("{}@{} {}", entry.os_user, entry.host, entry.tool_version)});
    console.print(table);
  });
  return ExitCode::ok;
}

struct PlanCli : MigrateCli {
  bool sql = false;
};

struct PlanStep {
  std::int64_t version = 0;
  std::string name;
  std::string direction;
  bool destructive = false;
  bool no_transaction = false;
  std::int64_t first_statement = 0;
  std::vector<std::string> statements;
};
BOOST_DESCRIBE_STRUCT(PlanStep, (), (version, name, direction, destructive, no_transaction, first_statement, statements))
struct PlanResult {
  std::vector<PlanStep> steps;
};
BOOST_DESCRIBE_STRUCT(PlanResult, (), (steps))

ExitCode plan(Context& context, const PlanCli& cli) {
  const auto set = set_to_run(cli.dir);
  const auto db = context.open_any_version(false, {.read_only = true});
  PlanResult result;
  for (auto& step : schema::plan(db, set, cli.version < 0 ? set.head() : cli.version))
    result.steps.push_back({step.version, step.name, std::string(to_string(step.direction)), step.destructive,
                            step.no_transaction, static_cast<std::int64_t>(step.first_statement),
                            std::move(step.statements)});
  auto& console = context.console();
  console.result(result, [&] {
    if (result.steps.empty()) console.line("nothing to do");
    for (const auto& step : result.steps) {
      const auto statements = step.statements.size() - static_cast<std::size_t>(step.first_statement);
      console.line(fmt::format("{}{} {}: {} statement{}{}{}", cli.sql ? "-- " : "", step.direction,
                               schema::label(step.version, step.name), statements, statements == 1 ? "" : "s",
                               step.destructive ? ", destructive" : "",
                               step.no_transaction ? ", without a transaction" : ""));
      if (!cli.sql) continue;
      for (auto i = static_cast<std::size_t>(step.first_statement); i < step.statements.size(); ++i)
        console.raw(step.statements[i] + ";\n");
    }
  });
  return ExitCode::ok;
}

struct NewCli {
  std::string name;
  std::string dir = "migrations";
  std::string schema_dir = "schema";
  bool autogenerate = false;
};

struct NewResult {
  std::string label;
  std::vector<std::string> files;
};
BOOST_DESCRIBE_STRUCT(NewResult, (), (label, files))

/// The difference is made by the engines: SQLite in memory, PostgreSQL in the database that `--db` names.
std::map<Engine, schema::SchemaDiff> changes_of(Context& context, const MigrationSet& set,
                                                const schema::DesiredSchema& desired) {
  std::map<Engine, schema::SchemaDiff> changes;
  changes[Engine::sqlite] = schema::diff_desired(Database::open("sqlite::memory:"), set, desired);
  if (sql::engine_of(context.settings().db) != Engine::postgres) return changes;
  changes[Engine::postgres] = schema::diff_desired(context.open_any_version(false), set, desired);
  return changes;
}

ExitCode make_new(Context& context, const NewCli& cli) {
  std::map<Engine, schema::SchemaDiff> changes;
  if (cli.autogenerate) {
    changes =
        changes_of(context, MigrationSet::from_directory(cli.dir), schema::DesiredSchema::from_directory(cli.schema_dir));
    const bool both = changes.contains(Engine::postgres);
    if (std::ranges::all_of(changes, [](const auto& of) { return of.second.differences.empty(); }))
      throw_invalid(fmt::format(
          "the migrations already give the desired schema{}: there is nothing to write. Without --autogenerate the files "
          "are made empty",
          both ? "" : " on SQLite (--db postgresql://... compares PostgreSQL's, too)"));
    if (!both)
      context.console().note(
          "only SQLite's files are filled: name a PostgreSQL server by --db postgresql://... for the others");
  }
  const auto made = schema::new_migration(cli.dir, cli.name, changes);
  const NewResult result{made.label, made.files};
  auto& console = context.console();
  console.result(result, [&] {
    for (const auto& file : result.files) console.line(file);
  });
  return ExitCode::ok;
}

struct DiffCli {
  std::string dir;
  std::string schema_dir;
  bool live = false;
  bool sql = false;
};

struct DiffResult {
  std::string engine;
  std::vector<std::string> differences;
  std::vector<std::string> statements;  ///< that mend them
};
BOOST_DESCRIBE_STRUCT(DiffResult, (), (engine, differences, statements))

ExitCode diff(Context& context, const DiffCli& cli) {
  const auto set = set_of(cli.dir);
  const auto engine = sql::engine_of(context.settings().db);
  const auto found = [&] {
    if (cli.live) return schema::diff_live(context.open_any_version(false), set);
    const auto desired =
        cli.schema_dir.empty() ? schema::DesiredSchema::embedded() : schema::DesiredSchema::from_directory(cli.schema_dir);
    const auto scratch = engine == Engine::postgres ? context.open_any_version(false) : Database::open("sqlite::memory:");
    return schema::diff_desired(scratch, set, desired);
  }();
  DiffResult result{std::string(to_string(engine)), {}, found.up.statements};
  for (const auto& difference : found.differences) result.differences.push_back(schema::to_text(difference));
  auto& console = context.console();
  console.result(result, [&] {
    if (result.differences.empty())
      console.line(cli.live ? "the database is what its migrations make" : "the migrations give the desired schema");
    for (const auto& difference : result.differences) console.line(difference);
    if (cli.sql) console.raw(schema::script_text(found.up));
  });
  return result.differences.empty() ? ExitCode::ok : ExitCode::drift;
}

void add_running_options(CLI::App& command, MigrateCli& cli) {
  command.add_flag("--allow-data-loss", cli.allow_data_loss, "Run scripts that destroy data");
  command.add_flag("--no-backup", cli.no_backup, "Make no copy of a SQLite file before data is destroyed");
  command.add_flag("--no-verify", cli.no_verify, "Do not compare the schema with what the migrations make afterwards");
  command.add_option("--lock-wait-ms", cli.lock_wait_ms, "How long to wait for others in all")
      ->check(CLI::Range(0, 86'400'000));
}

template <class Options>
void add_dir(CLI::App& command, Options& cli, const char* otherwise) {
  command.add_option("--dir", cli.dir, fmt::format("The folder of the migrations; {}", otherwise))->type_name("DIR");
}

constexpr const char* built_in = "those built into the program by default";

}  // namespace

void add_migrate_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "migrate", "Bring the database's schema up or down, and look at it");
  const auto running = [&](const char* name, const char* help, ExitCode (*action)(Context&, const MigrateCli&)) {
    auto cli = std::make_shared<MigrateCli>();
    auto* command = commands.add(group, name, help, cli, action);
    add_dir(*command, *cli, built_in);
    add_running_options(*command, *cli);
    return std::pair(command, cli);
  };
  running("up", "Apply all pending migrations", up);
  {
    const auto [command, cli] = running("down", "Undo the last migration, or the last STEPS", down);
    command->add_option("steps", cli->steps, "How many")->check(CLI::Range(1, 100'000));
  }
  {
    const auto [command, cli] = running("to", "Go up or down to VERSION; 0 is an empty database", to);
    command->add_option("version", cli->version, "The version")->required()->check(CLI::Range(0, 100'000));
  }
  {
    auto cli = std::make_shared<MigrateCli>();
    add_dir(*commands.add(group, "current", "Tell how far the database is", cli, current), *cli, built_in);
  }
  commands.add(group, "history", "List what was done, oldest first", history);
  {
    auto cli = std::make_shared<PlanCli>();
    cli->version = -1;
    auto* command = commands.add(group, "plan", "Tell what `up`, or `to VERSION`, would do", cli, plan);
    command->add_option("version", cli->version, "The version; the newest by default")->check(CLI::Range(0, 100'000));
    command->add_flag("--sql", cli->sql, "Print the statements");
    add_dir(*command, *cli, built_in);
  }
  {
    auto cli = std::make_shared<NewCli>();
    auto* command = commands.add(group, "new", "Write the files of the next migration", cli, make_new);
    command->add_option("name", cli->name, "Its name, of a-z, 0-9 and _")->required();
    auto* filled = command->add_flag("--autogenerate", cli->autogenerate,
                                     "Fill them with the difference to the desired schema; read it before use");
    command->add_option("--schema", cli->schema_dir, "The folder of the desired schema; `schema` by default")
        ->type_name("DIR")
        ->needs(filled);
    add_dir(*command, *cli, "`migrations` by default");
  }
  {
    auto cli = std::make_shared<DiffCli>();
    auto* command = commands.add(group, "diff", "Compare what the migrations make with the desired schema", cli, diff);
    auto* live = command->add_flag("--live", cli->live, "Compare the database with what its migrations make instead");
    command->add_flag("--sql", cli->sql, "Print the statements that mend it");
    command->add_option("--schema", cli->schema_dir, "The folder of the desired schema; the built-in one by default")
        ->type_name("DIR")
        ->excludes(live);
    add_dir(*command, *cli, built_in);
  }
}

}  // namespace quarry::cli
