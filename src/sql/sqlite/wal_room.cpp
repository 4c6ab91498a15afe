#include "sql/sqlite/wal_room.hpp"

#include <algorithm>
#include <array>

namespace quarry::sql::sqlite_driver {
namespace {

constexpr sqlite3_int64 file_header_bytes = 32;
constexpr sqlite3_int64 frame_header_bytes = 24;
constexpr sqlite3_int64 smallest_step = 64 << 10;
constexpr sqlite3_int64 largest_step = 1 << 20;
/// So much of a step is left when the next one is taken: a commit of a few pages still finds its place.
constexpr sqlite3_int64 reserve = 4;

sqlite3_file* log_of(sqlite3* db) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK) return nullptr;
  return file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

int page_bytes_of(sqlite3* db) {
  sqlite3_stmt* statement = nullptr;
  int bytes = 0;
  if (sqlite3_prepare_v2(db, "pragma page_size", -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    bytes = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  return bytes;
}

}  // namespace

void WalRoom::provide(sqlite3* db, int pages) noexcept {
  if (pages < pages_) provided_ = 0;  // it has started over, and somebody may have cut it
  pages_ = pages;
  if (pages == 0) return;
  if (page_bytes_ == 0) page_bytes_ = page_bytes_of(db);
  const auto used = file_header_bytes + pages * (frame_header_bytes + page_bytes_);
  const auto step = std::clamp(used, smallest_step, largest_step);
  if (used + step / reserve <= provided_) return;
  auto* file = log_of(db);
  if (file == nullptr || file->pMethods->xFileSize(file, &provided_) != SQLITE_OK) return;
  // Somebody has cut it since our last commit; where it stands is known after the next one.
  if (provided_ < used) return;
  static constexpr std::array<char, 64 << 10> zeros{};
  for (const auto end = used + step; provided_ < end;) {
    const auto part = std::min<sqlite3_int64>(end - provided_, zeros.size());
    if (file->pMethods->xWrite(file, zeros.data(), static_cast<int>(part), provided_) != SQLITE_OK) return;
    provided_ += part;
  }
}

}  // namespace quarry::sql::sqlite_driver
