/// Looks that hang are left alone, and there are never more of them than so many.

#include "ops/health/aside.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using ops::health::Aside;

/// What a file system is that does not answer, until it does.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return is_open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;
};

std::optional<ErrorCode> failure(Aside& aside, const std::shared_ptr<Gate>& gate) {
  try {
    aside.run(1ms, "late", [gate] {
      gate->wait();
      return 1;
    });
    return std::nullopt;
  } catch (const Error& error) {
    EXPECT_EQ(error.client_message(), "late");
    return error.code();
  }
}

TEST(HealthAside, ReturnsWhatIsSeenAndThrowsWhatIsThrown) {
  Aside aside(1);
  EXPECT_EQ(aside.run(1h, "late", [] { return 7; }), 7);
  while (aside.running() > 0) std::this_thread::yield();
  EXPECT_THROW(aside.run(1h, "late", []() -> int { throw_invalid("no"); }), Error);
}

TEST(HealthAside, LeavesNoMoreThreadsHangingThanItMay) {
  const auto gate = std::make_shared<Gate>();
  Aside aside(3);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(failure(aside, gate), ErrorCode::timeout);
    EXPECT_LE(aside.running(), 3);
  }
  EXPECT_EQ(aside.running(), 3);
  gate->open();
  while (aside.running() > 0) std::this_thread::yield();
  EXPECT_EQ(aside.run(1h, "late", [] { return 7; }), 7) << "it answers again";
}

}  // namespace
}  // namespace quarry::test
