/// Base backups and segments of the log that are not needed any more.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "backup/envelope.hpp"
#include "backup/file.hpp"
#include "backup/key_derivation.hpp"
#include "backup/layout.hpp"
#include "backup/part_header.hpp"
#include "backup/postgres/wal_store.hpp"
#include "quarry/backup/error.hpp"
#include "quarry/backup/pitr.hpp"

namespace quarry::backup {
namespace {

using namespace postgres;

/// The file of a base backup as it was written, as far as can be told without a key.
bool is_whole(const Repository& repository, const BaseInfo& base) {
  const auto path = base_dir(repository) / base.name / "base.sealed";
  std::error_code none;
  if (!fs::exists(path, none)) return false;
  const auto file = File::open_to_read(path);
  const auto bytes = file.size(path);
  HeaderBytes header{};
  TrailerBytes trailer{};
  if (bytes < header.size() + trailer.size()) return false;
  try {
    file.read(std::as_writable_bytes(std::span(header)), path);
    if (decode(header, path.native()).subject != subject_of("base/" + base.name)) return false;
    if (::lseek(file.get(), -static_cast<off_t>(trailer.size()), SEEK_END) < 0) throw file_error(errno, "read", path);
    file.read(std::as_writable_bytes(std::span(trailer)), path);
    check_trailer(trailer, bytes, path.native());
    return true;
  } catch (const BackupError&) {
    return false;
  }
}

/// The newest base backup from before `since` from which the newest marker can be reached: all that is older may go.
std::optional<BaseInfo> covering_base(const Repository& repository, Instant since) {
  const auto all = markers(repository);
  if (all.empty()) return std::nullopt;
  const auto newest = *std::ranges::max_element(all, {}, [](const Marker& marker) { return marker.before.us; });
  const auto known = bases(repository);
  const auto covering = std::find_if(known.rbegin(), known.rend(), [&](const BaseInfo& base) {
    return base.ended_at <= since && newest.before >= base.ended_at && is_whole(repository, base) &&
           has_segments(repository, base, newest.segment);
  });
  return covering == known.rend() ? std::nullopt : std::optional(*covering);
}

void remove_base(const Repository& repository, const std::string& name) {
  // Under this name it is none any more; `pitr-setup` removes what is left of it if we are killed.
  const auto going = base_dir(repository) / fmt::format("{}{}", unfinished_prefix, name);
  rename_durably(base_dir(repository) / name, going);
  fs::remove_all(going);
}

PrunedLog prune_log_now(const fs::path& dir, Instant since, bool dry_run) {
  const auto repository = Repository::open(dir);
  const auto lock = repository.lock();
  PrunedLog pruned;
  std::error_code none;
  if (!fs::exists(base_dir(repository), none)) return pruned;
  const auto covering = covering_base(repository, since);
  if (!covering) return pruned;
  pruned.reaches_back_to = covering->ended_at;
  for (const auto& base : bases(repository)) {
    if (base.ended_at >= covering->ended_at) continue;
    pruned.bases_removed.push_back(base.name);
    if (!dry_run) remove_base(repository, base.name);
  }
  // Bases first: one without its segments would promise what it cannot keep.
  for (const auto& segment : segments_before(repository, *covering)) {
    ++pruned.segments_removed;
    pruned.segments_removed_bytes += static_cast<std::int64_t>(fs::file_size(segment));
    if (!dry_run) fs::remove(segment);
  }
  return pruned;
}

}  // namespace

PrunedLog prune_log(const fs::path& dir, Instant since, bool dry_run) {
  start_sodium();
  return in_our_words([&] { return prune_log_now(dir, since, dry_run); });
}

}  // namespace quarry::backup
