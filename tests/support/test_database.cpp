#include "support/test_database.hpp"

#include <unistd.h>

#include <atomic>
#include <random>
#include <stdexcept>
#include <utility>

#include "support/postgres_admin.hpp"
#include "support/private_cluster.hpp"

namespace quarry::test {
namespace {

/// Any number will do, as long as it is the same in every run.
constexpr std::uint64_t kSeed = 20260301;

/// Several test programs share one server, and a killed one may have left its databases there.
std::string fresh_name() {
  static std::atomic<int> count{0};
  static const std::uint32_t run = std::random_device{}();
  return "quarry_test_" + std::to_string(getpid()) + "_" + std::to_string(run) + "_" + std::to_string(++count);
}

}  // namespace

TestDatabase::TestDatabase(Engine engine, Schema, DatabaseOptions options) : options_(with_defaults(std::move(options))) {
  create(engine, nullptr);
  db_.emplace(Database::open(url_, options_));
}

TestDatabase::TestDatabase(Engine engine, const DatabaseTemplate& made_by, DatabaseOptions options)
    : options_(with_defaults(std::move(options))) {
  create(engine, &made_by);
  db_.emplace(Database::open(url_, options_));
}

TestDatabase::TestDatabase(Engine engine, const ScratchSql& sql, DatabaseOptions options)
    : TestDatabase(engine, Schema::none, std::move(options)) {
  const std::string& script = engine == Engine::sqlite ? sql.sqlite : sql.postgres;
  db_->write([&](Write& tx) { tx.session().run_script("test.scratch", script); });
}

TestDatabase::~TestDatabase() {
  db_.reset();
  if (name_.empty()) return;
  try {
    run_as_admin("drop database if exists " + name_ + " with (force)");
  } catch (const std::exception&) {
    // The server may have been killed by the test; what is left goes with its folder.
  }
}

void TestDatabase::create(Engine engine, const DatabaseTemplate* made_by) {
  if (engine == Engine::sqlite) {
    const auto file = folder_ / "test.db";
    if (made_by) copy_sqlite_template(*made_by, file);
    url_ = "sqlite:" + file.string();
    return;
  }
  std::string name = fresh_name();
  if (made_by) {
    copy_postgres_template(*made_by, name);
  } else {
    run_as_admin("create database " + name);
  }
  name_ = std::move(name);
  url_ = url_of_database(PrivateCluster::shared_url(), name_);
}

DatabaseOptions TestDatabase::with_defaults(DatabaseOptions options) const {
  if (!options.clock) options.clock = clock_;
  if (!options.random) options.random = std::make_shared<SeededRandom>(kSeed);
  return options;
}

Database TestDatabase::open(DatabaseOptions options) const {
  return Database::open(url_, with_defaults(std::move(options)));
}

void TestDatabase::reopen() {
  db_.reset();
  db_.emplace(Database::open(url_, options_));
}

}  // namespace quarry::test
