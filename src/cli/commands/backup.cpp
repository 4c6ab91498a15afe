/// `quarry backup DIR`, and what belongs to it.

#include "quarry/backup/backup.hpp"

#include <fmt/format.h>

#include <charconv>

#include "cli/backup_keys.hpp"
#include "cli/commands.hpp"
#include "cli/text.hpp"
#include "quarry/backup/pitr.hpp"
#include "quarry/backup/retention.hpp"

namespace quarry::cli {
namespace {

struct BackupCli : BackupKeyOptions {
  std::string dir;
  std::string name;
  std::string keep;
  std::string keep_log;
  std::string scratch;
  std::string scratch_db;
  bool no_verify = false;
  bool no_bodies = false;
  bool dry_run = false;
};

struct BackupResult {
  backup::Summary backup;
  std::optional<backup::Pruned> pruned;
  std::optional<backup::PrunedLog> pruned_log;
};
BOOST_DESCRIBE_STRUCT(BackupResult, (), (backup, pruned, pruned_log))

/// 14d: from so long ago on any moment shall be restorable.
Instant log_kept_since(std::string_view text) {
  const std::string wrong = fmt::format("'{}' says not how far the log reaches back: 14d, 36h or 8w", text);
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, text.data() + text.size());
  const int hours = unit == "h" ? 1 : unit == "d" ? 24 : unit == "w" ? 168 : 0;
  if (error != std::errc{} || hours == 0 || count < 1 || count > 10'000) throw_invalid(wrong);
  return SystemClock().now() - std::chrono::hours(std::int64_t{count} * hours);
}

void show_log(Console& console, const backup::PrunedLog& log, bool dry_run) {
  if (!log.reaches_back_to) return console.line("the log: no base backup that old is whole, so that all of it stays");
  console.line(fmt::format("the log: {} base backups and {} segments ({}) {}; any moment from {} on can be restored",
                           log.bases_removed.size(), log.segments_removed, human_bytes(log.segments_removed_bytes),
                           dry_run ? "would go" : "went", human_time(*log.reaches_back_to)));
}

std::string verified_text(const backup::Summary& summary) {
  if (summary.failure) return "FAILED";
  return summary.verified_at ? human_time(*summary.verified_at) : "no";
}

void show_made(Console& console, const BackupResult& result) {
  const auto& made = result.backup;
  console.line(fmt::format("{}: {} rows in {} tables, {} in {}; {} bodies, {} of them new", made.name, made.rows,
                           made.tables, human_bytes(made.database_bytes), human_bytes(made.sealed_bytes), made.bodies,
                           made.bodies_new));
  if (made.verified_at)
    console.line(fmt::format("verified: restored and compared in {}",
                             human_duration(std::chrono::milliseconds(made.verify_ms.value_or(0)))));
  else
    console.line("not verified: `quarry backup verify` does it; until then retention does not rely on it");
  if (result.pruned && !result.pruned->removed.empty())
    console.line(fmt::format("removed: {} and {}", counted(std::ssize(result.pruned->removed), "older backup"),
                             counted(result.pruned->bodies_removed, "body", "bodies")));
  if (result.pruned_log) show_log(console, *result.pruned_log, false);
}

ExitCode make(Context& context, const BackupCli& cli) {
  auto& console = context.console();
  if (cli.dir.empty())
    throw_invalid("say which folder the backup goes into: `quarry backup DIR`; it is made when it is not there");
  std::optional<backup::Keep> keep;
  if (!cli.keep.empty()) keep = backup::parse_keep(cli.keep);
  std::optional<Instant> keep_log;
  if (!cli.keep_log.empty()) keep_log = log_kept_since(cli.keep_log);
  const auto keys = backup_keys(cli);
  context.open_any_version(false, {.read_only = true});  // whose database it is, and whether it is there
  backup::BackupOptions options;
  options.verify = !cli.no_verify;
  if (!cli.no_bodies) options.blobs = context.settings().blobs;
  options.scratch = cli.scratch;
  options.scratch_url = cli.scratch_db;
  BackupResult result{backup::create(context.settings().db, cli.dir, keys, options), {}, {}};
  if (keep_log) result.pruned_log = backup::prune_log(cli.dir, *keep_log);
  if (keep) result.pruned = backup::prune(cli.dir, *keep);
  console.result(result, [&] { show_made(console, result); });
  if (result.backup.bodies_missing == 0) return ExitCode::ok;
  console.note(fmt::format(
      "{} bodies were missing or damaged in the content store and are not in the backup: `quarry artifact fsck` names them",
      result.backup.bodies_missing));
  return ExitCode::failed;
}

struct ListResult {
  std::vector<backup::Summary> backups;
};
BOOST_DESCRIBE_STRUCT(ListResult, (), (backups))

ExitCode list(Context& context, const BackupCli& cli) {
  const ListResult result{backup::Repository::open(cli.dir).list()};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"BACKUP", Align::left, Room::whole},
                 {"ENGINE"},
                 {"ROWS", Align::right},
                 {"DATABASE", Align::right},
                 {"STORED", Align::right},
                 {"BODIES", Align::right},
                 {"KEY"},
                 {"VERIFIED"}});
    for (const auto& one : result.backups)
      table.row({one.name, one.engine, fmt::format("{}", one.rows), human_bytes(one.database_bytes),
                 human_bytes(one.sealed_bytes + one.bodies_new_bytes), fmt::format("{}", one.bodies), one.key_mode,
                 verified_text(one)});
    console.print(table);
    for (const auto& one : result.backups)
      if (one.failure) console.line(fmt::format("{}: {}", one.name, *one.failure));
  });
  return ExitCode::ok;
}

ExitCode verify(Context& context, const BackupCli& cli) {
  const auto keys = backup_keys(cli);
  backup::VerifyOptions options;
  options.scratch = cli.scratch;
  options.scratch_url = cli.scratch_db;
  if (cli.scratch_db.empty() && sql::engine_of(context.settings().db) == Engine::postgres)
    options.scratch_url = context.settings().db;
  ListResult result;
  if (!cli.name.empty()) {
    result.backups.push_back(backup::verify(cli.dir, cli.name, keys, options));
  } else {
    const auto all = backup::Repository::open(cli.dir).list();
    if (all.empty()) throw Error(ErrorCode::not_found, fmt::format("there is no backup in '{}'", cli.dir));
    result.backups.push_back(backup::verify(cli.dir, all.back().name, keys, options));
  }
  auto& console = context.console();
  console.result(result, [&] {
    for (const auto& one : result.backups)
      console.line(fmt::format("{} is good: restored and compared in {}", one.name,
                               human_duration(std::chrono::milliseconds(one.verify_ms.value_or(0)))));
  });
  return ExitCode::ok;
}

struct PruneResult {
  std::vector<std::string> removed;
  std::optional<std::int64_t> kept;  ///< nothing when backups were not looked at
  std::int64_t bodies_removed = 0;
  std::int64_t bodies_removed_bytes = 0;
  std::optional<backup::PrunedLog> log;
};
BOOST_DESCRIBE_STRUCT(PruneResult, (), (removed, kept, bodies_removed, bodies_removed_bytes, log))

ExitCode prune(Context& context, const BackupCli& cli) {
  if (cli.keep.empty() && cli.keep_log.empty()) throw_invalid("say what to keep: --keep 7d,4w,12m, or --keep-log 14d");
  std::optional<backup::Keep> keep;
  if (!cli.keep.empty()) keep = backup::parse_keep(cli.keep);
  PruneResult result;
  if (!cli.keep_log.empty()) result.log = backup::prune_log(cli.dir, log_kept_since(cli.keep_log), cli.dry_run);
  if (keep) {
    auto pruned = backup::prune(cli.dir, *keep, cli.dry_run);
    result.removed = std::move(pruned.removed);
    result.kept = pruned.kept;
    result.bodies_removed = pruned.bodies_removed;
    result.bodies_removed_bytes = pruned.bodies_removed_bytes;
  }
  auto& console = context.console();
  console.result(result, [&] {
    for (const auto& name : result.removed) console.line(fmt::format("{} {}", cli.dry_run ? "would go" : "gone", name));
    if (result.kept)
      console.line(fmt::format("{}; {} ({}) {}", counted(*result.kept, "backup stays", "backups stay"),
                               counted(result.bodies_removed, "body", "bodies"), human_bytes(result.bodies_removed_bytes),
                               cli.dry_run ? "would go" : "went"));
    if (result.log) show_log(console, *result.log, cli.dry_run);
  });
  return ExitCode::ok;
}

struct PublicKeyResult {
  std::string public_key;
};
BOOST_DESCRIBE_STRUCT(PublicKeyResult, (), (public_key))

ExitCode public_key(Context& context, const BackupCli& cli) {
  const PublicKeyResult result{backup_keys(cli).public_text()};
  auto& console = context.console();
  console.result(result, [&] { console.line(result.public_key); });
  return ExitCode::ok;
}

void add_dir(CLI::App& command, BackupCli& cli) {
  command.add_option("dir", cli.dir, "The folder of the backups")->required()->type_name("DIR");
}

void add_scratch(CLI::App& command, BackupCli& cli, const char* otherwise) {
  command
      .add_option("--scratch", cli.scratch, fmt::format("Where copies are restored to be compared, in clear; {}", otherwise))
      ->type_name("DIR");
  command
      .add_option("--scratch-db", cli.scratch_db, "PostgreSQL: a server where the copy is restored; that of --db by default")
      ->type_name("URL");
}

void add_keep_log(CLI::App& command, BackupCli& cli) {
  command
      .add_option("--keep-log", cli.keep_log,
                  "PostgreSQL: remove base backups and log that no moment of the last 14d (h, d, w) needs")
      ->type_name("SPAN");
}

}  // namespace

void add_backup_commands(CLI::App& app, Commands& commands) {
  auto cli = std::make_shared<BackupCli>();
  auto& group = *commands.add(app, "backup", "Back up the database and its bodies, encrypted, while others work", cli, make);
  group.add_option("dir", cli->dir, "The folder of the backups; made when it is not there")->type_name("DIR");
  add_backup_key_options(group, *cli, true);
  add_scratch(group, *cli, "beside the SQLite file, or the system's temporary folder");
  group.add_flag("--no-verify", cli->no_verify, "Do not restore and compare it: it does not count before that was done")
      ->excludes("--scratch")
      ->excludes("--scratch-db");
  group.add_flag("--no-bodies", cli->no_bodies, "Leave out the content store");
  group.add_option("--keep", cli->keep, "Afterwards remove what 7d,4w,12m does not keep and a newer verified backup covers");
  add_keep_log(group, *cli);
  {
    auto sub = std::make_shared<BackupCli>();
    add_dir(*commands.add(group, "list", "Show what there is", sub, list), *sub);
  }
  {
    auto sub = std::make_shared<BackupCli>();
    auto* command = commands.add(group, "verify", "Restore a backup into a scratch place and compare; the newest by default",
                                 sub, verify);
    add_dir(*command, *sub);
    command->add_option("--backup", sub->name, "Its name, or the beginning of it")->type_name("NAME");
    add_backup_key_options(*command, *sub, false);
    add_scratch(*command, *sub, "the system's temporary folder");
  }
  {
    auto sub = std::make_shared<BackupCli>();
    auto* command = commands.add(group, "prune", "Remove what is not kept and a newer verified backup covers", sub, prune);
    add_dir(*command, *sub);
    command->add_option("--keep", sub->keep, "7d,4w,12m: the last of 7 days, 4 weeks, 12 months");
    add_keep_log(*command, *sub);
    command->add_flag("--dry-run", sub->dry_run, "Only tell");
  }
  {
    auto sub = std::make_shared<BackupCli>();
    auto* command = commands.add(group, "public-key", "Print the public key that belongs to a key file", sub, public_key);
    command->add_option("--key-file", sub->key_file, "The key file")->required()->type_name("FILE");
  }
  add_backup_pitr_commands(group, commands);
}

}  // namespace quarry::cli
