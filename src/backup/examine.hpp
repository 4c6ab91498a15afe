#pragma once
/// Restoring a backup to see whether it is what was backed up.

#include "backup/engine.hpp"
#include "backup/layout.hpp"

namespace quarry::backup {

/// Opens the manifest and the part of the database, which must be the one that the manifest names.
struct OpenedBackup {
  Manifest manifest;
  std::unique_ptr<SealedReader> database;

  BytesIn bytes() const {
    return [this](std::span<std::byte> into) { return database->read(into); };
  }
};
OpenedBackup open_backup(const std::filesystem::path& folder, const std::string& name, const Keys& keys);

/// Fills `into` and compares it with the manifest. Throws `BackupError`.
void fill_and_compare(OpenedBackup& backup, RestoredDatabase& into, const Pause& pause);

}  // namespace quarry::backup
