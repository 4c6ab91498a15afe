#pragma once
/// Keys of backups, for tests.

#include <filesystem>
#include <string>

#include "quarry/backup/keys.hpp"
#include "quarry/system/key_ring.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {

inline void write_secret_file(const std::filesystem::path& file, const std::string& text) {
  write_file(file, text);
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

/// A file with a new random key.
inline std::filesystem::path new_key_file(const std::filesystem::path& file) {
  system::KeyRing::generate("k1").write_file(file);
  return file;
}

}  // namespace quarry::test
