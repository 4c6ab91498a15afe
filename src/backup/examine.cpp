#include "backup/examine.hpp"

#include <fmt/format.h>

#include "quarry/backup/error.hpp"

namespace quarry::backup {

OpenedBackup open_backup(const std::filesystem::path& folder, const std::string& name, const Keys& keys) {
  OpenedBackup opened{read_manifest(folder, name, keys), nullptr};
  opened.database = std::make_unique<SealedReader>(folder / database_file, keys, PartKind::database, subject_of(name));
  if (hex(as_text(opened.database->check())) != opened.manifest.database_check)
    throw BackupError(Damage::swapped, fmt::format("'{}/{}' is not the one that the manifest names: parts were swapped",
                                                   name, database_file));
  return opened;
}

void fill_and_compare(OpenedBackup& backup, RestoredDatabase& into, const Pause& pause) {
  into.fill(backup.bytes(), pause);
  const auto what = difference(backup.manifest.facts, into.examine(pause));
  if (!what.empty())
    throw BackupError(Damage::differs, fmt::format("restored, the database is not what was backed up: {}", what));
}

}  // namespace quarry::backup
