#pragma once
/// The options by which the commands of backups are told their key.

#include <CLI/CLI.hpp>
#include <string>

#include "quarry/backup/keys.hpp"

namespace quarry::cli {

struct BackupKeyOptions {
  std::string key_file;
  std::string passphrase_file;
  std::string public_key;
  bool sealing = true;  ///< a public key will do
};

void add_backup_key_options(CLI::App& command, BackupKeyOptions& options, bool sealing);
/// Throws `invalid` unless exactly one is named that will do.
backup::Keys backup_keys(const BackupKeyOptions& options);

}  // namespace quarry::cli
