#include "cli/interrupt.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace quarry::cli {
namespace {

TEST(InterruptSignals, TheFirstAsksForAnEnd) {
  const Interrupt interrupt;
  EXPECT_EQ(interrupt.signal(), 0);
  ASSERT_EQ(std::raise(SIGTERM), 0);
  // The limit is only there so that a broken build ends.
  for (int i = 0; i < 20'000 && !interrupt.token().stop_requested(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(interrupt.token().stop_requested());
  EXPECT_EQ(interrupt.signal(), SIGTERM);
}

TEST(InterruptSignals, EachOneBeginsAnew) {
  { const Interrupt unused; }
  const Interrupt interrupt;
  EXPECT_FALSE(interrupt.token().stop_requested());
  EXPECT_EQ(interrupt.signal(), 0);
}

TEST(InterruptSignalsDeathTest, TheSecondEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const Interrupt interrupt;
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      testing::ExitedWithCode(130), "");
}

TEST(InterruptSignals, ATerminalThatGoesMaySaySoTwice) {
  const auto before = std::signal(SIGHUP, SIG_DFL);  // whoever runs these tests may have it ignored
  {
    const Interrupt interrupt;
    std::raise(SIGHUP);
    std::raise(SIGHUP);
    EXPECT_EQ(ended_by(interrupt.signal()), ExitCode::hung_up);
    std::raise(SIGTERM);
    EXPECT_EQ(ended_by(interrupt.signal()), ExitCode::terminated) << "which has not ended the process either";
    std::raise(SIGHUP);
  }
  std::signal(SIGHUP, before);
}

TEST(InterruptSignalsDeathTest, AfterwardsTheSystemDecidesAgain) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        { const Interrupt interrupt; }
        std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace quarry::cli
