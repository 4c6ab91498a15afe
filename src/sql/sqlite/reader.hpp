#pragma once
/// A connection that reads, and the moment of the database that it stands in.
///
/// A statement that stands on its row holds SQLite's read transaction open, as BEGIN and COMMIT around the queries would,
/// and costs one step instead of two. Between two reads that follow each other closely it is left standing: entering again
/// is then a look at shared memory (`WalIndex`) instead of two system calls and a step, and the moment is left as soon as
/// anybody has committed. So a read sees every commit that was over when it began, as ever.
///
/// What stands keeps the WAL from starting over. Hence: not longer than `stay_max`, in whatever hands; left when a
/// checkpoint has written frames back, by which the next moment needs no WAL; and `Readers` ends what rests (readers.hpp).
///
/// Not thread-safe; may move between threads.

#include <chrono>
#include <optional>

#include "sql/sqlite/connection.hpp"
#include "sql/sqlite/wal_index.hpp"

namespace quarry::sql::sqlite_driver {

class Reader {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// The longest that one moment is kept.
  static constexpr std::chrono::milliseconds stay_max{10};
  /// Reads that are further apart are not worth it.
  static constexpr std::chrono::milliseconds close_together{1};

  /// Throws what a connection does.
  Reader(const Location& location, const DatabaseOptions& options, Time deadline);

  Connection& connection() noexcept { return connection_; }

  /// From here on every statement sees the database as it is now. Throws what reading the file may throw (`corrupt`,
  /// `unavailable`).
  void enter(Time now);
  /// The end of what `enter` began. Whether the moment is kept is for the caller to say, if it can be at all: `may_stay`.
  void leave(bool stay) noexcept;
  /// Reads come so often that keeping the moment pays.
  bool may_stay() const noexcept { return may_stay_; }
  /// Lets go of a moment older than `stay_max`, or of any. True if one is still kept.
  bool let_go_if_old(Time now) noexcept;
  void let_go() noexcept { anchor_.reset(); }

 private:
  Connection connection_;
  WalIndex index_;
  std::optional<OpenCursor> anchor_;  ///< stands on its row; goes before its connection
  std::optional<WalIndex::Mark> mark_;
  Time entered_{};  ///< the last time
  Time anchored_{};
  bool may_stay_ = false;
};

}  // namespace quarry::sql::sqlite_driver
