/// LISTEN on its own connection: shared, and made anew when it breaks.

#include <condition_variable>
#include <mutex>
#include <thread>

#include "conformance/sql_postgres/postgres_test.hpp"

namespace quarry::test {
namespace {

/// Counts wake-ups. The limit is only there so that a broken build ends.
class Bell {
 public:
  void ring() {
    const std::scoped_lock lock(mutex_);
    ++rings_;
    changed_.notify_all();
  }
  bool wait_for(int rings) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return rings_ >= rings; });
  }
  int rings() {
    const std::scoped_lock lock(mutex_);
    return rings_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int rings_ = 0;
};

class PostgresListener : public PostgresTest {
 protected:
  std::vector<std::string> listeners() {
    return ask(
        "select pid::text from pg_stat_activity where datname = current_database() and query like '%listen%' and pid <> "
        "pg_backend_pid()");
  }
  void notify(std::string_view channel) {
    db().write([&](Write& tx) { tx.notify(channel); });
  }
};

TEST_F(PostgresListener, SubscribersShareOneConnectionAndHearTheirChannels) {
  Bell a, b, other;
  const auto first = db().backend().subscribe("news", [&] { a.ring(); });
  const auto second = db().backend().subscribe("news", [&] { b.ring(); });
  const auto third = db().backend().subscribe("a \"strange\" channel", [&] { other.ring(); });
  ASSERT_TRUE(a.wait_for(1) && b.wait_for(1) && other.wait_for(1)) << "each is woken once when its channel is heard";
  EXPECT_EQ(listeners().size(), 1U);
  const int before = other.rings();
  notify("a \"strange\" channel");
  EXPECT_TRUE(other.wait_for(before + 1));
  const int rings_a = a.rings(), rings_b = b.rings();
  notify("news");
  EXPECT_TRUE(a.wait_for(rings_a + 1));
  EXPECT_TRUE(b.wait_for(rings_b + 1));
}

TEST_F(PostgresListener, HearsWhatComesWhileAnotherSubscriptionEnds) {
  Bell bell, other;
  const auto subscription = db().backend().subscribe("news", [&] { bell.ring(); });
  for (int round = 0; round < 60; ++round) {
    const int rings_other = other.rings();
    auto ends = db().backend().subscribe("other " + std::to_string(round), [&] { other.ring(); });
    ASSERT_TRUE(other.wait_for(rings_other + 1));
    const int rings = bell.rings();
    std::thread ender([&] {
      // So that each round meets another moment of the exchange.
      for (int turn = 0; turn < round; ++turn) std::this_thread::yield();
      ends.reset();
    });
    notify("news");
    ender.join();
    ASSERT_TRUE(bell.wait_for(rings + 1)) << "round " << round;
  }
}

TEST_F(PostgresListener, ComesBackAndWakesOnceAfterItsConnectionWasKilled) {
  Bell bell;
  const auto subscription = db().backend().subscribe("news", [&] { bell.ring(); });
  ASSERT_TRUE(bell.wait_for(1));
  for (int round = 0; round < 2; ++round) {
    const auto before = listeners();
    ASSERT_EQ(before.size(), 1U);
    const int rings = bell.rings();
    terminate(std::stoll(before[0]));
    ASSERT_TRUE(bell.wait_for(rings + 1)) << "something may have been missed meanwhile";
    notify("news");
    ASSERT_TRUE(bell.wait_for(rings + 2));
  }
}

TEST_F(PostgresListener, NothingIsHeardOfATransactionThatRollsBack) {
  Bell bell;
  const auto subscription = db().backend().subscribe("news", [&] { bell.ring(); });
  ASSERT_TRUE(bell.wait_for(1));
  const int before = bell.rings();
  EXPECT_THROW(db().write([&](Write& tx) {
    tx.notify("news");
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  db().write([&](Write& tx) {
    EXPECT_THROW(tx.attempt([&] {
      tx.notify("news");
      throw std::runtime_error("no");
    }),
                 std::runtime_error);
  });
  // What comes after them on the same connection comes later: one ring, and not two or three.
  notify("news");
  ASSERT_TRUE(bell.wait_for(before + 1));
  EXPECT_EQ(bell.rings(), before + 1);
}

TEST_F(PostgresListener, AnAnnouncementThatWasUndoneCanBeMadeAgain) {
  Bell bell;
  const auto subscription = db().backend().subscribe("news", [&] { bell.ring(); });
  ASSERT_TRUE(bell.wait_for(1));
  const int before = bell.rings();
  db().write([&](Write& tx) {
    EXPECT_THROW(tx.attempt([&] {
      tx.notify("news");
      pid(tx);  // sends it
      throw std::runtime_error("no");
    }),
                 std::runtime_error);
    tx.notify("news");
  });
  EXPECT_TRUE(bell.wait_for(before + 1));
}

TEST_F(PostgresListener, ASubscriptionMayEndInsideItsOwnCallback) {
  Bell bell;
  std::unique_ptr<sql::Subscription> subscription;
  std::mutex made;
  {
    const std::scoped_lock lock(made);
    subscription = db().backend().subscribe("news", [&] {
      const std::scoped_lock wait(made);
      subscription.reset();
      bell.ring();
    });
  }
  ASSERT_TRUE(bell.wait_for(1));
  notify("news");
  EXPECT_EQ(bell.rings(), 1);
}

}  // namespace
}  // namespace quarry::test
