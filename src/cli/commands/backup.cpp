/// `quarry backup DIR`, and what belongs to it.

#include "quarry/backup/backup.hpp"

#include <fmt/format.h>

#include "cli/backup_keys.hpp"
#include "cli/commands.hpp"
#include "cli/text.hpp"
#include "quarry/backup/retention.hpp"

namespace quarry::cli {
namespace {

struct BackupCli : BackupKeyOptions {
  std::string dir;
  std::string name;
  std::string keep;
  std::string scratch;
  std::string scratch_db;
  bool no_verify = false;
  bool no_bodies = false;
  bool dry_run = false;
};

struct BackupResult {
  backup::Summary backup;
  std::optional<backup::Pruned> pruned;
};
BOOST_DESCRIBE_STRUCT(BackupResult, (), (backup, pruned))

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
    console.line(fmt::format("{} older backups and {} bodies were removed", result.pruned->removed.size(),
                             result.pruned->bodies_removed));
}

ExitCode make(Context& context, const BackupCli& cli) {
  auto& console = context.console();
  std::optional<backup::Keep> keep;
  if (!cli.keep.empty()) keep = backup::parse_keep(cli.keep);
  const auto keys = backup_keys(cli);
  context.open_any_version(false, {.read_only = true});  // whose database it is, and whether it is there
  backup::BackupOptions options;
  options.verify = !cli.no_verify;
  if (!cli.no_bodies) options.blobs = context.settings().blobs;
  options.scratch = cli.scratch;
  options.scratch_url = cli.scratch_db;
  BackupResult result{backup::create(context.settings().db, cli.dir, keys, options), {}};
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
    Table table({{"BACKUP"},
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
  options.scratch_url = !cli.scratch_db.empty()                         ? cli.scratch_db
                        : context.settings().db.starts_with("postgres") ? context.settings().db
                                                                        : std::string();
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

ExitCode prune(Context& context, const BackupCli& cli) {
  const auto result = backup::prune(cli.dir, backup::parse_keep(cli.keep), cli.dry_run);
  auto& console = context.console();
  console.result(result, [&] {
    for (const auto& name : result.removed) console.line(fmt::format("{} {}", cli.dry_run ? "would go" : "gone", name));
    console.line(fmt::format("{} backups stay; {} bodies ({}) {}", result.kept, result.bodies_removed,
                             human_bytes(result.bodies_removed_bytes), cli.dry_run ? "would go" : "went"));
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

}  // namespace

void add_backup_commands(CLI::App& app, Commands& commands) {
  auto cli = std::make_shared<BackupCli>();
  auto& group = *commands.add(app, "backup", "Back up the database and its bodies, encrypted, while others work", cli, make);
  group.add_option("dir", cli->dir, "The folder of the backups; made when it is not there")->type_name("DIR");
  add_backup_key_options(group, *cli, true);
  add_scratch(group, *cli, "beside the SQLite file, or the system's temporary folder");
  group.add_flag("--no-verify", cli->no_verify, "Do not restore and compare it: it does not count before that was done");
  group.add_flag("--no-bodies", cli->no_bodies, "Leave out the content store");
  group.add_option("--keep", cli->keep, "Afterwards remove what 7d,4w,12m does not keep and a newer verified backup covers");
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
    command->add_option("--keep", sub->keep, "7d,4w,12m: the last of 7 days, 4 weeks, 12 months")->required();
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
