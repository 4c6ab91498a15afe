#pragma once
/// A conformance test is written once and runs on each engine:
///
///     class Accounts : public BothEngines {};
///     QUARRY_BOTH_ENGINES(Accounts);
///     TEST_P(Accounts, CreatesAUser) { db().write([&](Write& tx) { ... }); }     // Accounts.CreatesAUser/sqlite and
///     /postgres
///
/// A fixture that wants another database than an empty one overrides `make_database`.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "support/test_database.hpp"

namespace quarry::test {

class BothEngines : public testing::TestWithParam<Engine> {
 protected:
  virtual std::unique_ptr<TestDatabase> make_database() { return std::make_unique<TestDatabase>(GetParam(), Schema::none); }

  /// Made at its first use, so that a test that opens its own pays for one only.
  TestDatabase& database() {
    if (!database_) database_ = make_database();
    return *database_;
  }
  Database& db() { return database().db(); }
  /// The next use makes a new one.
  void renew_database() { database_.reset(); }
  ManualClock& clock() { return database().clock(); }
  bool is_sqlite() const { return GetParam() == Engine::sqlite; }
  bool is_postgres() const { return GetParam() == Engine::postgres; }

 private:
  std::unique_ptr<TestDatabase> database_;
};

/// The test's name ends with the engine's.
inline std::string engine_name(const testing::TestParamInfo<Engine>& info) {
  return info.param == Engine::sqlite ? "sqlite" : "postgres";
}

}  // namespace quarry::test

#define QUARRY_BOTH_ENGINES(Fixture)                                                                               \
  INSTANTIATE_TEST_SUITE_P(, Fixture, testing::Values(quarry::sql::Engine::sqlite, quarry::sql::Engine::postgres), \
                           quarry::test::engine_name)
