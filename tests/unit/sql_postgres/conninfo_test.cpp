#include "sql/postgres/conninfo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quarry/core/error.hpp"

namespace quarry::sql::postgres_driver {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string shown(std::string_view url) { return parse_url(url, {}).display_url; }

TEST(Conninfo, ShowsTheUrlWithoutItsSecrets) {
  EXPECT_EQ(shown("postgresql://ada:secret@db.example.org:5433/quarry"), "postgresql://ada@db.example.org:5433/quarry");
  EXPECT_EQ(shown("postgres://db/quarry?password=secret&application_name=x"), "postgresql://db/quarry?application_name=x");
  EXPECT_THAT(shown("postgresql://db/quarry?sslpassword=secret&sslmode=require"), Not(HasSubstr("secret")));
  EXPECT_EQ(shown("postgresql://a:1,b:2/quarry?target_session_attrs=read-write"),
            "postgresql://a:1,b:2/quarry?target_session_attrs=read-write");
  EXPECT_EQ(shown("postgresql:///quarry?host=/run/pg&user=ada&password=x"), "postgresql://ada@/quarry?host=/run/pg");
}

TEST(Conninfo, TellsWhatIsWrongWithoutRepeatingThePassword) {
  for (const auto* url : {"postgresql://ada:secret@[::1/quarry", "postgresql://ada:secret@db/quarry?no_such=1",
                          "postgresql://ada:secret%zz@db/quarry", "http://ada:secret@db"}) {
    try {
      parse_url(url, {});
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid);
      EXPECT_THAT(error.client_message(), Not(HasSubstr("secret")));
      EXPECT_THAT(error.engine_message(), Not(HasSubstr("secret")));
    }
  }
  try {
    parse_url("postgresql://db/quarry?no_such=1", {});
  } catch (const Error& error) {
    EXPECT_THAT(error.client_message(), HasSubstr("no_such"));
  }
}

TEST(Conninfo, TheUrlsOwnOptionsComeLastAndWin) {
  DatabaseOptions options;
  options.statement_timeout = std::chrono::milliseconds(1234);
  const auto settings = parse_url("postgresql://db/quarry?options=-c%20statement_timeout%3D5", options);
  EXPECT_THAT(settings.server_options, HasSubstr("-c statement_timeout=1234"));
  EXPECT_THAT(settings.server_options, testing::EndsWith(" -c statement_timeout=5"));
}

TEST(Conninfo, APoolerIsToldNothingAtTheStart) {
  DatabaseOptions options;
  options.server_prepare = false;
  EXPECT_EQ(parse_url("postgresql://db/quarry", options).server_options, "");
}

TEST(Conninfo, KnowsTheServersWhereThereAreSeveral) {
  EXPECT_TRUE(parse_url("postgresql://a:1/quarry", {}).servers.empty());
  const auto own_ports = parse_url("postgresql://a:1,b:2/quarry?connect_timeout=7", {});
  ASSERT_EQ(own_ports.servers.size(), 2u);
  EXPECT_EQ(own_ports.servers[1].host, "b");
  EXPECT_EQ(own_ports.servers[1].port, "2");
  EXPECT_EQ(own_ports.connect_timeout, std::chrono::seconds(7));
  const auto one_port = parse_url("postgresql:///quarry?host=a,/run/b&port=5433", {});
  ASSERT_EQ(one_port.servers.size(), 2u);
  EXPECT_EQ(one_port.servers[0].port, "5433");
}

}  // namespace
}  // namespace quarry::sql::postgres_driver
