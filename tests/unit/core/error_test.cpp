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

TEST(Error, RepeatsNoPassword) {
  const auto said = [](const char* text) { return Error(ErrorCode::invalid, text).client_message(); };
  EXPECT_EQ(said("--log 'postgresql://u:sekret@h/db': a level"), "--log 'postgresql://u:***@h/db': a level");
  EXPECT_EQ(said("there is no command 'postgresql:/u:sekret@h'"), "there is no command 'postgresql:/u:***@h'");
  EXPECT_EQ(said("postgresql:///db?user=u&password=sekret&port=1 or ftp://a:b:c@d"),
            "postgresql:///db?user=u&password=***&port=1 or ftp://a:***@d");
  EXPECT_EQ(said("http://host:80/a@b and http://user@host/x:y"), "http://host:80/a@b and http://user@host/x:y");
  EXPECT_STREQ(Error(ErrorCode::invalid, "x://u:sekret@h").what(), "x://u:***@h");
}

TEST(Error, RemembersTheInnermostQuery) {
  Error error(ErrorCode::busy, "busy");
  error.add_query("queue.claim").add_query("jobs.submit");
  EXPECT_EQ(error.query_name(), "queue.claim");
}

}  // namespace
}  // namespace quarry
