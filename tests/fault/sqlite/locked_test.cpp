/// Another process holds the SQLite file for seconds while 32 threads work: a migration of ours that holds the gate, or a
/// program that knows nothing of the gate. Readers do not notice; every write is answered by its deadline; writes go on as
/// soon as it lets go, or is killed.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

#include "fault/crowd.hpp"
#include "quarry/core/error.hpp"
#include "quarry/sql/backend.hpp"
#include "support/error_of.hpp"
#include "support/process.hpp"
#include "support/test_database.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr sql::Query<std::int64_t()> ids{"test.ids", "select id from done"};

/// Run in a process of its own, by the tests below.
TEST(LockHolder, Holds) {
  const char* const path = std::getenv("QUARRY_CHILD_PATH");
  if (!path) GTEST_SKIP() << "runs in a child process of the other tests";
  const bool knows_gate = std::getenv("QUARRY_CHILD_GATE") != nullptr;
  std::unique_ptr<sql::DedicatedSession> ours;
  if (knows_gate) {
    ours = Database::open(std::string("sqlite:") + path).backend().dedicated();
    ours->session().run_script("test.hold", "begin immediate");
  } else {
    sqlite3* foreign = nullptr;
    ASSERT_EQ(sqlite3_open(path, &foreign), SQLITE_OK);
    sqlite3_busy_timeout(foreign, 10'000);
    ASSERT_EQ(sqlite3_exec(foreign, "begin exclusive; insert into done values (-1)", nullptr, nullptr, nullptr), SQLITE_OK);
  }
  std::cout << "holds it" << std::endl;
  std::this_thread::sleep_for(1min);
}

Process start_holder(const TestDatabase& database, bool knows_gate) {
  Command command{.program = "/proc/self/exe", .args = {"--gtest_filter=LockHolder.Holds"}};
  command.environment["QUARRY_CHILD_PATH"] = database.url().substr(std::string("sqlite:").size());
  if (knows_gate) command.environment["QUARRY_CHILD_GATE"] = "1";
  return Process::start(command);
}

class SqliteLocked : public testing::TestWithParam<bool> {
 protected:
  TestDatabase database{Engine::sqlite, ScratchSql{.sqlite = "create table done (id integer primary key) strict"}};
  Database& db() { return database.db(); }
};

std::string holder_name(const testing::TestParamInfo<bool>& info) {
  return info.param ? "ByAMigration" : "ByAForeignProgram";
}
INSTANTIATE_TEST_SUITE_P(, SqliteLocked, testing::Bool(), holder_name);

TEST_P(SqliteLocked, EveryCallIsAnsweredByItsDeadline) {
  std::mutex mutex;
  std::set<std::int64_t> acknowledged;
  std::vector<steady_clock::time_point> written;
  std::vector<std::string> wrong;
  steady_clock::duration latest{};
  int refused = 0;
  steady_clock::time_point held, freed;
  {
    auto holder = start_holder(database, GetParam());
    holder.wait_for_output("holds it");
    held = steady_clock::now();
    const Crowd crowd([&](std::int64_t id, bool writes, milliseconds limit) {
      const auto deadline = steady_clock::now() + limit;
      std::string trouble;
      try {
        if (writes)
          db().write({.deadline = limit}, [&](Write& tx) { tx.run(add_done, id); });
        else
          db().read({.deadline = limit}, [](Read& tx) { tx.value(ask_done); });
      } catch (const Error& error) {
        const bool expected = writes && (error.code() == ErrorCode::busy || error.code() == ErrorCode::timeout);
        trouble = expected ? "busy" : std::string(error.what()) + " " + error.engine_message();
      }
      const std::scoped_lock lock(mutex);
      latest = std::max(latest, steady_clock::now() - deadline);
      if (trouble == "busy")
        ++refused;
      else if (!trouble.empty())
        wrong.push_back(trouble);
      else if (writes)
        acknowledged.insert(id), written.push_back(steady_clock::now());
    });
    std::this_thread::sleep_for(2s);
    holder.kill();
    freed = steady_clock::now();
    std::this_thread::sleep_for(1500ms);
  }
  for (const auto& text : wrong) ADD_FAILURE() << text;
  EXPECT_GE(refused, crowd_threads);
  EXPECT_LE(latest, scheduling);
  ASSERT_FALSE(written.empty());
  EXPECT_LE(*std::min_element(written.begin(), written.end()) - freed, 1s);
  EXPECT_GT(*std::min_element(written.begin(), written.end()), held + 2s) << "it was not locked";
  std::set<std::int64_t> stored;
  db().read([&](Read& tx) {
    for (const auto id : tx.all(ids)) stored.insert(id);
  });
  EXPECT_EQ(stored, acknowledged);
}

TEST_P(SqliteLocked, AWriteWaitsForTheBusyTimeoutAndNoLonger) {
  const auto patient = database.open();
  const auto impatient = database.open({.busy_timeout = 200ms});
  auto holder = start_holder(database, GetParam());
  holder.wait_for_output("holds it");
  const auto began = steady_clock::now();
  const auto error = error_of([&] { impatient.write([](Write& tx) { tx.run(add_done, 1); }); });
  EXPECT_EQ(error.code(), ErrorCode::busy);
  EXPECT_TRUE(error.retryable());
  EXPECT_GE(steady_clock::now() - began, 200ms);
  EXPECT_LE(steady_clock::now() - began, 200ms + scheduling);
  std::jthread killer([&] {
    std::this_thread::sleep_for(200ms);
    holder.signal(SIGKILL);
  });
  EXPECT_NO_THROW(patient.write([](Write& tx) { tx.run(add_done, 2); }));
}

}  // namespace
}  // namespace quarry::test
