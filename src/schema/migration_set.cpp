#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "quarry/schema/error.hpp"
#include "quarry/schema/migration.hpp"
#include "schema/embedded.hpp"
#include "schema/script.hpp"

namespace quarry::schema {
namespace {

[[noreturn]] void bad_set(std::string message) { throw MigrationError(Reason::bad_set, std::move(message)); }

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

/// `0001_initial`, taken apart.
std::optional<std::pair<std::int64_t, std::string>> parse_label(std::string_view label) {
  if (label.size() < 6 || !std::all_of(label.begin(), label.begin() + 4, is_decimal) || label[4] != '_') return std::nullopt;
  const auto name = label.substr(5);
  const auto fits = [](char c) { return is_decimal(c) || (c >= 'a' && c <= 'z') || c == '_'; };
  if (!std::all_of(name.begin(), name.end(), fits)) return std::nullopt;
  std::int64_t version = 0;
  for (const char c : label.substr(0, 4)) version = version * 10 + (c - '0');
  return std::pair(version, std::string(name));
}

struct FileKind {
  std::string_view name;
  Engine engine;
  Direction direction;
};
constexpr FileKind file_kinds[] = {{"up.sqlite.sql", Engine::sqlite, Direction::up},
                                   {"down.sqlite.sql", Engine::sqlite, Direction::down},
                                   {"up.postgres.sql", Engine::postgres, Direction::up},
                                   {"down.postgres.sql", Engine::postgres, Direction::down}};

void add_file(std::map<std::int64_t, Migration>& found, SourceFile&& file) {
  const auto slash = file.path.find('/');
  const auto folder = std::string_view(file.path).substr(0, slash);
  const auto parsed = slash == std::string::npos ? std::nullopt : parse_label(folder);
  if (!parsed)
    bad_set(
        fmt::format("migration file {}: its folder should be four digits, '_' and a name of a-z, 0-9 and '_'", file.path));
  const auto base = std::string_view(file.path).substr(slash + 1);
  const auto kind = std::find_if(std::begin(file_kinds), std::end(file_kinds), [&](auto& k) { return k.name == base; });
  if (kind == std::end(file_kinds))
    bad_set(fmt::format("migration file {}: only up and down, .sqlite.sql and .postgres.sql, stand in such a folder",
                        file.path));
  auto& migration = found[parsed->first];
  if (migration.version != 0 && migration.name != parsed->second)
    bad_set(fmt::format("migrations {} and {} have the same number; give the later one the next free number",
                        migration.label(), folder));
  migration.version = parsed->first;
  migration.name = parsed->second;
  migration.script(kind->engine, kind->direction) =
      read_script(kind->engine, kind->direction, std::move(file.path), std::move(file.text));
}

void check_complete(const Migration& migration) {
  for (const auto& kind : file_kinds)
    if (migration.script(kind.engine, kind.direction).path.empty())
      bad_set(fmt::format("migration {} has no {}; where there is nothing to do, the file is empty", migration.label(),
                          kind.name));
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad())
    throw Error(ErrorCode::unavailable,
                fmt::format("cannot read '{}': check that it exists and is readable", path.string()));
  return text;
}

std::string checked_text(const EmbeddedFile& file) {
  if (sha256_hex(file.text) != file.sha256)
    throw_bug(fmt::format("the embedded file {} was changed by the build", file.path));
  return std::string(file.text);
}

}  // namespace

std::string_view to_string(Direction direction) noexcept { return direction == Direction::up ? "up" : "down"; }

std::string label(std::int64_t version, std::string_view name) { return fmt::format("{:04}_{}", version, name); }

std::string Migration::label() const { return schema::label(version, name); }

const Script& Migration::script(Engine engine, Direction direction) const {
  if (engine == Engine::sqlite) return direction == Direction::up ? up_sqlite : down_sqlite;
  return direction == Direction::up ? up_postgres : down_postgres;
}

Script& Migration::script(Engine engine, Direction direction) {
  return const_cast<Script&>(std::as_const(*this).script(engine, direction));
}

MigrationSet::MigrationSet(std::vector<SourceFile> files) {
  std::map<std::int64_t, Migration> found;
  for (auto& file : files) add_file(found, std::move(file));
  for (auto& [version, migration] : found) {
    if (version != head() + 1)
      bad_set(fmt::format("migration {} stands where number {:04} should: versions count 0001, 0002, ... without gaps",
                          migration.label(), head() + 1));
    check_complete(migration);
    migrations_.push_back(std::move(migration));
  }
}

const MigrationSet& MigrationSet::embedded() {
  static const MigrationSet set = [] {
    std::vector<SourceFile> files;
    for (const auto& file : embedded_migrations()) files.push_back({std::string(file.path), checked_text(file)});
    return MigrationSet(std::move(files));
  }();
  return set;
}

MigrationSet MigrationSet::from_directory(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code failure;
  std::set<fs::path> paths;
  for (fs::recursive_directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure))
    if (!it->is_directory()) paths.insert(it->path());
  if (failure)
    throw Error(failure == std::errc::no_such_file_or_directory ? ErrorCode::not_found : ErrorCode::unavailable,
                fmt::format("cannot read the migrations' folder '{}': {}", folder, failure.message()));
  std::vector<SourceFile> files;
  for (const auto& path : paths) files.push_back({fs::relative(path, folder).generic_string(), read_file(path)});
  return MigrationSet(std::move(files));
}

const Migration* MigrationSet::find(std::int64_t version) const noexcept {
  return version >= 1 && version <= head() ? &migrations_[static_cast<std::size_t>(version - 1)] : nullptr;
}

const DesiredSchema& DesiredSchema::embedded() {
  static const DesiredSchema schema{checked_text(embedded_sqlite_schema()), checked_text(embedded_postgres_schema())};
  return schema;
}

DesiredSchema DesiredSchema::from_directory(const std::string& folder) {
  const std::filesystem::path base(folder);
  return {read_file(base / "sqlite.sql"), read_file(base / "postgres.sql")};
}

}  // namespace quarry::schema
