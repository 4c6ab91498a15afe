/// `quarry restore DIR`.

#include <fmt/format.h>

#include "cli/backup_keys.hpp"
#include "cli/commands.hpp"
#include "cli/text.hpp"
#include "quarry/backup/backup.hpp"
#include "quarry/backup/pitr.hpp"

namespace quarry::cli {
namespace {

struct RestoreCli : BackupKeyOptions {
  std::string dir;
  std::string name;
  bool replace = false;
  bool no_bodies = false;
  std::string at;
  std::string scratch;
  std::string programs;
};

ExitCode restore_moment(Context& context, const RestoreCli& cli) {
  backup::RestoreAtOptions options;
  options.replace = cli.replace;
  options.scratch = cli.scratch;
  if (!cli.no_bodies) options.blobs = context.settings().blobs;
  if (!cli.programs.empty()) options.programs = cli.programs;
  const auto restored = backup::restore_at(cli.dir, context.settings().db, backup_keys(cli), parse_iso8601(cli.at), options);
  auto& console = context.console();
  console.result(restored, [&] {
    console.line(
        fmt::format("restored the database as it was at {}, {} rows, from the base backup {} and {} files of the log",
                    human_time(restored.at), restored.rows, restored.base, restored.segments));
    console.line(fmt::format("proven: it shows the marker of {} and not that of {}", to_iso8601(restored.reached.after),
                             to_iso8601(restored.beyond.before)));
    if (!cli.no_bodies) console.line(fmt::format("{} bodies were put back", restored.bodies));
  });
  if (restored.bodies_missing == 0) return ExitCode::ok;
  console.note(fmt::format(
      "{} bodies are neither in the content store nor in the folder of backups: `quarry artifact fsck` names them",
      restored.bodies_missing));
  return ExitCode::failed;
}

ExitCode restore_backup(Context& context, const RestoreCli& cli) {
  if (!cli.at.empty()) return restore_moment(context, cli);
  const auto keys = backup_keys(cli);
  backup::RestoreOptions options;
  options.name = cli.name;
  options.replace = cli.replace;
  if (!cli.no_bodies) options.blobs = context.settings().blobs;
  const auto restored = backup::restore(cli.dir, context.settings().db, keys, options);
  auto& console = context.console();
  console.result(restored, [&] {
    console.line(fmt::format("restored {}: the database as it was at {}, {} rows; {} bodies were put back", restored.name,
                             human_time(restored.created_at), restored.rows, restored.bodies));
    if (restored.moved_aside)
      console.line(fmt::format("the damaged database that was there is now {}", *restored.moved_aside));
  });
  if (restored.bodies_missing > 0)
    console.note(
        fmt::format("the backup does not hold {} that the database refers to: they were lost before it was made, or it was "
                    "made without any. `quarry artifact fsck` names those that the content store lacks",
                    counted(restored.bodies_missing, "body", "bodies")));
  return ExitCode::ok;
}

}  // namespace

void add_restore_command(CLI::App& app, Commands& commands) {
  auto cli = std::make_shared<RestoreCli>();
  auto* command = commands.add(
      app, "restore", "Restore a backup to where --db and --blobs say; nobody may use that database", cli, restore_backup);
  command->add_option("dir", cli->dir, "The folder of the backups")->required()->type_name("DIR");
  auto* named =
      command->add_option("--backup", cli->name, "Its name, or the beginning of it; the newest verified one by default")
          ->type_name("NAME");
  command->add_flag("--replace", cli->replace, "Replace a database that holds rows");
  auto* at = command
                 ->add_option("--at", cli->at,
                              "PostgreSQL: the moment to restore, 2026-03-01T12:00:00Z; see `quarry backup pitr-setup`")
                 ->type_name("TIME")
                 ->excludes(named);
  command
      ->add_option("--scratch", cli->scratch,
                   "With --at: where the log is replayed, in clear; the system's temporary folder by default")
      ->type_name("DIR")
      ->needs(at);
  command
      ->add_option("--programs", cli->programs,
                   "With --at: where PostgreSQL's server is; /usr/lib/postgresql/15/bin by default")
      ->type_name("DIR")
      ->needs(at);
  command->add_flag("--no-bodies", cli->no_bodies, "Leave the content store alone");
  add_backup_key_options(*command, *cli, false);
}

}  // namespace quarry::cli
