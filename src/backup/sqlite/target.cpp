#include "backup/sqlite/target.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "backup/file.hpp"
#include "backup/sqlite/handle.hpp"
#include "backup/sqlite/source.hpp"
#include "quarry/backup/error.hpp"
#include "quarry/schema/migrator.hpp"

namespace quarry::backup::sqlite {
namespace {

constexpr std::size_t page_buffer_bytes = 1 << 20;

fs::path beside(const fs::path& target, std::string_view ending) {
  auto path = target;
  path += ending;
  return path;
}

/// The page size stands in the header, big-endian at offset 16; 1 means 65536 (https://sqlite.org/fileformat.html, 1.3).
std::size_t page_bytes_of(std::span<const std::byte> first_page) {
  const auto size = static_cast<std::size_t>(first_page[16]) << 8 | static_cast<std::size_t>(first_page[17]);
  return size == 1 ? 65'536 : size;
}

[[noreturn]] void in_use(const fs::path& target) {
  throw Error(ErrorCode::busy,
              fmt::format("'{}' is in use: end the programs that have it open, and try again", target.native()));
}

/// SQLite's own exclusive lock on the main file, which whoever has the database open in WAL mode makes impossible.
class ExclusiveLock {
 public:
  ExclusiveLock(Handle& handle, const fs::path& target) {
    sqlite3_file_control(handle.native(), "main", SQLITE_FCNTL_FILE_POINTER, &file_);
    if (file_->pMethods->xLock(file_, SQLITE_LOCK_SHARED) != SQLITE_OK ||
        file_->pMethods->xLock(file_, SQLITE_LOCK_EXCLUSIVE) != SQLITE_OK) {
      file_->pMethods->xUnlock(file_, SQLITE_LOCK_NONE);
      in_use(target);
    }
  }
  ~ExclusiveLock() { file_->pMethods->xUnlock(file_, SQLITE_LOCK_NONE); }
  ExclusiveLock(const ExclusiveLock&) = delete;
  ExclusiveLock& operator=(const ExclusiveLock&) = delete;

 private:
  sqlite3_file* file_ = nullptr;
};

/// Empties the WAL into the file, so that the file alone is the database.
bool write_back(Handle& handle, const fs::path& target) {
  try {
    Statement result(handle, "pragma wal_checkpoint(truncate)");
    if (result.step() && result.number(0) != 0) in_use(target);
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::corrupt) return false;
    throw;
  }
}

void remove_if_there(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw file_error(errno, "remove", path);
}

void keep_owner(const fs::path& file, const fs::path& target) {
  struct stat old {};
  if (::stat(target.c_str(), &old) != 0) return;
  if (::chown(file.c_str(), old.st_uid, old.st_gid) != 0 && errno != EPERM)
    throw file_error(errno, "give its owner to", file);
  if (::chmod(file.c_str(), old.st_mode & 07777) != 0) throw file_error(errno, "give its mode to", file);
}

/// The database first: what is left of a database that is not there is nothing.
std::string move_aside(const fs::path& target) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  const auto aside = beside(target, fmt::format(".damaged-{}", now.count()));
  rename_durably(target, aside);
  for (const auto* ending : {"-wal", "-shm"})
    if (fs::exists(beside(target, ending))) rename_durably(beside(target, ending), beside(aside, ending));
  return aside.native();
}

/// False when the name has been taken meanwhile.
bool rename_if_free(const fs::path& file, const fs::path& target) {
  if (::renameat2(AT_FDCWD, file.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return false;
    if (errno != EINVAL && errno != ENOSYS) throw file_error(errno, "put in its place", target);
    rename_durably(file, target);  // a file system that knows no such renaming
    return true;
  }
  sync_folder(folder_of(target));
  return true;
}

/// As the migrator tells it: by the file's mark, and by columns that no other tool's table of this name has.
bool is_ours(Handle& handle) {
  return handle.number("select application_id from pragma_application_id") == schema::application_id &&
         handle.number(fmt::format("select count(*) from pragma_table_info('schema_migrations') where name in ('{}')",
                                   fmt::join(schema::state_columns, "', '"))) == std::ssize(schema::state_columns);
}

void refuse_to_lose(Handle& handle, const fs::path& target) {
  if (handle.number("select count(*) from sqlite_schema where name not like 'sqlite\\_%' escape '\\'") == 0) return;
  if (!is_ours(handle))
    throw Error(ErrorCode::conflict,
                fmt::format("'{}' is another program's database: name another place, or say --replace", target.native()));
  Statement names(handle,
                  "select name from sqlite_schema where type = 'table' and rootpage > 0"
                  " and name not like 'sqlite\\_%' escape '\\' and name not like 'artifacts\\_fts\\_%' escape '\\'"
                  " and name not in ('schema_migrations', 'schema_migration_log', 'subscription_plans')");
  while (names.step()) {
    const std::string name(names.bytes(0));
    if (handle.number(fmt::format("select exists (select 1 from {})", quoted_name(name))) != 0)
      throw Error(ErrorCode::conflict,
                  fmt::format("'{}' has rows, in {} for one: name another place, or say --replace", target.native(), name));
  }
}

/// Looks at the file alone, whose WAL is empty. What cannot be looked at is not known to be whole.
bool is_whole(const fs::path& target) {
  try {
    Handle handle(target, Opening::copy);
    return handle.text("pragma quick_check(1)") == "ok";
  } catch (const Error&) {
    return false;
  }
}

std::string replace_what_is_there(const fs::path& file, const fs::path& target, const Placing& placing) {
  std::unique_ptr<Handle> handle;
  std::optional<ExclusiveLock> lock;
  bool healthy = true;
  try {
    handle = std::make_unique<Handle>(target, Opening::exclusive);
    healthy = write_back(*handle, target);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    healthy = false;
  }
  if (healthy) {
    lock.emplace(*handle, target);
    std::error_code ignored;
    const auto wal = fs::file_size(beside(target, "-wal"), ignored);
    if (!ignored && wal > 0) in_use(target);
    healthy = is_whole(target);
  }
  if (!healthy) {
    if (!placing.replace)
      throw Error(ErrorCode::conflict,
                  fmt::format("'{}' is damaged and may hold something: name another place, or say --replace, which moves it "
                              "aside",
                              target.native()));
    placing.before();
    keep_owner(file, target);
    auto aside = move_aside(target);
    rename_durably(file, target);
    return aside;
  }
  if (!placing.replace) {
    // Without locks of its own: what nobody else can write to needs none, and giving them back would give up ours.
    Handle look(target, Opening::copy);
    refuse_to_lose(look, target);
  }
  placing.before();
  // The WAL is empty and nobody has it open: gone before the new database comes, it can never be taken for its own.
  remove_if_there(beside(target, "-wal"));
  remove_if_there(beside(target, "-shm"));
  keep_owner(file, target);
  rename_durably(file, target);
  return {};
}

/// The first four bytes of the stream.
std::size_t read_page_bytes(const BytesIn& in) {
  std::array<std::byte, 4> bytes{};
  std::size_t size = 0;
  if (in(bytes) == bytes.size())
    for (std::size_t i = 0; i < bytes.size(); ++i) size |= static_cast<std::size_t>(bytes[i]) << (8 * i);
  if (size < 512 || size > 65'536 || (size & (size - 1)) != 0)
    throw BackupError(Damage::differs, "the backup holds no SQLite database");
  return size;
}

}  // namespace

std::int64_t write_pages(const BytesIn& in, const File& out, const fs::path& file,
                         const std::function<void()>& after_slice) {
  const auto page = read_page_bytes(in);
  if (::lseek(out.get(), static_cast<off_t>(page), SEEK_SET) < 0) throw file_error(errno, "write", file);
  std::vector<std::byte> buffer(page + page_buffer_bytes);
  // A page is held back until more has come: the last one is the first of the file.
  std::size_t held = 0;
  std::int64_t written = 0;
  while (const auto got = in(std::span(buffer).subspan(held, page_buffer_bytes))) {
    const auto have = held + got;
    const auto ready = have > page ? have - page : 0;
    out.write(std::span(buffer).first(ready), file);
    written += static_cast<std::int64_t>(ready);
    held = have - ready;
    std::memmove(buffer.data(), buffer.data() + ready, held);
    after_slice();
  }
  const auto first = std::span(buffer).first(held);
  if (held != page || page_bytes_of(first) != page)
    throw BackupError(Damage::differs, "the backup holds no whole SQLite database");
  if (::lseek(out.get(), 0, SEEK_SET) < 0) throw file_error(errno, "write", file);
  out.write(first, file);
  out.sync(file);
  return written + static_cast<std::int64_t>(held);
}

DatabaseFacts examine(const fs::path& file, const std::function<void()>& after_slice) {
  Handle handle(file, Opening::copy);
  try {
    if (handle.text("pragma integrity_check(1)") != "ok")
      throw BackupError(Damage::differs, "restored, the database fails SQLite's integrity check");
    Statement orphans(handle, "pragma foreign_key_check");
    if (orphans.step())
      throw BackupError(Damage::differs,
                        fmt::format("restored, rows of {} refer to rows that are not there", orphans.bytes(0)));
    return facts_of(handle, after_slice);
  } catch (const BackupError&) {
    throw;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    throw BackupError(Damage::differs, "restored, the database is damaged");
  }
}

void refuse_rows(const fs::path& target) {
  if (!fs::exists(target)) return;
  Handle handle(target, Opening::live);
  refuse_to_lose(handle, target);
}

void refuse_use(const fs::path& target) {
  if (!fs::exists(target)) return;
  try {
    Handle handle(target, Opening::exclusive);
    const ExclusiveLock lock(handle, target);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
  }
}

std::string put_in_place(const fs::path& file, const fs::path& target, const Placing& placing) {
  // Quarry's writers hold this lock while they write (docs/decisions/0002).
  const auto gate_path = beside(target, "-gate");
  const File gate(::open(gate_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!gate) throw file_error(errno, "open", gate_path);
  if (!gate.lock(gate_path)) in_use(target);
  if (!fs::exists(target)) {
    for (const auto* ending : {"-wal", "-shm"}) remove_if_there(beside(target, ending));
    placing.before();
    if (rename_if_free(file, target)) return {};
  }
  return replace_what_is_there(file, target, placing);
}

}  // namespace quarry::backup::sqlite
