/// SQLite as `engine.hpp` wants it.

#include "backup/engine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>

#include <chrono>

#include "backup/file.hpp"
#include "backup/sqlite/source.hpp"
#include "backup/sqlite/target.hpp"
#include "quarry/core/path.hpp"

namespace quarry::backup {
namespace {

class SqliteSource final : public SourceDatabase {
 public:
  explicit SqliteSource(const fs::path& file) : source_(file) {}
  void dump(const BytesOut& out, const Pause& pause) override { source_.copy(out, pause); }
  DatabaseFacts facts(const Pause& pause) override { return source_.facts(pause); }
  void bodies(const std::function<void(std::string_view)>& hash) override { source_.bodies(hash); }

 private:
  sqlite::Source source_;
};

/// A file that is locked as long as somebody works on it, so that what a killed restore has left is told from what a running
/// one makes.
class SqliteRestored final : public RestoredDatabase {
 public:
  SqliteRestored(fs::path file, fs::path target) : file_(std::move(file)), target_(std::move(target)) {}
  ~SqliteRestored() override {
    std::error_code ignored;
    fs::remove(file_, ignored);
  }
  std::int64_t fill(const BytesIn& in, const Pause& pause) override {
    out_ = File::make(file_);
    if (!out_.lock(file_)) throw_bug("somebody has locked a file that was made this moment");
    return sqlite::write_pages(in, out_, file_, pause);
  }
  DatabaseFacts examine(const Pause& pause) override { return sqlite::examine(file_, pause); }
  std::string put_in_place(const Placing& placing) override { return sqlite::put_in_place(file_, target_, placing); }

 private:
  fs::path file_, target_;
  File out_;
};

/// Removes what killed restores have left beside the target. One that was made a moment ago may not be locked yet.
void remove_left_restores(const fs::path& folder, const std::string& prefix) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().native().starts_with(prefix)) continue;
    if (fs::file_time_type::clock::now() - entry.last_write_time(ignored) < std::chrono::seconds(2)) continue;
    const File left(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (left && left.lock(entry.path())) fs::remove(entry.path(), ignored);
  }
}

}  // namespace

std::unique_ptr<SourceDatabase> open_sqlite_source(const fs::path& file) {
  if (!fs::exists(file)) throw Error(ErrorCode::not_found, fmt::format("there is no database at '{}'", file.native()));
  return std::make_unique<SqliteSource>(file);
}

std::unique_ptr<RestoredDatabase> restore_sqlite(const fs::path& target) {
  const auto folder = folder_of(target);
  if (!fs::is_directory(folder))
    throw Error(ErrorCode::not_found, fmt::format("the folder '{}' does not exist: make it first", folder.native()));
  const auto prefix = target.filename().native() + ".restoring-";
  remove_left_restores(folder, prefix);
  return std::make_unique<SqliteRestored>(folder / fmt::format("{}{:08x}", prefix, randombytes_random()), target);
}

std::unique_ptr<RestoredDatabase> restore_sqlite_scratch(const fs::path& folder) {
  return std::make_unique<SqliteRestored>(folder / "restored.db", fs::path());
}

void refuse_sqlite_rows(const fs::path& target) { sqlite::refuse_rows(target); }
void refuse_sqlite_use(const fs::path& target) { sqlite::refuse_use(target); }

fs::path sqlite_file_of(std::string_view url) {
  const auto path = url.substr(std::string_view("sqlite:").size());
  if (path.empty() || path == ":memory:") throw_invalid("a database in memory has no backup");
  return resolved_path(path);
}

}  // namespace quarry::backup
