#pragma once
/// A file that SQLite's backup API believes to write, and that is a stream: the pages come in their order and are handed on,
/// so that no copy in clear ever lies on a disk.
///
/// The first page comes last, because SQLite holds it back itself until all others are written; a restored file is therefore
/// no database before its last page is there. Anything else out of order is refused.

#include <sqlite3.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <vector>

namespace quarry::backup::sqlite {

class PageSink {
 public:
  using Out = std::function<void(std::span<const std::byte>)>;
  PageSink(std::int64_t page_bytes, Out out);

  /// The name of the VFS whose next main file is this sink, for the calling thread, until the sink ends.
  const char* vfs_name();
  ~PageSink();
  PageSink(const PageSink&) = delete;
  PageSink& operator=(const PageSink&) = delete;

  /// Hands on the first page. Throws what `out` has thrown.
  void finish();
  void rethrow() const;
  std::int64_t bytes() const noexcept { return next_; }
  bool is_empty() const noexcept { return first_page_.empty() && next_ == page_bytes_; }

  // What SQLite calls; they return its codes.
  int read(void* into, int count, std::int64_t at) noexcept;
  int write(const void* bytes, int count, std::int64_t at) noexcept;

 private:
  void put(const std::byte* bytes, std::size_t count, std::int64_t at);

  std::int64_t page_bytes_;
  Out out_;
  std::vector<std::byte> first_page_;
  std::int64_t next_;  ///< where the next page belongs
  std::exception_ptr failure_;
};

}  // namespace quarry::backup::sqlite
