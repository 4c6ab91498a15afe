/// Retention carried out.

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "backup/bodies.hpp"
#include "backup/file.hpp"
#include "backup/layout.hpp"
#include "quarry/backup/error.hpp"
#include "quarry/backup/retention.hpp"
#include "quarry/core/log.hpp"

namespace quarry::backup {
namespace {

/// Sorted.
std::vector<Digest> bodies_there(const Repository& repository) {
  std::vector<Digest> names;
  std::error_code none;
  if (!fs::exists(repository.bodies_dir(), none)) return names;
  for (const auto& entry : fs::recursive_directory_iterator(repository.bodies_dir()))
    if (const auto name = name_of_body(entry.path()); name && entry.is_regular_file()) names.push_back(*name);
  std::ranges::sort(names);
  return names;
}

bool has_its_bodies(const Repository& repository, const Summary& backup, const std::vector<Digest>& there) {
  try {
    return std::ranges::includes(there, read_bodies(repository.folder_of(backup.name), backup.bodies, backup.bodies_digest));
  } catch (const BackupError&) {
    return false;
  }
}

/// A backup whose parts are not there covers nothing, whatever it says of itself.
void distrust_incomplete(const Repository& repository, std::vector<Summary>& backups) {
  const auto there = bodies_there(repository);
  for (auto& backup : backups) {
    if (!backup.verified_at) continue;
    const auto folder = repository.folder_of(backup.name);
    std::error_code manifest, database;
    const auto bytes = fs::file_size(folder / manifest_file, manifest) + fs::file_size(folder / database_file, database);
    if (manifest || database || static_cast<std::int64_t>(bytes) != backup.sealed_bytes ||
        !has_its_bodies(repository, backup, there))
      backup.verified_at.reset();
  }
}

/// Of all backups that are left; nothing when one of them cannot tell.
std::optional<std::vector<Digest>> bodies_in_use(const Repository& repository, const std::vector<std::string>& gone) {
  std::vector<Digest> used;  // sorted
  for (const auto& backup : repository.list()) {
    if (std::ranges::find(gone, backup.name) != gone.end()) continue;
    try {
      const auto folder = repository.folder_of(backup.name);
      const auto summary = read_summary(folder);
      const auto names = read_bodies(folder, summary.bodies, summary.bodies_digest);
      // Most lists are nearly alike, and may be millions long.
      const auto known = static_cast<std::ptrdiff_t>(used.size());
      for (const auto& name : names)
        if (!std::binary_search(used.begin(), used.begin() + known, name)) used.push_back(name);
      std::ranges::sort(used);
    } catch (const BackupError& error) {
      log::warn("no bodies are removed: {}", error.client_message());
      return std::nullopt;
    }
  }
  return used;
}

void remove_unused_bodies(const Repository& repository, const std::vector<Digest>& used, bool dry_run, Pruned& pruned) {
  std::error_code none;
  if (!fs::exists(repository.bodies_dir(), none)) return;
  for (const auto& entry : fs::recursive_directory_iterator(repository.bodies_dir())) {
    if (!entry.is_regular_file()) continue;
    const auto name = name_of_body(entry.path());
    if (name && std::ranges::binary_search(used, *name)) continue;
    ++pruned.bodies_removed;
    pruned.bodies_removed_bytes += static_cast<std::int64_t>(entry.file_size());
    if (!dry_run) fs::remove(entry.path());
  }
}

Pruned prune_now(const fs::path& dir, const Keep& keep, bool dry_run) {
  const auto repository = Repository::open(dir);
  const auto lock = repository.lock();
  auto backups = repository.list();
  distrust_incomplete(repository, backups);
  Pruned pruned;
  pruned.removed = expendable(backups, keep);
  pruned.kept = static_cast<std::int64_t>(backups.size() - pruned.removed.size());
  for (const auto& name : pruned.removed) {
    if (dry_run) continue;
    // Under this name it is no backup any more, and what is left of it goes with the next backup if we are killed.
    const auto going = repository.dir() / fmt::format("{}{}", unfinished_prefix, name);
    rename_durably(repository.folder_of(name), going);
    fs::remove_all(going);
  }
  if (const auto used = bodies_in_use(repository, pruned.removed)) remove_unused_bodies(repository, *used, dry_run, pruned);
  return pruned;
}

}  // namespace

Pruned prune(const fs::path& dir, const Keep& keep, bool dry_run) {
  return in_our_words([&] { return prune_now(dir, keep, dry_run); });
}

}  // namespace quarry::backup
