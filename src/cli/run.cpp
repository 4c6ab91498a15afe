#include "cli/run.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/config_file.hpp"
#include "cli/help.hpp"
#include "cli/number_range.hpp"
#include "cli/usage.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

constexpr const char* description =
    "Quarry: jobs, a crawl-aware task queue, artifacts and full-text search in one program, on SQLite or PostgreSQL.";

constexpr const char* footer =
    "Every command takes the options above, before its name or after it. `quarry COMMAND --help` tells the rest, and "
    "`quarry config "
    "show --effective` what holds.\n"
    "Exit codes: 0 done, 64 the command line is wrong, 66 not found, 69 unavailable, ...: docs/exit-codes.md";

constexpr const char* footer_of_commands = "And the options of every command, such as --db and --json: `quarry --help`";

struct Globals {
  PartialSettings flags;
  std::optional<std::string> config_file;
};

void add_globals(CLI::App& app, Globals& globals) {
  app.add_option("--db", globals.flags.db,
                 "The database: sqlite:data/quarry.db (default) or postgresql://user@host/name [QUARRY_DB]")
      ->type_name("URL");
  app.add_option("--blobs", globals.flags.blobs,
                 "The folder of the bodies, one for each database; FILE-blobs or data/NAME-blobs by default [QUARRY_BLOBS]")
      ->type_name("DIR");
  app.add_flag_callback(
      "--json", [&globals] { globals.flags.json = true; }, "Results as one JSON document on standard output [QUARRY_JSON]");
  app.add_option(
         "--log", globals.flags.log,
         "trace, debug, info, warn (default), error or off; with ,json for JSON lines on standard error [QUARRY_LOG]")
      ->type_name("LEVEL[,FORMAT]");
  app.add_option("--log-format", globals.flags.log_format,
                 "text (default) or json, whatever --log says of it [QUARRY_LOG_FORMAT]")
      ->type_name("FORMAT");
  app.add_option("--slow-query-ms", globals.flags.slow_query_ms,
                 "Log statements that take as long, by name and time; none by default [QUARRY_SLOW_QUERY_MS]")
      ->type_name("N");
  app.add_option("--config-file", globals.config_file, "A TOML file with any of these [QUARRY_CONFIG_FILE]")
      ->type_name("FILE");
  app.add_option("--connections", globals.flags.connections,
                 "Connections to the database at most; 8 by default [QUARRY_CONNECTIONS]");
  app.add_option("--statement-timeout-ms", globals.flags.statement_timeout_ms,
                 "Longest single statement; 60000 by default [QUARRY_STATEMENT_TIMEOUT_MS]");
  app.add_option("--busy-timeout-ms", globals.flags.busy_timeout_ms,
                 "Longest wait for others' locks; 30000 by default [QUARRY_BUSY_TIMEOUT_MS]");
  app.add_option("--synchronous", globals.flags.synchronous,
                 "SQLite's commits: full (default) survive a power cut, normal may lose the last ones [QUARRY_SYNCHRONOUS]")
      ->type_name("MODE");
  app.set_version_flag("--version", std::string("quarry " QUARRY_VERSION), "Print the version");
}

SettingsSources gather(const Globals& globals, const Environment& environment) {
  SettingsSources sources{.flags = globals.flags, .environment = settings_from(environment)};
  if (const auto file = globals.config_file ? globals.config_file : environment("QUARRY_CONFIG_FILE")) {
    sources.file = settings_from_file(*file);
    sources.file_name = *file;
  }
  return sources;
}

/// What was asked for by `--help` or `--version`, or an error of usage.
ExitCode stop_parsing(const CLI::App& app, const CLI::ParseError& error, Console& console) {
  if (error.get_exit_code() != 0)
    return console.report(CommandError(ExitCode::usage, ErrorCode::invalid, usage_message(app, error)));
  const bool is_version = dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr;
  const auto text = is_version ? app.version() + "\n" : app.help();
  if (console.json())
    console.print_json(boost::json::object{{is_version ? "version" : "help", is_version ? QUARRY_VERSION : text}});
  else
    console.raw(text);
  return ExitCode::ok;
}

ExitCode run_command(const Invocation& invocation, Console& console) {
  CLI::App app(description, "quarry");
  // Inherited by every command that is added from here on: what a command does not know, the program may.
  app.fallthrough();
  app.require_subcommand(1);
  app.formatter(help_formatter(console.terminal().out_width));
  app.footer(footer_of_commands);
  Globals globals;
  add_globals(app, globals);
  Commands commands;
  add_init_command(app, commands);
  add_config_command(app, commands);
  add_migrate_commands(app, commands);
  add_validate_command(app, commands);
  add_schema_commands(app, commands);
  add_crawl_commands(app, commands);
  add_job_commands(app, commands);
  add_queue_commands(app, commands);
  add_artifact_commands(app, commands);
  add_find_command(app, commands);
  add_search_commands(app, commands);
  add_cache_commands(app, commands);
  add_limit_commands(app, commands);
  add_seed_command(app, commands);
  add_maintain_command(app, commands);
  add_watch_commands(app, commands);
  add_setting_commands(app, commands);
  add_audit_commands(app, commands);
  add_schedule_commands(app, commands);
  add_user_commands(app, commands);
  add_session_commands(app, commands);
  add_key_commands(app, commands);
  add_plan_commands(app, commands);
  add_subscription_commands(app, commands);
  add_usage_commands(app, commands);
  add_billing_commands(app, commands);
  add_backup_commands(app, commands);
  add_restore_command(app, commands);
  app.footer(footer);

  try {
    std::vector<std::string> reversed(invocation.args.rbegin(), invocation.args.rend());
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    return stop_parsing(app, error, console);
  }
  if (const auto refusal = number_beyond_range(app); !refusal.empty()) throw_invalid(refusal);
  const auto sources = gather(globals, invocation.environment);
  const auto settings = resolve(sources.flags, sources.environment, sources.file);
  console.set_json(settings.json);
  log::configure(settings.log);
  Context context(settings, sources, console);
  return commands.chosen()(context);
}

/// Whether errors are told as JSON when the command line or a setting cannot be read: what flag, variable and file say, as
/// far as each of them can be made out.
bool wants_json(const Invocation& invocation) {
  std::optional<std::string> file;
  const auto& args = invocation.args;
  for (auto arg = args.begin(); arg != args.end(); ++arg) {
    if (*arg == "--json" || *arg == "--json=1" || *arg == "--json=true") return true;
    constexpr std::string_view option = "--config-file";
    if (*arg == option && arg + 1 != args.end()) file = *(arg + 1);
    if (arg->starts_with(option) && arg->size() > option.size() && (*arg)[option.size()] == '=')
      file = arg->substr(option.size() + 1);
  }
  const auto variable = invocation.environment("QUARRY_JSON");
  if (variable == "1" || variable == "true") return true;
  if (variable == "0" || variable == "false") return false;
  if (!file) file = invocation.environment("QUARRY_CONFIG_FILE");
  return file && json_in_file(*file).value_or(false);
}

}  // namespace

ExitCode run(const Invocation& invocation) {
  Console console(invocation.out, invocation.err, invocation.terminal);
  // Errors of usage come before the settings are known.
  console.set_json(wants_json(invocation));
  try {
    const auto code = run_command(invocation, console);
    invocation.out.flush();
    if (!invocation.out)
      return console.report(
          CommandError(ExitCode::unavailable, ErrorCode::unavailable, "standard output cannot be written"));
    return code;
  } catch (const std::exception& error) {
    return console.report(error);
  }
}

}  // namespace quarry::cli
