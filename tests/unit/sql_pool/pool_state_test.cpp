#include "sql/pool/pool_state.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>

namespace quarry::sql {
namespace {

using Act = PoolState::Act;
using namespace std::chrono_literals;

constexpr PoolLimits small{.connections_min = 1,
                           .connections_max = 2,
                           .waiters_max = 2,
                           .age_max = 1000s,
                           .idle_before_check = 10s,
                           .idle_max = 100s};

class PoolStateTest : public ::testing::Test {
 protected:
  PoolState state{small};
  PoolState::Time now{1h};

  PoolState::Slot open_one(std::uint64_t random = 0) {
    const auto decision = state.acquire(now);
    EXPECT_EQ(decision.act, Act::open);
    state.opened(decision.slot, now, random);
    return decision.slot;
  }
};

TEST_F(PoolStateTest, OpensUpToTheLimitThenWaitsThenRefuses) {
  open_one();
  open_one();
  EXPECT_EQ(state.acquire(now).act, Act::wait);
  EXPECT_EQ(state.acquire(now).act, Act::wait);
  EXPECT_EQ(state.acquire(now).act, Act::refuse);
  EXPECT_EQ(state.counts().waiters, 2u);
  EXPECT_EQ(state.counts().busy, 2u);
}

TEST_F(PoolStateTest, ServesWaitersInOrder) {
  const auto a = open_one();
  const auto b = open_one();
  const auto first = state.acquire(now).ticket;
  const auto second = state.acquire(now).ticket;
  const auto released = state.release(b, true, now);
  ASSERT_TRUE(released.grant);
  EXPECT_EQ(released.grant->ticket, first);
  EXPECT_EQ(released.grant->act, Act::use);
  EXPECT_EQ(released.grant->slot, b);
  EXPECT_EQ(state.release(a, true, now).grant->ticket, second);
}

TEST_F(PoolStateTest, ReusesTheConnectionThatCameBackLast) {
  const auto a = open_one();
  const auto b = open_one();
  state.release(a, true, now);
  state.release(b, true, now);
  EXPECT_EQ(state.acquire(now).slot, b);
  EXPECT_EQ(state.acquire(now).slot, a);
}

TEST_F(PoolStateTest, ProbesWhatRestedLong) {
  const auto a = open_one();
  state.release(a, true, now);
  now += 9s;
  EXPECT_EQ(state.acquire(now).act, Act::use);
  state.release(a, true, now);
  now += 10s;
  EXPECT_EQ(state.acquire(now).act, Act::check);
}

TEST_F(PoolStateTest, OneDeadConnectionMakesTheOthersSuspect) {
  const auto a = open_one();
  const auto b = open_one();
  state.release(a, true, now);
  now += 1s;
  EXPECT_EQ(state.release(b, false, now).what, PoolState::Release::close);
  EXPECT_FALSE(state.closed(b, now));
  EXPECT_EQ(state.acquire(now).act, Act::check) << "rested for a second only, but its neighbour broke";
}

TEST_F(PoolStateTest, AFailedProbeKeepsTheSlotForItsCaller) {
  const auto a = open_one();
  state.release(a, true, now);
  now += 20s;
  ASSERT_EQ(state.acquire(now).act, Act::check);
  state.check_failed(a, now);
  EXPECT_EQ(state.counts().opening, 1u);
  state.opened(a, now, 0);
  EXPECT_EQ(state.counts().busy, 1u);
}

TEST_F(PoolStateTest, AFailedOpenPassesTheSlotOnAndLeavesTheOthersWaiting) {
  const auto a = state.acquire(now).slot;
  const auto b = state.acquire(now).slot;
  const auto first = state.acquire(now).ticket;
  const auto second = state.acquire(now).ticket;
  const auto grant = state.open_failed(a, now);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->ticket, first);
  EXPECT_EQ(grant->act, Act::open);
  EXPECT_EQ(state.counts().waiters, 1u);
  EXPECT_EQ(state.open_failed(b, now)->ticket, second);
}

TEST_F(PoolStateTest, ASlotIsEmptyOnlyOnceItsConnectionIsClosed) {
  const auto a = open_one();
  open_one();
  EXPECT_EQ(state.release(a, false, now).what, PoolState::Release::close);
  const auto waiter = state.acquire(now);
  EXPECT_EQ(waiter.act, Act::wait) << "a third socket would exist while the first one is being closed";
  const auto grant = state.closed(a, now);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->ticket, waiter.ticket);
  EXPECT_EQ(grant->act, Act::open);
}

TEST_F(PoolStateTest, AgesWithJitter) {
  const auto a = open_one(99'999);  // of 100'000 ms: almost a tenth off
  const auto b = open_one(0);
  now += 901s;
  EXPECT_EQ(state.release(a, true, now).what, PoolState::Release::close);
  EXPECT_EQ(state.release(b, true, now).what, PoolState::Release::keep);
  now += 99s;
  EXPECT_EQ(state.acquire(now).act, Act::replace);
}

TEST_F(PoolStateTest, ANewGenerationDropsWhatWasOpenedBefore) {
  const auto a = open_one();
  const auto b = open_one();
  state.release(a, true, now);
  state.bump_generation();
  EXPECT_EQ(state.prune(now), std::vector<PoolState::Slot>{a});
  state.closed(a, now);
  EXPECT_EQ(state.release(b, true, now).what, PoolState::Release::close);
  state.closed(b, now);
  const auto c = open_one();
  EXPECT_EQ(state.release(c, true, now).what, PoolState::Release::keep);
}

TEST_F(PoolStateTest, ClosesSpareConnectionsThatRestTooLong) {
  const auto a = open_one();
  const auto b = open_one();
  state.release(a, true, now);
  state.release(b, true, now);
  now += 99s;
  EXPECT_TRUE(state.prune(now).empty());
  now += 1s;
  EXPECT_EQ(state.prune(now), std::vector<PoolState::Slot>{a}) << "one is kept";
  state.closed(a, now);
  EXPECT_EQ(state.counts().open, 1u);
}

TEST_F(PoolStateTest, GivingUpLeavesTheQueue) {
  const auto a = open_one();
  open_one();
  const auto first = state.acquire(now).ticket;
  const auto second = state.acquire(now).ticket;
  EXPECT_TRUE(state.give_up(first));
  EXPECT_EQ(state.release(a, true, now).grant->ticket, second);
  EXPECT_FALSE(state.give_up(second)) << "it was granted meanwhile";
}

TEST_F(PoolStateTest, SaysWhoHoldsTheConnections) {
  const auto a = open_one();
  now += 2s;
  const auto b = open_one();
  state.note(a, "report.yearly");
  state.note(b, std::string(100, 'x'));
  state.acquire(now);
  now += 500ms;
  EXPECT_EQ(state.describe(now), "2 of 2 connections are in use, the longest for 2.5 s (report.yearly), and 1 callers wait");
}

/// Random events against the state; what it has granted is remembered beside it, and the invariants of the header hold after
/// each.
class RandomPool {
 public:
  explicit RandomPool(unsigned seed) : random_(seed) {}

  void step() {
    now_ += std::chrono::seconds(random_() % 4);
    switch (random_() % 7) {
      case 0:
      case 1:
        acquire();
        break;
      case 2:
        end_opening();
        break;
      case 3:
        give_back();
        break;
      case 4:
        if (!closing_.empty()) granted(state_.closed(pick(closing_), now_));
        break;
      case 5:
        for (const auto slot : state_.prune(now_)) ASSERT_TRUE(closing_.insert(slot).second);
        if (random_() % 10 == 0) state_.bump_generation();
        break;
      case 6:
        give_up();
        break;
    }
  }

  void check() const {
    const auto counts = state_.counts();
    ASSERT_LE(counts.open + counts.opening + closing_.size(), 3u);
    ASSERT_EQ(counts.waiters, waiting_.size());
    ASSERT_EQ(counts.busy, busy_.size());
    if (waiting_.empty()) return;
    ASSERT_EQ(counts.idle, 0u);
    ASSERT_EQ(busy_.size() + opening_.size() + closing_.size(), 3u) << "somebody waits beside an empty slot";
  }

 private:
  void acquire() {
    const auto decision = state_.acquire(now_);
    switch (decision.act) {
      case Act::use:
        ASSERT_TRUE(busy_.insert(decision.slot).second);
        break;
      case Act::check:
        if (random_() % 2) {
          ASSERT_TRUE(busy_.insert(decision.slot).second);
        } else {
          state_.check_failed(decision.slot, now_);
          ASSERT_TRUE(opening_.insert(decision.slot).second);
        }
        break;
      case Act::open:
      case Act::replace:
        ASSERT_TRUE(opening_.insert(decision.slot).second);
        break;
      case Act::wait:
        waiting_.push_back(decision.ticket);
        break;
      case Act::refuse:
        ASSERT_EQ(waiting_.size(), 4u);
        break;
    }
  }
  void end_opening() {
    if (opening_.empty()) return;
    const auto slot = pick(opening_);
    if (random_() % 3 == 0) return granted(state_.open_failed(slot, now_));
    state_.opened(slot, now_, random_());
    busy_.insert(slot);
  }
  void give_back() {
    if (busy_.empty()) return;
    const auto slot = pick(busy_);
    const auto released = state_.release(slot, random_() % 4 != 0, now_);
    if (released.what == PoolState::Release::close) closing_.insert(slot);
    granted(released.grant);
  }
  void give_up() {
    if (waiting_.empty()) return;
    ASSERT_TRUE(state_.give_up(waiting_.back()));
    waiting_.pop_back();
  }
  void granted(const std::optional<PoolState::Grant>& grant) {
    if (!grant) return;
    ASSERT_FALSE(waiting_.empty());
    ASSERT_EQ(grant->ticket, waiting_.front());
    waiting_.pop_front();
    (grant->act == Act::open ? opening_ : busy_).insert(grant->slot);
  }
  PoolState::Slot pick(std::set<PoolState::Slot>& from) {
    const auto it = std::next(from.begin(), static_cast<long>(random_() % from.size()));
    const auto slot = *it;
    from.erase(it);
    return slot;
  }

  std::mt19937 random_;
  PoolState state_{{.connections_min = 1,
                    .connections_max = 3,
                    .waiters_max = 4,
                    .age_max = 50s,
                    .idle_before_check = 5s,
                    .idle_max = 20s}};
  PoolState::Time now_{1h};
  std::set<PoolState::Slot> busy_, opening_, closing_;
  std::deque<PoolState::Ticket> waiting_;
};

TEST(PoolStateProperty, NeverExceedsItsLimitsAndForgetsNobody) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    RandomPool pool(seed);
    for (int step = 0; step < 400; ++step) {
      pool.step();
      pool.check();
      if (HasFatalFailure()) FAIL() << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace quarry::sql
