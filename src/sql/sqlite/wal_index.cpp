#include "sql/sqlite/wal_index.hpp"

#include <atomic>
#include <string_view>

namespace quarry::sql::sqlite_driver {
namespace {

constexpr int region_bytes = 32'768;
constexpr std::size_t header_words = 12;
/// Behind the header and its copy.
constexpr std::size_t written_back = 24;

bool is_wal(sqlite3* db) {
  bool wal = false;
  const auto row = [](void* result, int, char** values, char**) {
    *static_cast<bool*>(result) = values[0] && values[0] == std::string_view("wal");
    return 0;
  };
  return sqlite3_exec(db, "pragma journal_mode", row, &wal, nullptr) == SQLITE_OK && wal;
}

}  // namespace

WalIndex::WalIndex(sqlite3* db) {
  // Without a WAL the mapping would make the file, and SQLite would not know that it has one to let go of.
  if (!is_wal(db)) return;
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file || !file->pMethods) return;
  if (file->pMethods->iVersion < 2 || !file->pMethods->xShmMap) return;
  volatile void* region = nullptr;
  // A region that exists is given back as it is: SQLite has mapped it with the connection's first read.
  if (file->pMethods->xShmMap(file, 0, region_bytes, 0, &region) == SQLITE_OK)
    words_ = static_cast<const volatile std::uint32_t*>(region);
}

std::optional<WalIndex::Mark> WalIndex::mark() const noexcept {
  if (!words_) return std::nullopt;
  Mark mark;
  std::atomic_thread_fence(std::memory_order_acquire);
  for (std::size_t i = 0; i < header_words; ++i) mark[i] = words_[i];
  mark.back() = words_[written_back];
  return mark;
}

bool WalIndex::is(const Mark& mark) const noexcept {
  if (!words_) return false;
  std::atomic_thread_fence(std::memory_order_acquire);
  for (std::size_t i = 0; i < header_words; ++i)
    if (mark[i] != words_[i]) return false;
  return mark.back() == words_[written_back];
}

}  // namespace quarry::sql::sqlite_driver
