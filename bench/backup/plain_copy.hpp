#pragma once
/// What restoring would be with the libraries' own calls: a file, read, decrypted by secretstream, decompressed by zstd,
/// written and synced.

#include <filesystem>

namespace quarry::bench {

/// Makes the file that `plain_restore` reads: `from` as one zstd frame (level 3) in chunks of 64 KiB. The key is fixed.
void plain_seal(const std::filesystem::path& from, const std::filesystem::path& to);
void plain_restore(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace quarry::bench
