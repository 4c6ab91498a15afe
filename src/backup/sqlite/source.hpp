#pragma once
/// A live SQLite database as one moment of it: what a backup reads.
///
/// One read transaction lasts from the copy to the last digest. In WAL mode it keeps nobody from writing, and because it
/// holds the moment, the backup API does not begin again when others write (`sqlite3_backup_step` looks at its own
/// transaction); what grows meanwhile is the WAL.

#include <filesystem>
#include <functional>
#include <span>

#include "backup/sqlite/handle.hpp"
#include "quarry/backup/facts.hpp"

namespace quarry::backup::sqlite {

class Source {
 public:
  explicit Source(const std::filesystem::path& file);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// Bytes that `copy` will hand out.
  std::int64_t bytes();
  std::int64_t page_bytes();
  /// The size of a page in four bytes, little-endian, then the pages from the second to the last, then the first;
  /// `after_slice` is called every MiB.
  void copy(const std::function<void(std::span<const std::byte>)>& out, const std::function<void()>& after_slice);
  DatabaseFacts facts(const std::function<void()>& after_slice);
  /// The hashes (32 bytes) of the bodies that artifacts refer to, in order.
  void bodies(const std::function<void(std::string_view)>& hash);

  Handle& handle() noexcept { return handle_; }

 private:
  Handle handle_;
};

/// Of whatever the handle sees. `after_slice` is called now and then.
DatabaseFacts facts_of(Handle& handle, const std::function<void()>& after_slice);
bool has_table(Handle& handle, std::string_view name);

}  // namespace quarry::backup::sqlite
