#pragma once
/// A backup of a database and of the bodies that belong to it, made while others work, and one that counts: it has been
/// restored into a scratch place, where schema, rows and contents were what they had been at the moment it shows.
///
///     auto keys = backup::Keys::from_key_file("/etc/quarry/backup.keys");
///     auto made = backup::create("sqlite:data/quarry.db", "/mnt/backups", keys, {.blobs = "data/quarry.db-blobs"});
///     auto good = backup::verify("/mnt/backups", made.name, keys);
///
/// **SQLite** is copied by the online backup API inside one read transaction, straight into the encrypted file; its scratch
/// place is a folder beside the database, closed to others. **PostgreSQL** is dumped by `pg_dump` from an exported snapshot,
/// in which the rows are counted, too; its scratch place is a database of its own in the same server, or the one that
/// `scratch_url` names. What is heavy runs on a thread of low priority, so that writers go first.
///
/// Memory: below 64 MiB whatever the size of the database; 32 bytes more for each body beyond a million. Errors:
/// `BackupError`, `busy`, `unavailable`, `invalid`. Thread safety: the functions may be called from any thread; two backups
/// into one folder exclude each other (`busy`).

#include <boost/describe.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/backup/keys.hpp"
#include "quarry/backup/repository.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::backup {

struct BackupOptions {
  /// Restore it into a scratch place and compare. Without, it does not count: retention does not rely on it.
  bool verify = true;
  /// The folder of the content store; nothing: no bodies.
  std::optional<std::filesystem::path> blobs{};
  /// Where SQLite copies and bodies are restored to while they are verified; empty: beside the SQLite file, or the system's
  /// folder of temporary files. They lie there in clear: it must be as safe as the database.
  std::filesystem::path scratch{};
  /// PostgreSQL: the server where the copy is restored; empty: that of the database. The user must be allowed to create
  /// databases.
  std::string scratch_url{};
  /// Null means the system's.
  std::shared_ptr<const Clock> clock{};
  /// Added to the niceness of the thread that does the work, 0 to 19.
  int niceness = 10;
  /// Called now and then with what is being done.
  std::function<void(std::string_view)> progress{};
};

/// Throws when anything is wrong, and then there is no backup. What is not Quarry's database is refused
/// (`schema::MigrationError`), and so is a folder that holds another one's backups (`conflict`). A body that the content
/// store has lost is counted in the summary, not an error: everything else is worth keeping.
Summary create(std::string_view url, const std::filesystem::path& dir, const Keys& keys, const BackupOptions& options = {});

struct VerifyOptions {
  std::filesystem::path scratch{};
  /// PostgreSQL: where the copy is restored; needed.
  std::string scratch_url{};
  std::shared_ptr<const Clock> clock{};
  int niceness = 10;
};
/// Restores the backup into a scratch place, reads every body, and notes the result in the folder. Throws `BackupError` when
/// anything is wrong, after noting it.
Summary verify(const std::filesystem::path& dir, const std::string& name, const Keys& keys,
               const VerifyOptions& options = {});

struct RestoreOptions {
  /// The backup, or the beginning of its name; empty: the newest verified one.
  std::string name{};
  /// Replace a database that holds rows, or is another program's.
  bool replace = false;
  /// The folder of the content store, made if need be; nothing: no bodies.
  std::optional<std::filesystem::path> blobs{};
  int niceness = 0;
};
struct Restored {
  std::string name;
  Instant created_at;  ///< the moment that is restored
  std::int64_t rows = 0;
  std::int64_t database_bytes = 0;
  std::int64_t bodies = 0;                   ///< that were put into the store; the others were there
  std::int64_t bodies_missing = 0;           ///< that the database refers to and the backup does not hold
  bool checked = false;                      ///< compared once more, because it had not been verified before
  std::optional<std::string> moved_aside{};  ///< where a damaged database that lay in the way is now
};
BOOST_DESCRIBE_STRUCT(Restored, (), (name, created_at, rows, database_bytes, bodies, bodies_missing, checked, moved_aside))

/// Puts the database in its place in one step: before it is whole nobody sees any of it, and whatever fails leaves the
/// target and the content store as they were. Throws `busy` when the target is in use; `conflict` when it holds rows, or is
/// another program's, and `replace` is not set: that is looked at before the work, and again under the lock by which the
/// database takes its place. `corrupt` when, without a name, the summary of a newer backup cannot be read.
Restored restore(const std::filesystem::path& dir, std::string_view url, const Keys& keys,
                 const RestoreOptions& options = {});

/// What the database itself knows of its backups: the setting `backup.last_verified`, written by `create` and cheap to read.
struct LastVerified {
  std::optional<std::string> name{};    ///< of the newest verified backup
  std::optional<Instant> created_at{};  ///< the moment that it shows
  std::optional<Instant> verified_at{};
  std::optional<Instant> failed_at{};  ///< when the last attempt failed, if it did
  std::optional<std::string> failure{};
};
BOOST_DESCRIBE_STRUCT(LastVerified, (), (name, created_at, verified_at, failed_at, failure))
inline constexpr std::string_view last_verified_key = "backup.last_verified";
/// Nothing when there was never a backup.
std::optional<LastVerified> last_verified(Read& tx);

}  // namespace quarry::backup
