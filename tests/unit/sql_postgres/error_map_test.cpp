#include "sql/postgres/error_map.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quarry::sql::postgres_driver {
namespace {

using testing::HasSubstr;
using testing::Not;

Error error_for(std::string state) {
  ServerReport report;
  report.sqlstate = std::move(state);
  report.message = "server words with row data";
  return make_error(report);
}

struct Case {
  const char* state;
  ErrorCode code;
  bool retryable;
  bool poisons;
};

class ErrorMap : public testing::TestWithParam<Case> {};

TEST_P(ErrorMap, SaysWhatToDo) {
  const auto& expected = GetParam();
  const Error error = error_for(expected.state);
  EXPECT_EQ(error.code(), expected.code) << to_string(error.code());
  EXPECT_EQ(error.retryable(), expected.retryable);
  EXPECT_EQ(error.poisons_connection(), expected.poisons);
  EXPECT_EQ(error.sqlstate(), expected.state);
  EXPECT_FALSE(error.outcome_unknown());
  EXPECT_THAT(error.client_message(), Not(HasSubstr("server words")));
  EXPECT_EQ(error.engine_message(), "server words with row data");
}

INSTANTIATE_TEST_SUITE_P(
    States, ErrorMap,
    testing::Values(Case{"40001", ErrorCode::conflict, true, false}, Case{"40P01", ErrorCode::conflict, true, false},
                    Case{"40002", ErrorCode::conflict, false, false}, Case{"23505", ErrorCode::constraint, false, false},
                    Case{"23502", ErrorCode::constraint, false, false}, Case{"23P01", ErrorCode::constraint, false, false},
                    Case{"08006", ErrorCode::unavailable, true, true}, Case{"08P01", ErrorCode::bug, false, false},
                    Case{"57P01", ErrorCode::unavailable, true, true}, Case{"57P03", ErrorCode::unavailable, true, true},
                    Case{"57014", ErrorCode::timeout, false, false}, Case{"55P03", ErrorCode::busy, false, false},
                    Case{"42501", ErrorCode::denied, false, false}, Case{"25006", ErrorCode::denied, false, false},
                    Case{"28P01", ErrorCode::denied, false, true}, Case{"3D000", ErrorCode::unavailable, false, true},
                    Case{"53300", ErrorCode::unavailable, false, true}, Case{"53100", ErrorCode::unavailable, false, false},
                    Case{"22001", ErrorCode::invalid, false, false}, Case{"22P02", ErrorCode::invalid, false, false},
                    Case{"42601", ErrorCode::bug, false, false}, Case{"42P01", ErrorCode::bug, false, false},
                    Case{"XX001", ErrorCode::corrupt, false, false}, Case{"25P03", ErrorCode::timeout, false, true},
                    Case{"26000", ErrorCode::bug, true, false}, Case{"ZZ999", ErrorCode::bug, false, false}),
    [](const auto& tested) { return std::string("State") + tested.param.state; });

TEST(ErrorMapMessages, NameTheConstraintAndNoData) {
  ServerReport report;
  report.sqlstate = "23505";
  report.message = "duplicate key value (ada@example.org)";
  report.table = "users";
  report.constraint = "users_email_key";
  const Error error = make_error(report);
  EXPECT_THAT(error.client_message(), HasSubstr("'users_email_key' of table 'users'"));
  EXPECT_THAT(error.client_message(), Not(HasSubstr("ada")));
  report.sqlstate = "23502";
  report.column = "email";
  EXPECT_THAT(make_error(report).client_message(), HasSubstr("column 'email' of table 'users'"));
}

TEST(ErrorMapMessages, AFatalErrorPoisonsWhateverItsState) {
  ServerReport report;
  report.sqlstate = "42501";
  report.fatal = true;
  EXPECT_TRUE(make_error(report).poisons_connection());
}

TEST(ErrorMapMessages, WithoutAStateTheConnectionIsLost) {
  const Error error = make_error({});
  EXPECT_EQ(error.code(), ErrorCode::unavailable);
  EXPECT_TRUE(error.retryable());
  EXPECT_TRUE(error.poisons_connection());
}

TEST(ErrorMapMessages, OnlyARevalidatedPlanIsStaleAmongUnsupportedFeatures) {
  ServerReport report;
  report.sqlstate = "0A000";
  EXPECT_FALSE(make_error(report).retryable());
  report.routine = "RevalidateCachedQuery";
  EXPECT_TRUE(is_stale_statement(report));
  EXPECT_TRUE(make_error(report).retryable());
}

TEST(ConnectError, ReadsTheStateOutOfLibpqsText) {
  const auto code = [](std::string_view message) { return connect_error("db:5432", message).code(); };
  EXPECT_EQ(code("connection to server at \"db\" failed: FATAL:  28P01: password authentication failed for user "
                 "\"u\"\nLOCATION: x"),
            ErrorCode::denied);
  EXPECT_EQ(code("FATAL:  3D000: database \"x\" does not exist"), ErrorCode::unavailable);
  EXPECT_EQ(code("connection refused"), ErrorCode::unavailable);
  const Error parameter = connect_error("db", "invalid sslmode value: \"sekret\"\n");
  EXPECT_EQ(parameter.code(), ErrorCode::invalid);
  EXPECT_THAT(parameter.client_message(), AllOf(HasSubstr("sslmode"), Not(HasSubstr("sekret"))));
  EXPECT_EQ(code("invalid port number: \"99999\""), ErrorCode::invalid);
  const Error starting = connect_error("db:5432, database 'q'", "FATAL:  57P03: the database system is starting up");
  EXPECT_TRUE(starting.retryable());
  EXPECT_THAT(starting.client_message(), HasSubstr("db:5432, database 'q'"));
  EXPECT_EQ(connect_error("x", "a: FATAL:  57P03: starting up\nb: FATAL:  28000: no entry").sqlstate(), "28000")
      << "the last host";
}

TEST(ConnectError, WhatLibpqFindsByItselfIsToldByItsCause) {
  const auto at = [](std::string_view cause) {
    return connect_error("db:5432", fmt::format("connection to server at \"db\", port 5432 failed: {}\n", cause));
  };
  struct Refused {
    const char* engine_says;
    ErrorCode code;
    const char* remedy;
  };
  for (const auto& [engine_says, code, remedy] : {
           Refused{"fe_sendauth: no password supplied", ErrorCode::denied, "~/.pgpass"},
           Refused{"server does not support SSL, but SSL was required", ErrorCode::unavailable, "sslmode"},
           Refused{"root certificate file \"/home/ada/.postgresql/root.crt\" does not exist", ErrorCode::unavailable,
                   "sslrootcert"},
           Refused{"SSL error: certificate verify failed", ErrorCode::unavailable, "sslrootcert"},
           Refused{"server certificate for \"a\" does not match host name \"b\"", ErrorCode::unavailable, "sslmode"},
           Refused{"session is not read-only", ErrorCode::unavailable, "target_session_attrs"},
           Refused{"session is read-only", ErrorCode::unavailable, "target_session_attrs"},
           Refused{"server is in hot standby mode", ErrorCode::unavailable, "target_session_attrs"},
           Refused{"server is not in hot standby mode", ErrorCode::unavailable, "target_session_attrs"},
       }) {
    const Error error = at(engine_says);
    EXPECT_EQ(error.code(), code) << engine_says;
    EXPECT_THAT(error.client_message(), AllOf(HasSubstr("at db:5432: "), HasSubstr(remedy), Not(HasSubstr("running"))))
        << engine_says;
    EXPECT_TRUE(error.poisons_connection());
  }
  EXPECT_THAT(at("could not translate host name \"db\" to address: Name or service not known").client_message(),
              HasSubstr("the host's name leads to no address"));
  EXPECT_THAT(at("Connection refused").client_message(), HasSubstr("is the server running there"));
}

}  // namespace
}  // namespace quarry::sql::postgres_driver
