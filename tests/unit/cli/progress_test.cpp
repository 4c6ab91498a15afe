#include "cli/progress.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace quarry::cli {
namespace {

using namespace std::chrono_literals;

TEST(ProgressLine, SaysWhatIsKnown) {
  EXPECT_EQ(progress_line({.done = 123, .known = 1058, .bytes = 12'300'000, .errors = 1}, 411.6),
            "123 of 1058 pages, 412 pages/s, 12.3 MB, 1 error");
  EXPECT_EQ(progress_line({.done = 5, .known = 0, .bytes = 0, .errors = 0}, 0.25), "5 pages, 0.2 pages/s, 0 B, 0 errors");
  EXPECT_EQ(progress_line({.done = 5, .known = 9, .waits = "1 task waits for a host"}, 0),
            "5 of 9 pages, 0 errors: 1 task waits for a host");
}

TEST(SpeedOverTime, IsThatOfTheLastSeconds) {
  Speed speed;
  const Speed::TimePoint begin{};
  EXPECT_EQ(speed.per_second(), 0);
  speed.add(begin, 0);
  speed.add(begin, 10);  // no time has passed
  EXPECT_EQ(speed.per_second(), 0);
  for (int second = 1; second <= 10; ++second) speed.add(begin + std::chrono::seconds(second), second * 100);
  EXPECT_DOUBLE_EQ(speed.per_second(), 100);
  // Nothing for a while: the speed falls to nothing, however much was done before.
  for (int second = 11; second <= 20; ++second) speed.add(begin + std::chrono::seconds(second), 1000);
  EXPECT_DOUBLE_EQ(speed.per_second(), 0);
}

TEST(ProgressThread, SaysNothingWithJson) {
  std::ostringstream out, err;
  Console console(out, err, {.err_width = 80});
  console.set_json(true);
  int asked = 0;
  {
    const Progress progress(console, [&] { return ++asked, ProgressFigures{}; });
  }
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(err.str() + out.str(), "");
}

TEST(ProgressThread, LeavesTheTerminalsLineEmpty) {
  std::ostringstream out, err;
  Console console(out, err, {.err_width = 80});
  {
    const Progress progress(console, [] { return ProgressFigures{}; });
  }
  EXPECT_TRUE(err.str().ends_with("\r\x1b[K"));
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace quarry::cli
