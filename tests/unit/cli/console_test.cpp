#include "cli/console.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <sstream>

#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

class ConsoleTest : public testing::Test {
 protected:
  std::ostringstream out_, err_;
  Console console_{out_, err_, {}};
};

TEST_F(ConsoleTest, TellsPeopleInWords) {
  console_.note("a line\nof two");
  EXPECT_EQ(err_.str().substr(0, 6), "a line");
  EXPECT_EQ(console_.report(Error(ErrorCode::not_found, "there is no job 'x'")), ExitCode::not_found);
  EXPECT_THAT(err_.str(), testing::EndsWith("quarry: there is no job 'x'\n"));
  EXPECT_EQ(out_.str(), "");
}

TEST_F(ConsoleTest, WhereTheLogIsJsonAllOfStandardErrorIs) {
  console_.set_structured_notes(true);
  console_.note("1 of 2 pages");
  console_.report(Error(ErrorCode::not_found, "there is no job \"x\""));
  std::istringstream lines(err_.str());
  std::vector<boost::json::object> events;
  for (std::string line; std::getline(lines, line);) events.push_back(boost::json::parse(line).as_object());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].at("level"), "info");
  EXPECT_EQ(events[0].at("message"), "1 of 2 pages");
  EXPECT_EQ(events[1].at("level"), "error");
  EXPECT_EQ(events[1].at("message"), "there is no job \"x\"");
}

}  // namespace
}  // namespace quarry::cli
