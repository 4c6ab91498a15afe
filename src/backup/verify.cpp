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

namespace quarry::backup {
namespace {

void verify_all(const Repository& repository, const std::string& name, const Keys& keys, const VerifyOptions& options) {
  const auto folder = repository.folder_of(name);
  auto backup = open_backup(folder, name, keys);
  const Pause pause = [] {};
  const ScratchFolder scratch(options.scratch);
  if (backup.manifest.facts.engine == "sqlite") {
    fill_and_compare(backup, *restore_sqlite_scratch(scratch.path()), pause);
  } else {
    if (options.scratch_url.empty())
      throw_invalid("a backup of PostgreSQL is verified in a server: name one by --db postgresql://...");
    fill_and_compare(backup, *restore_postgres_scratch(options.scratch_url), pause);
  }
  check_bodies(repository, keys, read_bodies(folder, backup.manifest.bodies_digest), scratch.path(), pause);
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
    run_gently(options.niceness, [&] {
      verify_all(repository, summary.name, keys, options);
      return true;
    });
  } catch (const BackupError& error) {
    // A wrong key says nothing of the backup.
    if (error.damage() == Damage::wrong_key || summary.engine.empty()) throw;
    summary.failure = error.client_message();
    write_summary(folder, summary);
    throw;
  }
  summary.verify_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
  summary.verified_at = clock.now();
  summary.failure.reset();
  write_summary(folder, summary);
  return summary;
}

}  // namespace quarry::backup
