/// Restoring a backup.

#include <fmt/format.h>

#include <algorithm>

#include "backup/bodies.hpp"
#include "backup/examine.hpp"
#include "backup/gently.hpp"
#include "backup/key_derivation.hpp"
#include "quarry/backup/backup.hpp"
#include "quarry/backup/error.hpp"

namespace quarry::backup {
namespace {

/// The newest verified one. A newer one that cannot tell what it is may be the one that is meant: nobody but the caller can
/// decide to do without it.
Summary choose(const Repository& repository, const std::string& name) {
  if (!name.empty()) return repository.get(name);
  const auto all = repository.list();
  const auto found = std::find_if(all.rbegin(), all.rend(), [](const Summary& backup) {
    return (backup.verified_at && !backup.failure) || !is_readable(backup);
  });
  if (found != all.rend() && is_readable(*found)) return *found;
  if (found != all.rend())
    throw BackupError(
        damage_of_summary(repository.folder_of(found->name)),
        fmt::format("which backup is the newest cannot be told: {}. `quarry backup verify {} --backup {}` "
                    "makes it again; or name another backup by --backup",
                    found->failure.value_or("its summary is damaged"), repository.dir().native(), found->name));
  throw Error(ErrorCode::not_found,
              fmt::format("no backup in '{}' has been verified: `quarry backup verify`, or name one by --backup",
                          repository.dir().native()));
}

Restored restore_now(const Repository& repository, const Summary& chosen, std::string_view url, const Keys& keys,
                     const RestoreOptions& options) {
  const auto folder = repository.folder_of(chosen.name);
  const Pause pause = [] {};
  auto backup = open_backup(folder, chosen.name, keys);
  const auto engine = sql::engine_of(url);
  if (backup.manifest.facts.engine != to_string(engine))
    throw_invalid(fmt::format("the backup is of {0} and cannot go into another engine: name a database by --db {0}:...",
                              backup.manifest.facts.engine));
  const bool is_sqlite = engine == Engine::sqlite;
  is_sqlite ? refuse_sqlite_use(sqlite_file_of(url)) : refuse_postgres_use(url);
  if (!options.replace) is_sqlite ? refuse_sqlite_rows(sqlite_file_of(url)) : refuse_postgres_rows(url);

  if (options.blobs) require_place_for_bodies(*options.blobs);
  Restored result{.name = chosen.name, .created_at = backup.manifest.created_at, .rows = backup.manifest.facts.rows()};
  result.bodies_missing = backup.manifest.bodies_missing + backup.manifest.bodies_left_out;
  const auto restored = is_sqlite ? restore_sqlite(sqlite_file_of(url)) : restore_postgres(url);
  // What was verified is proven to be the same by its authentication, chunk by chunk; anything else is compared now.
  result.checked = !chosen.verified_at || chosen.failure;
  if (result.checked)
    fill_and_compare(backup, *restored, pause);
  else
    restored->fill(backup.bytes(), pause);
  result.database_bytes = backup.manifest.database_bytes;
  // Bodies first: a database in sight has all of them, and a body without a row is garbage like any other.
  const auto names = read_bodies(folder, backup.manifest);
  std::optional<BodyRestorer> bodies;
  if (options.blobs) {
    bodies.emplace(repository, keys, *options.blobs);
    result.bodies = bodies->take_named(names, pause);
  }
  const auto place_bodies = [&] {
    if (bodies) bodies->put_in_place();
  };
  if (auto aside = restored->put_in_place({.replace = options.replace, .before = place_bodies}); !aside.empty())
    result.moved_aside = std::move(aside);
  return result;
}

}  // namespace

Restored restore(const std::filesystem::path& dir, std::string_view url, const Keys& keys, const RestoreOptions& options) {
  start_sodium();
  const auto repository = Repository::open(dir);
  const auto chosen = choose(repository, options.name);
  return run_gently(options.niceness, [&] { return restore_now(repository, chosen, url, keys, options); });
}

}  // namespace quarry::backup
