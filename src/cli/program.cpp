#include "cli/program.hpp"

#include "cli/empty_value.hpp"
#include "cli/help.hpp"

namespace quarry::cli {
namespace {

constexpr const char* footer =
    "Every command takes the options above, before its name or after it. `quarry COMMAND --help` tells the rest, and "
    "`quarry config "
    "show --effective` what holds.\n"
    "Exit codes: 0 done, 64 the command line is wrong, 66 not found, 69 unavailable, ...: docs/exit-codes.md";

constexpr const char* footer_of_commands = "And the options of every command, such as --db and --json: `quarry --help`";

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

void add_commands(CLI::App& app, Commands& commands) {
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
}

}  // namespace

void build_program(CLI::App& app, Globals& globals, Commands& commands, std::optional<std::size_t> width) {
  // Inherited by every command that is added from here on: what a command does not know, the program may.
  app.fallthrough();
  app.require_subcommand(1);
  app.formatter(help_formatter(width));
  app.footer(footer_of_commands);
  add_globals(app, globals);
  add_commands(app, commands);
  app.footer(footer);
  refuse_empty_values(app, commands);
}

}  // namespace quarry::cli
