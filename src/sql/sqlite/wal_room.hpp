#pragma once
/// Room in the write-ahead log that has been written before it is needed, so that a commit need not lengthen the file.
///
/// A sync after a write at the end of a file also makes the file's new length and blocks durable, by a commit of the file
/// system's own journal; a sync after a write in the middle does not. SQLite lengthens its log with each commit until it
/// starts over, and as long as a reader holds a snapshot, as a backup does, it cannot. So the file is lengthened by zeros,
/// many commits' worth at once. PostgreSQL does the same with its log (`wal_init_zero`). Blocks that are merely reserved
/// (`fallocate`) would not do: their first write changes the file's map too.
///
/// Zeros behind the last frame are no frames: a frame names a page other than 0 and bears the log's salts
/// (https://www.sqlite.org/fileformat2.html#walformat), which is how SQLite tells what earlier rounds have left there.
///
/// Thread safety: that of the connection.

#include <sqlite3.h>

namespace quarry::sql::sqlite_driver {

class WalRoom {
 public:
  /// Inside a write transaction that has not written yet, because only then nobody else is writing behind the last frame.
  /// `pages` are those in the log. A step doubles the file at first, and is a megabyte at most; a log that is empty is left
  /// so, for many a process commits but once. Of use where each commit is synced. What cannot be written, as on a full disk,
  /// is not needed either: the commit lengthens the file itself, or tells what is wrong.
  void provide(sqlite3* db, int pages) noexcept;

 private:
  sqlite3_int64 provided_ = 0;  ///< bytes of the file, when it was last looked at
  int pages_ = 0;
  int page_bytes_ = 0;
};

}  // namespace quarry::sql::sqlite_driver
