#pragma once
/// The beginning of the WAL-index, the memory that all processes of a SQLite database share: it changes with every commit
/// and with every checkpoint, and looking at it takes no system call.
///
/// Its layout is part of SQLite's file format (sqlite.org/walformat.html, 2.2 and 2.3): a header of 48 bytes, its copy, and
/// the number of frames that have been written back into the database. A writer fills in the copy first and the header last,
/// so whoever finds the header as it was has missed no commit that was over.

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <optional>

namespace quarry::sql::sqlite_driver {

class WalIndex {
 public:
  /// The header's twelve words, and the number of frames written back.
  using Mark = std::array<std::uint32_t, 13>;

  /// Of a connection that has read its database once; it must outlive this. Where there is no such memory (another journal
  /// mode, a folder that cannot be written), `mark` is always empty.
  explicit WalIndex(sqlite3* db);

  std::optional<Mark> mark() const noexcept;
  /// Whether it is still what it was. False where there is none.
  bool is(const Mark& mark) const noexcept;

 private:
  const volatile std::uint32_t* words_ = nullptr;
};

}  // namespace quarry::sql::sqlite_driver
