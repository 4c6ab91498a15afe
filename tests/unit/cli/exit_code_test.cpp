#include "cli/exit_code.hpp"

#include <gtest/gtest.h>

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <cctype>
#include <fstream>
#include <set>
#include <string>

#include "quarry/schema/error.hpp"

namespace quarry::cli {
namespace {

int code(const std::exception& error) { return static_cast<int>(exit_code_of(error)); }

// The numbers are a promise to scripts: whoever changes one here breaks them.
TEST(ExitCodes, OfErrors) {
  const std::pair<ErrorCode, int> promised[] = {
      {ErrorCode::unavailable, 69}, {ErrorCode::timeout, 75},   {ErrorCode::busy, 5},     {ErrorCode::conflict, 75},
      {ErrorCode::constraint, 65},  {ErrorCode::not_found, 66}, {ErrorCode::invalid, 64}, {ErrorCode::denied, 77},
      {ErrorCode::corrupt, 74},     {ErrorCode::bug, 70}};
  for (const auto& [error, number] : promised) EXPECT_EQ(code(Error(error, "x")), number) << to_string(error);
}

TEST(ExitCodes, OfTheSchema) {
  using schema::Reason;
  const std::pair<Reason, int> promised[] = {{Reason::not_initialised, 2}, {Reason::pending, 2},    {Reason::drift, 3},
                                             {Reason::checksum, 4},        {Reason::locked, 5},     {Reason::not_ours, 6},
                                             {Reason::newer, 7},           {Reason::data_loss, 77}, {Reason::failed, 1},
                                             {Reason::bad_set, 64}};
  for (const auto& [reason, number] : promised)
    EXPECT_EQ(code(schema::MigrationError(reason, "x")), number) << schema::to_string(reason);
}

TEST(ExitCodes, FiveWaysInWhichADatabaseCannotBeUsedAreToldApart) {
  const std::set<int> codes{code(Error(ErrorCode::invalid, "a malformed URL")),
                            code(CommandError(ExitCode::no_directory, ErrorCode::unavailable, "a missing directory")),
                            code(schema::MigrationError(schema::Reason::not_ours, "somebody else's")),
                            code(schema::MigrationError(schema::Reason::newer, "newer than the program")),
                            code(Error(ErrorCode::unavailable, "a server that is down"))};
  EXPECT_EQ(codes.size(), 5U);
}

TEST(ExitCodes, ThePageNamesEachOfThemAndNoOther) {
  std::set<int> in_source;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<ExitCode>>(
      [&](auto enumerator) { in_source.insert(static_cast<int>(enumerator.value)); });
  std::ifstream page(QUARRY_SOURCE_DIR "/docs/exit-codes.md");
  std::set<int> on_page;
  for (std::string line; std::getline(page, line);)
    if (line.starts_with("| ") && std::isdigit(static_cast<unsigned char>(line[2])) != 0)
      on_page.insert(std::stoi(line.substr(2)));
  EXPECT_EQ(on_page, in_source);
}

TEST(ExitCodes, WhatIsNotOursIsABug) { EXPECT_EQ(code(std::runtime_error("x")), 70); }

}  // namespace
}  // namespace quarry::cli
