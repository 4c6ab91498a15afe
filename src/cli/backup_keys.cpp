#include "cli/backup_keys.hpp"

#include "quarry/core/error.hpp"

namespace quarry::cli {

void add_backup_key_options(CLI::App& command, BackupKeyOptions& options, bool sealing) {
  options.sealing = sealing;
  command.add_option("--key-file", options.key_file, "The key: a file as `quarry setting keygen` makes it")
      ->type_name("FILE");
  command.add_option("--passphrase-file", options.passphrase_file, "A file whose first line is the passphrase")
      ->type_name("FILE");
  if (sealing)
    command.add_option("--public-key", options.public_key, "A public key, which makes backups and does not open them")
        ->type_name("FILE");
}

backup::Keys backup_keys(const BackupKeyOptions& options) {
  const int named = !options.key_file.empty() + !options.passphrase_file.empty() + !options.public_key.empty();
  if (named != 1 && options.sealing)
    throw_invalid(
        "backups are encrypted: name one of --key-file, --passphrase-file and --public-key; `quarry setting keygen FILE` "
        "makes a key");
  if (named != 1)
    throw_invalid("backups are encrypted: name what this one was made with, by --key-file or --passphrase-file");
  if (!options.key_file.empty()) return backup::Keys::from_key_file(options.key_file);
  if (!options.passphrase_file.empty()) return backup::Keys::from_passphrase_file(options.passphrase_file);
  return backup::Keys::from_public_key_file(options.public_key);
}

}  // namespace quarry::cli
