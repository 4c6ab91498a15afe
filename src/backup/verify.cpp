/// Verifying a backup that lies there.

#include <chrono>

#include "backup/bodies.hpp"
#include "backup/examine.hpp"
#include "backup/file.hpp"
#include "backup/gently.hpp"
#include "backup/key_derivation.hpp"
#include "backup/scratch.hpp"
#include "quarry/backup/backup.hpp"
#include "quarry/backup/error.hpp"
#include "quarry/core/log.hpp"

namespace quarry::backup {
namespace {

Manifest verify_all(const Repository& repository, const std::string& name, const Keys& keys, const VerifyOptions& options) {
  const auto folder = repository.folder_of(name);
  auto backup = open_backup(folder, name, keys);
  const Pause pause = [] {};
  const ScratchFolder scratch(options.scratch);
  if (backup.manifest.facts.engine == to_string(Engine::sqlite)) {
    fill_and_compare(backup, *restore_sqlite_scratch(scratch.path()), pause);
  } else {
    if (options.scratch_url.empty())
      throw_invalid("a backup of PostgreSQL is verified in a server: name one by --db postgresql://...");
    fill_and_compare(backup, *restore_postgres_scratch(options.scratch_url), pause);
  }
  check_bodies(repository, keys, read_bodies(folder, backup.manifest), scratch.path(), pause);
  return std::move(backup.manifest);
}

/// The summary is not authenticated, and may have been lost: what the manifest knows is taken from there.
void correct(Summary& summary, const Manifest& manifest, const fs::path& folder, const Keys& keys) {
  summary.format = manifest.format;
  summary.created_at = manifest.created_at;
  summary.database = manifest.database;
  summary.engine = manifest.facts.engine;
  summary.engine_version = manifest.facts.engine_version;
  summary.quarry_version = manifest.quarry_version;
  summary.schema_version = manifest.facts.schema_version;
  summary.tables = static_cast<std::int64_t>(manifest.facts.tables.size());
  summary.rows = manifest.facts.rows();
  summary.database_bytes = manifest.database_bytes;
  summary.sealed_bytes =
      static_cast<std::int64_t>(fs::file_size(folder / manifest_file) + fs::file_size(folder / database_file));
  summary.bodies = manifest.bodies;
  summary.bodies_digest = manifest.bodies_digest;
  summary.bodies_missing = manifest.bodies_missing;
  summary.bodies_left_out = manifest.bodies_left_out;
  if (summary.key_mode.empty()) summary.key_mode = keys.mode();
}

/// A backup is no worse because it lies on a disk that cannot be written to.
void note(const fs::path& folder, const Summary& summary) {
  try {
    write_summary(folder, summary);
  } catch (const Error& error) {
    log::warn("the result of the verification is not noted with the backup: {}", error.client_message());
  }
}

}  // namespace

Summary verify(const fs::path& dir, const std::string& name, const Keys& keys, const VerifyOptions& options) {
  start_sodium();
  const auto repository = Repository::open(dir);
  const auto lock = repository.lock();
  auto summary = repository.get(name);
  const auto folder = repository.folder_of(summary.name);
  const SystemClock system_clock;
  const Clock& clock = options.clock ? *options.clock : system_clock;
  const auto start = std::chrono::steady_clock::now();
  try {
    const auto manifest = run_gently(options.niceness, [&] { return verify_all(repository, summary.name, keys, options); });
    correct(summary, manifest, folder, keys);
  } catch (const BackupError& error) {
    // A wrong key says nothing of the backup.
    if (error.damage() == Damage::wrong_key || summary.engine.empty()) throw;
    summary.failure = error.client_message();
    note(folder, summary);
    throw;
  }
  summary.verify_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
  summary.verified_at = clock.now();
  summary.failure.reset();
  note(folder, summary);
  return summary;
}

}  // namespace quarry::backup
