#pragma once
/// PostgreSQL at any moment: a copy of the server's files, every segment of its log since, and rows that prove which moment
/// it is.
///
///     quarry backup pitr-setup DIR --key-file F      sets the server up; after its restart, run again, takes a base backup
///     quarry backup wal-push DIR FILE --key-file F   what the server's archive_command runs for each segment
///     quarry backup pitr-mark DIR                    a marker; by a timer, every few minutes
///     quarry restore DIR --at TIME --key-file F      into the database that --db names
///
///     DIR/base/NAME/base.sealed, base.json           pg_basebackup's tar, and what is needed to start it
///     DIR/wal/SEGMENT-CONTENTS.sealed                one segment; CONTENTS is a keyed hash, so that the same one may come
///     twice DIR/wal/markers                                one line for each marker
///
/// **A marker** is a row of `system_config` (`backup.marker`) with a random number. The folder notes the number, the times
/// before and after its commit, and the segment that holds it, once that segment has been archived. A restore to a time T
/// takes the newest base backup that ended before T, replays the log to T in a server of its own, and asks it for its
/// marker: it must be the newest one that was committed before T, and there must be one in the folder that was begun after
/// T, so that the log beyond T was there to be replayed. Only then is the database carried over, as by any restore: into a
/// new database, compared, and put in its place in one step.
///
/// The scratch server is started from the PostgreSQL programs of this machine, which must be of the same major version; it
/// listens on a Unix socket in a folder of its own only. It refuses to run as root, so all of this is done as the user the
/// server runs as. Bodies are no part of the log: those that the restored database refers to are put back from the ones that
/// the folder's backups hold, whichever they belong to; a body that came and went between two backups is in none.
///
/// Errors: `BackupError`, `denied` (not a superuser), `conflict` (the target was not reached, or cannot be proven),
/// `unavailable`.

#include <boost/describe.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/backup/keys.hpp"
#include "quarry/core/time.hpp"

namespace quarry::backup {

struct Marker {
  std::string id;
  Instant before;       ///< its transaction had not begun
  Instant after;        ///< it had been committed
  std::string segment;  ///< the newest segment of the log that is needed to see it
};
BOOST_DESCRIBE_STRUCT(Marker, (), (id, before, after, segment))

struct PitrSetup {
  /// True: settings were changed that the server reads when it is restarted. Restart it and run the command again.
  bool restart_needed = false;
  std::vector<std::string> changed;  ///< settings
  std::optional<std::string> base;   ///< the base backup that was taken
  std::optional<Marker> marker;
};
BOOST_DESCRIBE_STRUCT(PitrSetup, (), (restart_needed, changed, base, marker))

/// `archive_command` is what the server shall run, with %p for the segment's file. Throws `conflict`, before it changes
/// anything, when the server archives already to somewhere else, unless it shall be replaced.
PitrSetup setup_pitr(std::string_view url, const std::filesystem::path& dir, const Keys& keys,
                     const std::string& archive_command, bool replace_archive_command = false);

/// Makes a marker and waits until it has been archived, at most `wait_s` seconds (`timeout`).
Marker mark(std::string_view url, const std::filesystem::path& dir, int wait_s = 60);

/// Seals one file of the log into the folder. The same file may come again; another one under its name is a `conflict`.
void push_wal(const std::filesystem::path& dir, const Keys& keys, const std::filesystem::path& file);

struct RestoreAtOptions {
  bool replace = false;
  /// The folder of the content store, made if need be; nothing: no bodies.
  std::optional<std::filesystem::path> blobs{};
  std::filesystem::path scratch{};  ///< for the server's files, in clear; empty: the system's temporary folder
  std::filesystem::path programs = "/usr/lib/postgresql/15/bin";
  int wait_s = 3600;  ///< for the replay
};
struct RestoredAt {
  Instant at;
  std::string base;
  Marker reached;  ///< the newest marker before the moment, found in the restored database
  Marker beyond;   ///< the first one after it, which the restored database does not have
  std::int64_t segments = 0;
  std::int64_t rows = 0;
  std::int64_t bodies = 0;          ///< that were put into the store; the others were there
  std::int64_t bodies_missing = 0;  ///< that are neither in the store nor in the folder of backups
};
BOOST_DESCRIBE_STRUCT(RestoredAt, (), (at, base, reached, beyond, segments, rows, bodies, bodies_missing))

/// Restores the database as it was at the moment `at`, as the page says.
RestoredAt restore_at(const std::filesystem::path& dir, std::string_view url, const Keys& keys, Instant at,
                      const RestoreAtOptions& options = {});

struct PrunedLog {
  std::vector<std::string> bases_removed;
  std::int64_t segments_removed = 0;
  std::int64_t segments_removed_bytes = 0;
  /// From here on any moment can be restored; nothing when there is no base backup that old, and then nothing has gone.
  std::optional<Instant> reaches_back_to{};
};
BOOST_DESCRIBE_STRUCT(PrunedLog, (), (bases_removed, segments_removed, segments_removed_bytes, reaches_back_to))

/// Removes the base backups and the segments that no moment from `since` on needs. Needed is the newest base backup from
/// before it that is whole and from which the log reaches the newest marker without a gap, and all that came after: while
/// there is none, nothing goes. Markers stay. Throws `busy`, `unavailable`; interrupted, the next call goes on.
PrunedLog prune_log(const std::filesystem::path& dir, Instant since, bool dry_run = false);

}  // namespace quarry::backup
