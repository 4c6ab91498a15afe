/// Archiving, base backups and markers.

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <optional>
#include <thread>

#include "backup/child.hpp"
#include "backup/json.hpp"
#include "backup/key_derivation.hpp"
#include "backup/layout.hpp"
#include "backup/postgres/connection_words.hpp"
#include "backup/postgres/server.hpp"
#include "backup/postgres/wal_store.hpp"
#include "quarry/backup/sealed.hpp"
#include "quarry/schema/sql_text.hpp"

namespace quarry::backup {
namespace {

using namespace postgres;

constexpr sql::Query<bool()> is_superuser{"backup.is_superuser",
                                          "select rolsuper from pg_roles where rolname = current_user"};
constexpr sql::Query<std::string(std::string_view)> setting_of{"backup.setting", "select current_setting($1)"};
constexpr sql::Query<Instant()> server_clock{"backup.server_clock", "select clock_timestamp()"};
constexpr sql::Query<std::string()> current_segment{"backup.segment", "select pg_walfile_name(pg_current_wal_insert_lsn())"};
constexpr sql::Query<std::int64_t()> segment_size{"backup.segment_size",
                                                  "select setting::bigint from pg_settings where name = 'wal_segment_size'"};
constexpr sql::Query<std::string()> switch_segment{"backup.switch", "select pg_switch_wal()::text"};
constexpr sql::Query<std::string()> current_user_name{"backup.user", "select current_user::text"};

/// What a copy must not go below while it replays the log (hot standby).
constexpr std::array copied_limits{"max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions",
                                   "max_locks_per_transaction"};

// While archive_mode is off, the server does not show its own command; its files do.
constexpr sql::Query<std::optional<std::string>()> command_in_files{
    "backup.command_in_files",
    "select setting from pg_file_settings where name = 'archive_command' and error is null order by seqno desc limit 1"};
constexpr sql::Query<std::string()> archive_library{"backup.archive_library",
                                                    "select coalesce(current_setting('archive_library', true), '')"};

/// What one of ours archives into: between its own name and the segment's.
std::string_view place_of(std::string_view command) {
  constexpr std::string_view name = " backup wal-push ", segment = " \"%p\"";
  const auto from = command.find(name);
  const auto to = command.find(segment);
  if (from == std::string_view::npos || to == std::string_view::npos || to < from + name.size()) return {};
  return command.substr(from + name.size(), to - from - name.size());
}

/// Whoever archives already relies on it: with the command replaced, their archive would end here, and nobody would be told.
/// Its text may hold secrets and is not shown.
void refuse_other_archive(std::string_view present, std::string_view library, std::string_view ours) {
  const bool same_place = !place_of(ours).empty() && place_of(present) == place_of(ours);
  if (library.empty() && (present.empty() || present == ours || same_place)) return;
  throw Error(ErrorCode::conflict,
              fmt::format("the server has an {0} of its own already, and archives elsewhere: `show {0}` tells where. Say "
                          "--replace-archive-command to have it archive into this folder instead",
                          library.empty() ? "archive_command" : "archive_library"));
}

/// The settings that had to be changed; of them, whether the server reads them only when it starts.
std::vector<std::string> configure(Administration& server, const std::string& archive_command, bool replace, bool& restart) {
  std::vector<std::string> changed;
  const auto value = [&](std::string_view name) { return server.tx().value(setting_of, name); };
  const auto set = [&](const std::string& name, const std::string& wanted) {
    server.run(fmt::format("alter system set {} = {}", name, schema::quoted_text(wanted)));
    changed.push_back(name);
  };
  const auto library = server.tx().value(archive_library);
  auto present = value("archive_command");
  if (value("archive_mode") == "off") present = server.tx().one(command_in_files).value_or(std::nullopt).value_or("");
  if (!replace) refuse_other_archive(present, library, archive_command);
  if (!library.empty()) set("archive_library", "");
  if (value("wal_level") == "minimal") {
    set("wal_level", "replica");
    restart = true;
  }
  if (value("archive_mode") == "off") {
    set("archive_mode", "on");
    restart = true;
  }
  if (present != archive_command) set("archive_command", archive_command);
  if (!changed.empty()) server.run("select pg_reload_conf()");
  return changed;
}

void wait_for_segment(const Repository& repository, const std::string& segment, int wait_s) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(wait_s);
  while (sealed_segment(repository, segment).empty()) {
    if (std::chrono::steady_clock::now() > deadline)
      throw Error(
          ErrorCode::timeout,
          fmt::format("the server has not archived the segment {} within {} s: its log tells why the archive_command fails",
                      segment, wait_s));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Marker make_marker(Administration& server, const Repository& repository, int wait_s) {
  Marker marker;
  std::array<unsigned char, 16> number{};
  randombytes_buf(number.data(), number.size());
  marker.id = hex(as_text(number));
  marker.before = server.tx().value(server_clock);
  server.run(
      fmt::format("insert into system_config (id, key, value, type, description) values (gen_random_uuid(), "
                  "'backup.marker', '{}', 'string',"
                  " 'Tells which moment a restored database shows; written by `quarry backup pitr-mark`')"
                  " on conflict (key) do update set value = excluded.value",
                  marker.id));
  marker.after = server.tx().value(server_clock);
  marker.segment = server.tx().value(current_segment);
  server.tx().value(switch_segment);
  wait_for_segment(repository, marker.segment, wait_s);
  append_marker(repository, marker);
  return marker;
}

std::string take_base(std::string_view url, Administration& server, const Repository& repository, const Keys& keys) {
  BaseInfo base;
  base.first_segment = server.tx().value(current_segment);
  base.segment_bytes = server.tx().value(segment_size);
  base.version = server.tx().value(setting_of, std::string_view("server_version"));
  base.user = server.tx().value(current_user_name);
  base.database = database_of(url);
  for (const auto* name : copied_limits) base.settings[name] = server.tx().value(setting_of, std::string_view(name));
  base.name = new_backup_name(server.tx().value(server_clock));
  const auto folder = base_dir(repository) / fmt::format("{}{}", unfinished_prefix, base.name);
  make_folder(folder);
  SealedWriter writer(
      folder / "base.sealed", keys,
      {.kind = PartKind::base_backup, .subject = subject_of("base/" + base.name), .salt = repository.salt()});
  Child child("pg_basebackup", {"--pgdata=-", "--format=tar", "--wal-method=none", "--checkpoint=fast", "--no-password"},
              environment_of(url), Pipe::from_child);
  std::vector<std::byte> buffer(std::size_t{256} * 1024);
  while (const auto got = child.read(buffer)) writer.write(std::span(buffer).first(got));
  child.wait("copy the server's files");
  writer.finish();
  base.ended_at = server.tx().value(server_clock);
  write_durably(folder / "base.json", to_json_text(base));
  rename_durably(folder, base_dir(repository) / base.name);
  return base.name;
}

}  // namespace

PitrSetup setup_pitr(std::string_view url, const fs::path& dir, const Keys& keys, const std::string& archive_command,
                     bool replace_archive_command) {
  start_sodium();
  if (sql::engine_of(url) != Engine::postgres)
    throw_invalid("a moment in time is restored on PostgreSQL: --db postgresql://...");
  const auto repository = Repository::open_or_make(dir);
  const auto lock = repository.lock();
  make_folder(dir / "wal");
  make_folder(base_dir(repository));
  Administration server(url);
  if (!server.tx().value(is_superuser))
    throw Error(ErrorCode::denied, "archiving is set up by a superuser of the server: name one in --db");
  PitrSetup result;
  result.changed = configure(server, archive_command, replace_archive_command, result.restart_needed);
  if (result.restart_needed) return result;
  for (const auto& entry : fs::directory_iterator(base_dir(repository)))
    if (entry.path().filename().native().starts_with(unfinished_prefix)) fs::remove_all(entry.path());
  result.base = take_base(url, server, repository, keys);
  result.marker = make_marker(server, repository, 60);
  return result;
}

Marker mark(std::string_view url, const fs::path& dir, int wait_s) {
  start_sodium();
  const auto repository = Repository::open(dir);
  if (!fs::exists(dir / "wal"))
    throw_invalid(fmt::format("'{}' has no log: `quarry backup pitr-setup` first", dir.native()));
  Administration server(url);
  return make_marker(server, repository, wait_s);
}

}  // namespace quarry::backup
