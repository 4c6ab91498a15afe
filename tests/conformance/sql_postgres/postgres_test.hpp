#pragma once
/// A database in the shared server, and the questions that tests of the PostgreSQL driver ask of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "quarry/core/error.hpp"
#include "quarry/sql/backend.hpp"
#include "quarry/sql/database.hpp"
#include "support/error_of.hpp"
#include "support/postgres_admin.hpp"
#include "support/test_database.hpp"

namespace quarry::test {

inline DatabaseOptions with(const std::function<void(DatabaseOptions&)>& set) {
  DatabaseOptions options;
  set(options);
  return options;
}

class PostgresTest : public testing::Test {
 protected:
  void make(const std::string& sql, DatabaseOptions options = {}) {
    database_.emplace(Engine::postgres, ScratchSql{.postgres = sql}, std::move(options));
  }
  TestDatabase& database() {
    if (!database_) database_.emplace(Engine::postgres, Schema::none);
    return *database_;
  }
  Database& db() { return database().db(); }
  /// Another connection, not of the library's.
  std::vector<std::string> ask(const std::string& sql) { return run_on_postgres(database().url(), sql); }

  static std::int64_t pid(Read& tx) {
    static constexpr sql::Query<std::int64_t()> own_pid{"test.pid", "select pg_backend_pid()::int8"};
    return tx.value(own_pid);
  }
  void terminate(std::int64_t backend) { ask("select pg_terminate_backend(" + std::to_string(backend) + ", 5000)"); }

 private:
  std::optional<TestDatabase> database_;
};

}  // namespace quarry::test
