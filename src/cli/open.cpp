/// How a command comes by its database.

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>

#include "cli/context.hpp"
#include "quarry/schema/migrator.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::cli {
namespace {

namespace fs = std::filesystem;

/// The path of a SQLite URL; nothing for what is not a file. The sql layer reads the URL, and tells what is wrong with it.
std::optional<fs::path> file_of(std::string_view url) {
  constexpr std::string_view scheme = "sqlite:";
  if (!url.starts_with(scheme)) return std::nullopt;
  const auto path = url.substr(scheme.size());
  if (path.empty() || path == ":memory:" || path.starts_with("//")) return std::nullopt;
  return fs::path(path);
}

enum class FileKind { missing, empty, ours, sqlite, something_else };

/// Looks at the header only (https://sqlite.org/fileformat.html, 1.3): the magic string, and the application id in
/// big-endian at offset 68.
FileKind kind_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return FileKind::missing;
  std::array<char, 100> header{};
  in.read(header.data(), header.size());
  if (in.gcount() == 0) return FileKind::empty;
  if (in.gcount() < 100 || std::string_view(header.data(), 16) != std::string_view("SQLite format 3\0", 16))
    return FileKind::something_else;
  std::int64_t id = 0;
  for (std::size_t i = 68; i < 72; ++i) id = id << 8 | static_cast<unsigned char>(header[i]);
  return id == schema::application_id ? FileKind::ours : FileKind::sqlite;
}

void check_place(const fs::path& path, bool create) {
  std::error_code ignored;
  // A link may lead to a file that is to be made elsewhere.
  const auto target = fs::is_symlink(path, ignored) ? path.parent_path() / fs::read_symlink(path, ignored) : path;
  const auto folder = target.parent_path();
  if (!folder.empty() && !fs::is_directory(folder, ignored))
    throw CommandError(
        ExitCode::no_directory, ErrorCode::unavailable,
        fs::exists(folder, ignored)
            ? fmt::format("'{}' is no directory: name another path", folder.string())
            : fmt::format("the directory '{0}' does not exist: make it first (mkdir -p '{0}')", folder.string()));
  const auto status = fs::status(path, ignored);
  // Before anybody opens it: a pipe would hang, and SQLite would leave a journal beside a device.
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw CommandError(ExitCode::not_ours, ErrorCode::invalid,
                       fmt::format("'{}' is no file, so it cannot be a database: name another path", path.string()));
  if (!create && !fs::exists(status))
    throw CommandError(ExitCode::not_found, ErrorCode::not_found,
                       fmt::format("there is no database at '{}': `quarry init` makes one", path.string()));
}

/// Opening a file for writing switches it to WAL, which changes it: whose it is must be known before.
void check_ownership(const fs::path& path, const std::string& url) {
  switch (kind_of(path)) {
    case FileKind::missing:
    case FileKind::empty:
    case FileKind::ours:
      return;
    case FileKind::something_else:
      throw CommandError(ExitCode::not_ours, ErrorCode::invalid,
                         fmt::format("'{}' is no SQLite database: name another file", path.string()));
    case FileKind::sqlite:
      break;
  }
  // The mark may still be in the WAL.
  const auto db = Database::open(url, {.create = false, .read_only = true, .connections_max = 1});
  const auto status = schema::status(db);
  if (status.state == schema::State::foreign) throw schema::MigrationError(schema::Reason::not_ours, status.message);
}

}  // namespace

Database Context::open_any_version(bool create, DatabaseOptions options) const {
  options.create = create;
  if (const auto path = file_of(settings_.db)) {
    check_place(*path, create);
    check_ownership(*path, settings_.db);
  }
  auto db = Database::open(settings_.db, settings_.applied_to(std::move(options)));
  if (settings_.slow_query_ms) watch_queries(db);
  return db;
}

std::shared_ptr<ops::QueryWatch> Context::watch_queries(const Database& db) const {
  auto watch = std::make_shared<ops::QueryWatch>(
      ops::QueryWatchOptions{.slow = std::chrono::milliseconds(settings_.slow_query_ms.value_or(0))});
  db.backend().observe(watch);
  return watch;
}

Database Context::open(Access access, DatabaseOptions options) const {
  options.read_only = access == Access::read;
  auto db = open_any_version(false, std::move(options));
  schema::check(db);
  return db;
}

}  // namespace quarry::cli
