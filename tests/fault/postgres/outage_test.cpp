/// The server is away for seconds while 32 threads work: stopped, or hanging. Every call is answered by its deadline, work
/// goes on as soon as the server is back, nobody ever holds more connections than allowed, and what was acknowledged is
/// there.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "fault/crowd.hpp"
#include "fault/postgres/proxy.hpp"
#include "quarry/core/error.hpp"
#include "quarry/sql/database.hpp"
#include "support/postgres_admin.hpp"
#include "support/private_cluster.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t connections_max = 8;

/// What the threads have seen.
struct Tally {
  std::mutex mutex;
  std::set<std::int64_t> acknowledged, unknown;
  std::vector<steady_clock::time_point> successes;
  std::vector<std::string> wrong;
  milliseconds latest{0};  ///< after the deadline
  int failures = 0;

  void answered(steady_clock::time_point deadline) {
    latest = std::max(latest, std::chrono::duration_cast<milliseconds>(steady_clock::now() - deadline));
  }
};

void call(Database& db, Tally& tally, std::int64_t id, bool writes, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  try {
    if (writes)
      db.write({.deadline = limit}, [&](Write& tx) { tx.run(add_done, id); });
    else
      db.read({.deadline = limit}, [&](Read& tx) { tx.value(ask_done); });
    const std::scoped_lock lock(tally.mutex);
    tally.answered(deadline);
    tally.successes.push_back(steady_clock::now());
    if (writes) tally.acknowledged.insert(id);
  } catch (const Error& error) {
    const std::scoped_lock lock(tally.mutex);
    tally.answered(deadline);
    ++tally.failures;
    if (error.outcome_unknown()) tally.unknown.insert(id);
    const bool expected =
        error.code() == ErrorCode::unavailable || error.code() == ErrorCode::timeout || error.code() == ErrorCode::busy;
    if (!expected) tally.wrong.push_back(std::string(error.what()) + " " + error.engine_message());
  }
}

/// The server and all of its children, the server first so that it makes no more of them.
class Hang {
 public:
  explicit Hang(const PrivateCluster& cluster) {
    std::ifstream(cluster.folder() / "data" / "postmaster.pid") >> server_;
    ::kill(server_, SIGSTOP);
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const auto name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      std::ifstream stat(entry.path() / "stat");
      std::string pid, command, state;
      pid_t parent = 0;
      if (stat >> pid >> command >> state >> parent && parent == server_) children_.push_back(std::stoi(pid));
    }
    for (const pid_t child : children_) ::kill(child, SIGSTOP);
  }
  ~Hang() { end(); }
  void end() {
    for (const pid_t child : children_) ::kill(child, SIGCONT);
    ::kill(server_, SIGCONT);
    children_.clear();
  }

 private:
  pid_t server_ = 0;
  std::vector<pid_t> children_;
};

class ServerAway : public testing::Test {
 protected:
  void SetUp() override { run_on_postgres(cluster.url(), "create table done (id bigint primary key)"); }

  /// Works with all threads while `outage` goes on, which returns the moment when the server was back.
  void work_through(const std::function<steady_clock::time_point()>& outage) {
    auto db = Database::open(proxy.url("postgres"), {.connections_max = connections_max});
    steady_clock::time_point back;
    {
      const Crowd crowd([&](std::int64_t id, bool writes, milliseconds limit) { call(db, tally, id, writes, limit); });
      std::this_thread::sleep_for(300ms);
      back = outage();
      std::this_thread::sleep_for(1500ms);
    }
    expect_all_is_well(back);
  }

  void expect_all_is_well(steady_clock::time_point back) {
    for (const auto& text : tally.wrong) ADD_FAILURE() << text;
    EXPECT_GT(tally.failures, 0) << "the server was never missed: nothing was tested";
    EXPECT_LE(tally.latest, scheduling);
    EXPECT_LE(proxy.connections_most(), connections_max);
    EXPECT_GT(proxy.connections_most(), connections_max / 2) << "the connections are made elsewhere: nothing was counted";
    const auto first = std::find_if(tally.successes.begin(), tally.successes.end(), [&](auto at) { return at >= back; });
    ASSERT_NE(first, tally.successes.end());
    EXPECT_LE(*first - back, 1s);
    std::set<std::int64_t> stored;
    for (const auto& id : run_on_postgres(cluster.url(), "select id::text from done")) stored.insert(std::stoll(id));
    for (const auto id : tally.acknowledged) EXPECT_TRUE(stored.contains(id)) << id << " was acknowledged and is lost";
    for (const auto id : stored)
      EXPECT_TRUE(tally.acknowledged.contains(id) || tally.unknown.contains(id)) << id << " was told to have failed";
  }

  PrivateCluster cluster;
  PostgresProxy proxy{cluster.folder()};
  Tally tally;
};

TEST_F(ServerAway, StoppedForFiveSeconds) {
  work_through([&] {
    cluster.stop();
    std::this_thread::sleep_for(5s);
    cluster.start();
    return steady_clock::now();
  });
}

TEST_F(ServerAway, CrashedTwice) {
  work_through([&] {
    for (int i = 0; i < 2; ++i) {
      cluster.kill_immediate();
      std::this_thread::sleep_for(500ms);
      cluster.start();
    }
    return steady_clock::now();
  });
}

TEST_F(ServerAway, HangingForThreeSeconds) {
  work_through([&] {
    Hang hang(cluster);
    std::this_thread::sleep_for(3s);
    hang.end();
    return steady_clock::now();
  });
}

}  // namespace
}  // namespace quarry::test
