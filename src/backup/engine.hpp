#pragma once
/// What an engine does for a backup. Behind it are `sqlite/` and `postgres/`.

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "quarry/backup/facts.hpp"
#include "quarry/core/secret.hpp"

namespace quarry::backup {

/// Called now and then by whoever works long.
using Pause = std::function<void()>;
/// Takes the next bytes of a dump.
using BytesOut = std::function<void(std::span<const std::byte>)>;
/// Gives the next bytes of a dump; 0 at its proven end.
using BytesIn = std::function<std::size_t(std::span<std::byte>)>;

/// One moment of a database. Not thread-safe.
class SourceDatabase {
 public:
  virtual ~SourceDatabase() = default;
  virtual void dump(const BytesOut& out, const Pause& pause) = 0;
  virtual DatabaseFacts facts(const Pause& pause) = 0;
  /// The hashes (32 bytes) of the bodies that its artifacts refer to.
  virtual void bodies(const std::function<void(std::string_view)>& hash) = 0;
};

/// What is to happen when a database takes its place.
struct Placing {
  bool replace = false;  ///< a database that holds rows, or is another program's
  /// Runs when nothing is in the way any more and nobody sees the new database yet; perhaps twice. What it throws leaves the
  /// target as it was.
  std::function<void()> before = [] {};
};

/// A database that is being restored and that nobody sees yet; gone at the end unless it was put in its place.
class RestoredDatabase {
 public:
  virtual ~RestoredDatabase() = default;
  /// Returns the bytes of the database.
  virtual std::int64_t fill(const BytesIn& in, const Pause& pause) = 0;
  /// Checks it by the engine's own means, too.
  virtual DatabaseFacts examine(const Pause& pause) = 0;
  /// In one step. Looks once more, under the lock by which it is done, at what would be lost: throws `conflict` then, and
  /// `busy` when the target is in use. Returns where a damaged database that was in the way has gone, or nothing.
  virtual std::string put_in_place(const Placing& placing) = 0;
};

std::unique_ptr<SourceDatabase> open_sqlite_source(const std::filesystem::path& file);
/// Beside `target`, which is not touched before `put_in_place`.
std::unique_ptr<RestoredDatabase> restore_sqlite(const std::filesystem::path& target);
/// In a folder for scratch.
std::unique_ptr<RestoredDatabase> restore_sqlite_scratch(const std::filesystem::path& folder);
/// Throws `conflict` when the target holds rows, or is another program's: told before the work, and once more at its end.
void refuse_sqlite_rows(const std::filesystem::path& target);
/// Throws `busy` when somebody uses what is to be replaced: told before the work, and once more at its end.
void refuse_sqlite_use(const std::filesystem::path& target);

std::unique_ptr<SourceDatabase> open_postgres_source(std::string_view url);
/// In the server of `url`, beside the database that it names.
std::unique_ptr<RestoredDatabase> restore_postgres(std::string_view url);
std::unique_ptr<RestoredDatabase> restore_postgres_scratch(std::string_view server_url);
void refuse_postgres_rows(std::string_view url);
void refuse_postgres_use(std::string_view url);

/// The file of a SQLite URL, resolved (core/path.hpp): what lies beside it has one name. Throws `invalid` for a database in
/// memory.
std::filesystem::path sqlite_file_of(std::string_view url);

}  // namespace quarry::backup
