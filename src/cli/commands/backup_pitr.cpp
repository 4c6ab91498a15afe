/// `quarry backup pitr-setup`, `pitr-mark` and `wal-push`.

#include <fmt/format.h>

#include <filesystem>

#include "cli/backup_keys.hpp"
#include "cli/commands.hpp"
#include "cli/text.hpp"
#include "quarry/backup/pitr.hpp"

namespace quarry::cli {
namespace {

struct PitrCli : BackupKeyOptions {
  std::string dir;
  std::string file;
  int wait_s = 60;
  bool replace_archive_command = false;
};

/// As a shell reads it.
std::string shell_word(const std::string& text) {
  std::string word = "'";
  for (const char c : text)
    if (c == '\'')
      word += "'\\''";
    else if (c == '%')
      word += "%%";  // PostgreSQL's own sign
    else
      word += c;
  return word + "'";
}

std::string absolute(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().native(); }

/// What the server runs for each segment: this program, by its full name.
std::string archive_command(const PitrCli& cli) {
  auto command =
      fmt::format("{} backup wal-push {} \"%p\"", shell_word(std::filesystem::read_symlink("/proc/self/exe").native()),
                  shell_word(absolute(cli.dir)));
  if (!cli.key_file.empty()) command += " --key-file " + shell_word(absolute(cli.key_file));
  if (!cli.passphrase_file.empty()) command += " --passphrase-file " + shell_word(absolute(cli.passphrase_file));
  if (!cli.public_key.empty()) command += " --public-key " + shell_word(absolute(cli.public_key));
  return command;
}

ExitCode pitr_setup(Context& context, const PitrCli& cli) {
  const auto keys = backup_keys(cli);
  const auto result =
      backup::setup_pitr(context.settings().db, cli.dir, keys, archive_command(cli), cli.replace_archive_command);
  auto& console = context.console();
  console.result(result, [&] {
    for (const auto& setting : result.changed) console.line("changed: " + setting);
    if (result.restart_needed) console.line("restart the server, and run this again: it then takes the base backup");
    if (result.base) console.line("base backup: " + *result.base);
    if (result.marker)
      console.line(
          fmt::format("any moment from {} on can be restored, up to the newest marker", to_iso8601(result.marker->after)));
  });
  return result.restart_needed ? ExitCode::pending : ExitCode::ok;
}

ExitCode pitr_mark(Context& context, const PitrCli& cli) {
  const auto marker = backup::mark(context.settings().db, cli.dir, cli.wait_s);
  auto& console = context.console();
  console.result(marker, [&] { console.line(fmt::format("moments before {} can be proven", to_iso8601(marker.before))); });
  return ExitCode::ok;
}

struct PushResult {
  std::string archived;
};
BOOST_DESCRIBE_STRUCT(PushResult, (), (archived))

ExitCode wal_push(Context& context, const PitrCli& cli) {
  backup::push_wal(cli.dir, backup_keys(cli), cli.file);
  const PushResult result{std::filesystem::path(cli.file).filename().native()};
  context.console().result(result, [] {});
  return ExitCode::ok;
}

}  // namespace

void add_backup_pitr_commands(CLI::App& group, Commands& commands) {
  const auto add = [&](const char* name, const char* help, ExitCode (*action)(Context&, const PitrCli&)) {
    auto cli = std::make_shared<PitrCli>();
    auto* command = commands.add(group, name, help, cli, action);
    command->add_option("dir", cli->dir, "The folder of the backups")->required()->type_name("DIR");
    return std::pair(command, cli);
  };
  {
    const auto [command, cli] = add(
        "pitr-setup", "PostgreSQL: archive the log and take a base backup, so that any moment can be restored", pitr_setup);
    add_backup_key_options(*command, *cli, true);
    command->add_flag("--replace-archive-command", cli->replace_archive_command,
                      "Even if the server archives already to somewhere else, which then ends");
  }
  {
    const auto [command, cli] =
        add("pitr-mark", "PostgreSQL: a marker by which a restored moment is proven; by a timer", pitr_mark);
    command->add_option("--wait-s", cli->wait_s, "How long to wait until it is archived; 60 by default")
        ->check(CLI::Range(1, 86'400));
  }
  const auto [command, cli] =
      add("wal-push", "PostgreSQL: seal one file of the log; what the server's archive_command runs", wal_push);
  command->add_option("file", cli->file, "The file")->required()->type_name("FILE");
  add_backup_key_options(*command, *cli, true);
}

}  // namespace quarry::cli
