/// Room for the database and for the bodies. A file system that hangs is waited for until the timeout, and no longer.

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "ops/health/aside.hpp"
#include "ops/health/checks.hpp"
#include "quarry/core/path.hpp"

namespace quarry::ops::health {
namespace {

namespace fs = std::filesystem;

/// Below these a disk is nearly full: the larger of a share that suits small disks and a size that suits large ones, where
/// 5 % are a lot.
constexpr std::uint64_t free_bytes_low = std::uint64_t{1} << 30;
constexpr double free_share_low = 0.05;
constexpr std::uint64_t free_bytes_to_be_at_ease = std::uint64_t{20} << 30;
/// Below this the next commits fail.
constexpr std::uint64_t free_bytes_none = std::uint64_t{32} << 20;
/// A log this long means that a reader has kept it from starting over.
constexpr std::uintmax_t wal_bytes_max = std::uintmax_t{1} << 30;

/// Where a local server keeps its files, as far as it tells us.
constexpr sql::Query<std::string()> data_folder{
    "health.data_folder", sql::sqlite("select ''"),
    sql::postgres("select coalesce((select setting from pg_settings where name = 'data_directory'"
                  " and inet_server_addr() is null), '')")};

struct Place {
  std::string what;
  fs::path folder;
};

struct Room {
  Place place;
  int error = 0;
  std::uint64_t free_bytes = 0;
  double free_share = 0;
  double free_files_share = 1;
  unsigned long file_system = 0;
};

Room room_of(const Place& place) {
  Room room{.place = place};
  struct statvfs status {};
  if (::statvfs(place.folder.c_str(), &status) != 0) {
    room.error = errno;
    return room;
  }
  room.free_bytes = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  room.free_share = status.f_blocks == 0 ? 1.0 : static_cast<double>(status.f_bavail) / static_cast<double>(status.f_blocks);
  if (status.f_files > 0) room.free_files_share = static_cast<double>(status.f_favail) / static_cast<double>(status.f_files);
  room.file_system = status.f_fsid;
  return room;
}

/// A folder is made when the first body comes; until then the one that it will lie in tells.
fs::path first_that_exists(fs::path folder) {
  std::error_code ignored;
  while (!folder.empty() && !fs::exists(folder, ignored) && folder != folder.parent_path()) folder = folder.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

struct Looked {
  std::vector<Room> rooms;
  std::uintmax_t wal_bytes = 0;
};

void judge(const Room& room, Findings& found) {
  const auto& what = room.place.what;
  if (room.error != 0)
    return found.add(CheckState::warning,
                     fmt::format("the folder of the {} cannot be looked at: {}", what,
                                 std::error_code(room.error, std::generic_category()).message()),
                     fmt::format("see that '{}' exists and may be read", room.place.folder.string()));
  const auto words =
      fmt::format("{} free for the {} ({:.0f} %)", bytes_in_words(room.free_bytes), what, room.free_share * 100);
  const auto remedy = "make room: quarry maintain, quarry artifact gc, or a larger disk";
  if (room.free_bytes < free_bytes_none)
    found.add(CheckState::failed, words + ": the next writes fail", remedy);
  else if (room.free_bytes < free_bytes_low ||
           (room.free_share < free_share_low && room.free_bytes < free_bytes_to_be_at_ease))
    found.add(CheckState::warning, words, remedy);
  else
    found.say(words);
  if (room.free_files_share < free_share_low / 5)
    found.add(CheckState::warning, fmt::format("the file system of the {} has hardly a file left to give", what), remedy);
}

}  // namespace

std::optional<fs::path> sqlite_file(const Database& db) {
  constexpr std::string_view scheme = "sqlite:";
  const std::string_view url = db.display_url();
  if (db.engine() != Engine::sqlite || !url.starts_with(scheme) || url.ends_with(":memory:")) return std::nullopt;
  return resolved_path(url.substr(scheme.size()));
}

Findings check_disk(const Asked& asked) {
  std::vector<Place> places;
  const auto file = sqlite_file(asked.db);
  if (file) places.push_back({"database", file->has_parent_path() ? file->parent_path() : fs::path(".")});
  if (asked.db.engine() == Engine::postgres)
    if (const fs::path folder = asked.read([](Read& tx) { return tx.value(data_folder); }); !folder.empty())
      places.push_back({"database", folder});
  if (!asked.options.blobs.empty()) places.push_back({"bodies", asked.options.blobs});

  static Aside disks(threads_max);
  const auto looked = disks.run(asked.timeout, "the file system did not answer in time", [places, file] {
    Looked seen;
    for (const auto& place : places) seen.rooms.push_back(room_of({place.what, first_that_exists(place.folder)}));
    std::error_code none;
    if (file)
      if (const auto size = fs::file_size(file->string() + "-wal", none); !none) seen.wal_bytes = size;
    return seen;
  });
  Findings found;
  for (const auto& room : looked.rooms) judge(room, found);
  if (looked.wal_bytes > wal_bytes_max)
    found.add(CheckState::warning, fmt::format("the write-ahead log has grown to {}", bytes_in_words(looked.wal_bytes)),
              "end long reads and programs that hang");
  if (looked.rooms.empty()) found.say("the server's disk cannot be seen from here");
  return found;
}

}  // namespace quarry::ops::health
