#include "quarry/core/error.hpp"

#include <gtest/gtest.h>

namespace quarry {
namespace {

TEST(Error, KeepsTheEnginesWordsApartFromTheClients) {
  const Error error(ErrorCode::constraint, "this user name is taken", {"duplicate key (username)=(ada)", "23505", 0});
  EXPECT_STREQ(error.what(), "this user name is taken");
  EXPECT_EQ(error.engine_message(), "duplicate key (username)=(ada)");
  EXPECT_FALSE(error.retryable());
}

TEST(Error, RemembersTheInnermostQuery) {
  Error error(ErrorCode::busy, "busy");
  error.add_query("queue.claim").add_query("jobs.submit");
  EXPECT_EQ(error.query_name(), "queue.claim");
}

}  // namespace
}  // namespace quarry
