#pragma once
/// A fresh database of its own for one test, on either engine, gone at the end.
///
///     TestDatabase database(Engine::postgres, Schema::none);
///     TestDatabase database(Engine::sqlite, ScratchSql{.sqlite = "create table t(a integer) strict", .postgres = "create
///     table t(a bigint)"}); database.db().write([&](Write& tx) { ... });
///
/// SQLite: a file in a temporary folder. PostgreSQL: a database in the shared test server (`PrivateCluster::shared_url`).
///
/// Time stands still at `kStart` until `clock()` is told to move, and random numbers repeat: the options that are handed in
/// win where they name a clock or a source of randomness. Thread safety: that of `Database`; make and end it on one thread.

#include <memory>
#include <optional>
#include <string>

#include "quarry/sql/database.hpp"
#include "support/database_template.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {

/// An empty database. For one with the whole schema see `support/migrated_database.hpp`.
enum class Schema { none };

/// Statements that make what a test of the sql layer needs.
struct ScratchSql {
  std::string sqlite{};
  std::string postgres{};
};

class TestDatabase {
 public:
  /// 2026-03-01T12:00:00Z
  static constexpr Instant kStart{1'772'366'400'000'000};

  TestDatabase(Engine engine, Schema schema, DatabaseOptions options = {});
  TestDatabase(Engine engine, const ScratchSql& sql, DatabaseOptions options = {});
  TestDatabase(Engine engine, const DatabaseTemplate& made_by, DatabaseOptions options = {});
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;
  ~TestDatabase();

  Database& db() noexcept { return *db_; }
  ManualClock& clock() noexcept { return *clock_; }
  /// For a second handle or another process. It stays valid while this object lives.
  const std::string& url() const noexcept { return url_; }
  /// Another handle to the same database, with the same clock unless the options name one: what a second program would hold.
  Database open(DatabaseOptions options = {}) const;
  /// A file beside the SQLite database; the folder also exists on PostgreSQL.
  const std::filesystem::path& folder() const noexcept { return folder_.path(); }
  /// Closes our handle and opens a new one: what a restart of the program does.
  void reopen();

 private:
  DatabaseOptions with_defaults(DatabaseOptions options) const;
  void create(Engine engine, const DatabaseTemplate* made_by);

  TempDir folder_{"db"};
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(kStart);
  DatabaseOptions options_;
  std::string name_;  ///< of the database in the PostgreSQL server; empty on SQLite
  std::string url_;
  std::optional<Database> db_;
};

}  // namespace quarry::test
