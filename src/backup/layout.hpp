#pragma once
/// The files of one backup: quarry/backup/repository.hpp shows where they lie.

#include <boost/describe.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "backup/envelope.hpp"
#include "quarry/backup/error.hpp"
#include "quarry/backup/facts.hpp"
#include "quarry/backup/keys.hpp"
#include "quarry/backup/repository.hpp"
#include "quarry/backup/sealed.hpp"

namespace quarry::backup {

inline constexpr const char* summary_file = "backup.json";
inline constexpr const char* manifest_file = "manifest.sealed";
inline constexpr const char* database_file = "database.sealed";
inline constexpr const char* bodies_file = "bodies";
inline constexpr std::string_view unfinished_prefix = ".new-";

/// What is sealed beside the database and tells what it must be.
struct Manifest {
  std::int64_t format = 1;
  std::string name;
  Instant created_at;
  std::optional<std::string> database{};
  std::string quarry_version;
  DatabaseFacts facts;
  std::int64_t database_bytes = 0;
  std::string database_check;  ///< of the part's header, in hexadecimal: the part and no copy of another
  std::string bodies_digest;
  std::int64_t bodies = 0;
  std::int64_t bodies_missing = 0;
  std::int64_t bodies_left_out = 0;
};
BOOST_DESCRIBE_STRUCT(Manifest, (),
                      (format, name, created_at, database, quarry_version, facts, database_bytes, database_check,
                       bodies_digest, bodies, bodies_missing, bodies_left_out))

/// Throws `BackupError`: `missing`, `changed`. A checksum tells whether it is what was written, not who wrote it.
Summary read_summary(const std::filesystem::path& folder);
/// What `read_summary` throws of the one in this folder.
Damage damage_of_summary(const std::filesystem::path& folder);
/// False of what `Repository::list` makes up in the place of a summary that cannot be read.
inline bool is_readable(const Summary& summary) { return !summary.engine.empty(); }
void write_summary(const std::filesystem::path& folder, const Summary& summary);

SealedSize write_manifest(const std::filesystem::path& folder, const Manifest& manifest, const Keys& keys, const Salt& salt);
/// Authentic and of this backup, or it throws `BackupError`.
Manifest read_manifest(const std::filesystem::path& folder, const std::string& name, const Keys& keys);

/// The names of the backup's bodies. Throws `missing`, `cut` or `changed` unless they are `count` with the digest.
std::vector<Digest> read_bodies(const std::filesystem::path& folder, std::int64_t count, const std::string& digest);
std::vector<Digest> read_bodies(const std::filesystem::path& folder, const Manifest& manifest);
std::string digest_of(const std::vector<Digest>& names);
void write_bodies(const std::filesystem::path& folder, const std::vector<Digest>& names);

/// `20260301T120000.000000Z-1a2b3c4d`
std::string new_backup_name(Instant at);

}  // namespace quarry::backup
