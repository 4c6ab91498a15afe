#include "schema/sqlite_backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "quarry/core/error.hpp"
#include "quarry/schema/sql_text.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::schema {
namespace {

constexpr sql::Query<std::string()> main_file{"schema.main_file",
                                              "select file from pragma_database_list where name = 'main'"};
constexpr sql::Query<std::int64_t()> copy_faults{
    "schema.copy_check",
    "select (select count(*) from pragma_integrity_check where schema = 'quarry_copy' and integrity_check <> 'ok')"
    " + abs((select count(*) from main.sqlite_master) - (select count(*) from quarry_copy.sqlite_master))"};

/// Of the file, or of the folder that names it.
void sync(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && fsync(file) == 0;
  const int failure = errno;
  if (file >= 0) close(file);
  if (!synced)
    throw Error(ErrorCode::unavailable,
                fmt::format("cannot write '{}' to the disk: {}", path.string(), std::strerror(failure)));
}

/// `2026-03-01T12:00:00.000000Z` as `20260301T120000`.
std::string compact_time(Instant at) {
  std::string compact;
  for (const char c : to_iso8601(at).substr(0, 19))
    if (c != '-' && c != ':') compact += c;
  return compact;
}

std::filesystem::path free_name(const std::string& prefix) {
  std::filesystem::path path = prefix + ".db";
  for (int i = 2; std::filesystem::exists(path); ++i) path = fmt::format("{}-{}.db", prefix, i);
  return path;
}

void check_copy(sql::Session& session, const std::string& copy) {
  session.run_script("schema.attach_copy", fmt::format("attach database {} as quarry_copy", quoted_text(copy)));
  const auto faults = Read(session).value(copy_faults);
  session.run_script("schema.detach_copy", "detach database quarry_copy");
  if (faults != 0) throw Error(ErrorCode::corrupt, fmt::format("the backup '{}' is damaged: check the disk", copy));
}

}  // namespace

std::string back_up(sql::Session& session, std::string_view label) {
  const auto file = Read(session).value(main_file);
  if (file.empty()) return {};
  const auto path = free_name(fmt::format("{}.before-{}-{}", file, label, compact_time(session.now())));
  const auto partial = path.string() + ".partial";
  std::filesystem::remove(partial);
  session.run_script("schema.back_up", fmt::format("vacuum into {}", quoted_text(partial)));
  check_copy(session, partial);
  sync(partial);
  std::filesystem::rename(partial, path);
  sync(path.parent_path());
  return path.string();
}

}  // namespace quarry::schema
