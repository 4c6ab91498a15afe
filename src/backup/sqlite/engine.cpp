/// SQLite as `engine.hpp` wants it.

#include "backup/engine.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include "backup/file.hpp"
#include "backup/sqlite/source.hpp"
#include "backup/sqlite/target.hpp"

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

/// A file that is locked by its name's owner, so that what a killed restore has left is told from what a running one makes.
class SqliteRestored final : public RestoredDatabase {
 public:
  SqliteRestored(fs::path file, fs::path target) : file_(std::move(file)), target_(std::move(target)) {}
  ~SqliteRestored() override {
    std::error_code ignored;
    fs::remove(file_, ignored);
  }
  std::int64_t fill(const BytesIn& in, const Pause& pause) override { return sqlite::write_pages(in, file_, pause); }
  DatabaseFacts examine(const Pause& pause) override { return sqlite::examine(file_, pause); }
  std::string put_in_place() override { return sqlite::put_in_place(file_, target_); }

 private:
  fs::path file_, target_;
};

/// Removes what killed restores have left beside the target. Their locks are gone; `restore` holds one on the target's gate.
std::unique_ptr<RestoredDatabase> restored_at(const fs::path& file, const fs::path& target) {
  return std::make_unique<SqliteRestored>(file, target);
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
  // A restore that was killed has left its file, which is no database. Older than a day, nobody works on it.
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().native().starts_with(prefix) &&
        fs::file_time_type::clock::now() - entry.last_write_time(ignored) > std::chrono::hours(24))
      fs::remove(entry.path(), ignored);
  return restored_at(folder / fmt::format("{}{:08x}", prefix, randombytes_random()), target);
}

std::unique_ptr<RestoredDatabase> restore_sqlite_scratch(const fs::path& folder) {
  return restored_at(folder / "restored.db", {});
}

void refuse_sqlite_rows(const fs::path& target) { sqlite::refuse_rows(target); }

std::string engine_of(std::string_view url) {
  if (url.starts_with("sqlite:")) return "sqlite";
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) return "postgres";
  throw_invalid("a database is sqlite:FILE or postgresql://...");
}

fs::path sqlite_file_of(std::string_view url) {
  const auto path = url.substr(std::string_view("sqlite:").size());
  if (path.empty() || path == ":memory:") throw_invalid("a database in memory has no backup");
  return fs::path(path);
}

}  // namespace quarry::backup
