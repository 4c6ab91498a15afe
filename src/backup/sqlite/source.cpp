#include "backup/sqlite/source.hpp"

#include <algorithm>
#include <array>

#include "backup/sqlite/page_sink.hpp"
#include "quarry/core/error.hpp"

namespace quarry::backup::sqlite {
namespace {

constexpr std::int64_t copy_slice_bytes = 1 << 20;

class Destination {
 public:
  explicit Destination(PageSink& sink) {
    const auto* vfs = sink.vfs_name();
    const int code = sqlite3_open_v2("stream", &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, vfs);
    if (code != SQLITE_OK ||
        sqlite3_exec(db_,
                     "pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive;"
                     "pragma cache_size = -1024",
                     nullptr, nullptr, nullptr) != SQLITE_OK) {
      sqlite3_close_v2(db_);
      throw_bug("SQLite does not open a stream");
    }
  }
  ~Destination() { sqlite3_close_v2(db_); }
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;
  sqlite3* native() const noexcept { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace

Source::Source(const std::filesystem::path& file) : handle_(file, Opening::live) {
  handle_.run("begin");
  handle_.number("select count(*) from sqlite_schema");  // the moment is the first read's
}

Source::~Source() { sqlite3_exec(handle_.native(), "rollback", nullptr, nullptr, nullptr); }

std::int64_t Source::page_bytes() { return handle_.number("pragma page_size"); }
std::int64_t Source::bytes() { return handle_.number("pragma page_count") * page_bytes(); }

void Source::copy(const std::function<void(std::span<const std::byte>)>& out, const std::function<void()>& after_slice) {
  const auto page = page_bytes();
  std::array<std::byte, 4> head{};
  for (std::size_t i = 0; i < head.size(); ++i) head[i] = static_cast<std::byte>(page >> (8 * i));
  out(head);
  PageSink sink(page, out);
  {
    const Destination destination(sink);
    sqlite3_backup* backup = sqlite3_backup_init(destination.native(), "main", handle_.native(), "main");
    if (backup == nullptr) throw_bug("SQLite does not begin a backup");
    const int pages = static_cast<int>(std::max<std::int64_t>(1, copy_slice_bytes / page));
    int code = SQLITE_OK;
    try {
      while ((code = sqlite3_backup_step(backup, pages)) == SQLITE_OK) after_slice();
    } catch (...) {
      sqlite3_backup_finish(backup);
      throw;
    }
    sqlite3_backup_finish(backup);
    sink.rethrow();
    if (code != SQLITE_DONE) handle_.fail("copy", code);
  }
  if (sink.bytes() < bytes()) throw Error(ErrorCode::corrupt, "the copy of the database is shorter than the database");
  sink.finish();
}

DatabaseFacts Source::facts(const std::function<void()>& after_slice) { return facts_of(handle_, after_slice); }

void Source::bodies(const std::function<void(std::string_view)>& hash) {
  if (!has_table(handle_, "blobs")) return;
  Statement rows(handle_,
                 "select hash from blobs where exists (select 1 from artifacts where blob_hash = blobs.hash) order by hash");
  while (rows.step()) hash(rows.bytes(0));
}

bool has_table(Handle& handle, std::string_view name) {
  Statement found(handle, "select 1 from sqlite_schema where type = 'table' and name = ?1");
  sqlite3_bind_text(found.native(), 1, name.data(), static_cast<int>(name.size()), SQLITE_STATIC);
  return found.step();
}

}  // namespace quarry::backup::sqlite
