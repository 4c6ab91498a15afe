#include "backup/sqlite/page_sink.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "quarry/core/error.hpp"

namespace quarry::backup::sqlite {
namespace {

constexpr const char* sink_vfs = "quarry-backup-stream";

thread_local PageSink* open_next = nullptr;

struct SinkFile {
  sqlite3_file base;
  PageSink* sink;
};

PageSink& sink_of(sqlite3_file* file) { return *reinterpret_cast<SinkFile*>(file)->sink; }

const sqlite3_io_methods& sink_methods() {
  static const sqlite3_io_methods methods = [] {
    sqlite3_io_methods m{};
    m.iVersion = 1;
    m.xClose = [](sqlite3_file*) { return SQLITE_OK; };
    m.xRead = [](sqlite3_file* file, void* into, int count, sqlite3_int64 at) {
      return sink_of(file).read(into, count, at);
    };
    m.xWrite = [](sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
      return sink_of(file).write(bytes, count, at);
    };
    m.xTruncate = [](sqlite3_file* file, sqlite3_int64 size) {
      return size >= sink_of(file).bytes() ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
    };
    m.xSync = [](sqlite3_file*, int) { return SQLITE_OK; };
    m.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
      *size = sink_of(file).is_empty() ? 0 : sink_of(file).bytes();
      return SQLITE_OK;
    };
    m.xLock = [](sqlite3_file*, int) { return SQLITE_OK; };
    m.xUnlock = [](sqlite3_file*, int) { return SQLITE_OK; };
    m.xCheckReservedLock = [](sqlite3_file*, int* reserved) {
      *reserved = 0;
      return SQLITE_OK;
    };
    m.xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
    m.xSectorSize = [](sqlite3_file*) { return 4096; };
    m.xDeviceCharacteristics = [](sqlite3_file*) { return 0; };
    return m;
  }();
  return methods;
}

int open_sink(sqlite3_vfs*, const char*, sqlite3_file* file, int flags, int* out_flags) {
  auto* sink_file = reinterpret_cast<SinkFile*>(file);
  sink_file->base.pMethods = nullptr;
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0 || open_next == nullptr) return SQLITE_CANTOPEN;
  sink_file->sink = std::exchange(open_next, nullptr);
  sink_file->base.pMethods = &sink_methods();
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

void register_vfs() {
  static const bool registered = [] {
    sqlite3_initialize();
    static sqlite3_vfs vfs = *sqlite3_vfs_find(nullptr);
    vfs.iVersion = 1;
    vfs.pNext = nullptr;
    vfs.szOsFile = sizeof(SinkFile);
    vfs.zName = sink_vfs;
    vfs.xOpen = open_sink;
    vfs.xDelete = [](sqlite3_vfs*, const char*, int) { return SQLITE_OK; };
    vfs.xAccess = [](sqlite3_vfs*, const char*, int, int* found) {
      *found = 0;
      return SQLITE_OK;
    };
    vfs.xFullPathname = [](sqlite3_vfs*, const char* name, int size, char* into) {
      sqlite3_snprintf(size, into, "%s", name);
      return SQLITE_OK;
    };
    return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK;
  }();
  if (!registered) throw_bug("SQLite takes no VFS");
}

}  // namespace

PageSink::PageSink(std::int64_t page_bytes, Out out) : page_bytes_(page_bytes), out_(std::move(out)), next_(page_bytes) {}

PageSink::~PageSink() {
  if (open_next == this) open_next = nullptr;
}

const char* PageSink::vfs_name() {
  register_vfs();
  open_next = this;
  return sink_vfs;
}

int PageSink::read(void* into, int count, std::int64_t at) noexcept {
  const auto wanted = static_cast<std::size_t>(count);
  const auto from = static_cast<std::size_t>(at);
  if (from + wanted <= first_page_.size()) {
    std::memcpy(into, first_page_.data() + from, wanted);
    return SQLITE_OK;
  }
  std::memset(into, 0, wanted);
  return at < page_bytes_ ? SQLITE_IOERR_SHORT_READ : SQLITE_IOERR_READ;
}

void PageSink::put(const std::byte* bytes, std::size_t count, std::int64_t at) {
  if (at == 0) {
    first_page_.assign(bytes, bytes + count);
    return;
  }
  if (at < next_) throw_bug("SQLite's backup has gone back");
  // The page with SQLite's lock bytes, at 1 GiB, is never written.
  const std::vector<std::byte> zeros(static_cast<std::size_t>(std::min(at - next_, page_bytes_)));
  for (; next_ < at; next_ += page_bytes_) out_(zeros);
  out_(std::span(bytes, count));
  next_ += static_cast<std::int64_t>(count);
}

int PageSink::write(const void* bytes, int count, std::int64_t at) noexcept {
  try {
    if (failure_) return SQLITE_IOERR_WRITE;
    put(static_cast<const std::byte*>(bytes), static_cast<std::size_t>(count), at);
    return SQLITE_OK;
  } catch (...) {
    failure_ = std::current_exception();
    return SQLITE_IOERR_WRITE;
  }
}

void PageSink::rethrow() const {
  if (failure_) std::rethrow_exception(failure_);
}

void PageSink::finish() {
  rethrow();
  if (first_page_.size() != static_cast<std::size_t>(page_bytes_)) throw_bug("SQLite's backup has no first page");
  out_(first_page_);
}

}  // namespace quarry::backup::sqlite
