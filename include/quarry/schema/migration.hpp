#pragma once
/// The migrations: the path from an empty database to the desired schema, in small steps that are never edited again.
///
///     migrations/0001_initial/up.sqlite.sql      down.sqlite.sql
///                             up.postgres.sql    down.postgres.sql
///     migrations/0002_.../
///
/// Versions count 1, 2, 3, ... without gaps; every migration has all four files (empty where there is nothing to do). The
/// first one creates the migrator's own tables, `schema_migrations` and `schema_migration_log`. A comment before the first
/// statement may say how a file is to be run:
///
///     -- quarry: no-transaction   its statements commit one by one, for what cannot stand in a transaction
///                                 (CREATE INDEX CONCURRENTLY, VACUUM); interrupted, it is resumed where it stopped
///     -- quarry: destructive      it loses data and wants `--allow-data-loss`; a down file that drops tables or columns
///     always does
///     -- quarry: rebuild          SQLite only: it makes tables anew, so foreign keys are off while it runs, and are
///                                 checked, with the copied rows and the whole file, before it commits
///
/// Scripts do not begin or end transactions. Thread safety: a `MigrationSet` is immutable.
///
/// Errors: `MigrationError` (bad_set), and `not_found` or `unavailable` for files that cannot be read.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/schema/sql_text.hpp"

namespace quarry::schema {

enum class Direction { up, down };
/// `up` or `down`.
std::string_view to_string(Direction direction) noexcept;

struct ScriptStatement {
  std::string text;
  std::size_t line = 1;
  std::string hash;  ///< SHA-256 of the text, in hex
};

struct Script {
  std::string path;      ///< `0001_initial/up.sqlite.sql`
  std::string text;      ///< the bytes of the file
  std::string checksum;  ///< their SHA-256, in hex
  bool no_transaction = false;
  bool destructive = false;
  bool rebuild = false;
  std::vector<ScriptStatement> statements;
};

struct Migration {
  std::int64_t version = 0;
  std::string name;  ///< `initial`
  Script up_sqlite, up_postgres, down_sqlite, down_postgres;

  /// `0001_initial`
  std::string label() const;
  /// The file for this engine and direction.
  const Script& script(Engine engine, Direction direction) const;
  /// The same, to be filled.
  Script& script(Engine engine, Direction direction);
};

/// `0001_initial`
std::string label(std::int64_t version, std::string_view name);

struct SourceFile {
  std::string path;  ///< relative to the migrations' folder
  std::string text;
};

class MigrationSet {
 public:
  MigrationSet() = default;
  /// Throws `MigrationError` (bad_set) that names the file and what is wrong: bad name, gap, duplicate, missing or unknown
  /// file, unknown directive, statement that cannot be cut or may not stand there.
  explicit MigrationSet(std::vector<SourceFile> files);
  /// What this program was built with.
  static const MigrationSet& embedded();
  /// Reads the files below `folder`. An empty folder is a set without migrations.
  static MigrationSet from_directory(const std::string& folder);

  const std::vector<Migration>& migrations() const noexcept { return migrations_; }
  /// The highest version; 0 when there is none.
  std::int64_t head() const noexcept { return static_cast<std::int64_t>(migrations_.size()); }
  /// Null when the set does not know `version`.
  const Migration* find(std::int64_t version) const noexcept;

 private:
  std::vector<Migration> migrations_;  ///< by version: index is version - 1
};

/// The whole schema as it should be, as readable SQL (`schema/*.sql`).
struct DesiredSchema {
  std::string sqlite;
  std::string postgres;

  /// The file for this engine.
  const std::string& text(Engine engine) const { return engine == Engine::sqlite ? sqlite : postgres; }
  /// What this program was built with.
  static const DesiredSchema& embedded();
  /// Reads `sqlite.sql` and `postgres.sql` in `folder`.
  static DesiredSchema from_directory(const std::string& folder);
};

/// SHA-256 in lower-case hex.
std::string sha256_hex(std::string_view bytes);

/// A statement that the engine refuses within a transaction, or that does nothing there.
bool needs_autocommit(Engine engine, std::string_view statement);

}  // namespace quarry::schema
