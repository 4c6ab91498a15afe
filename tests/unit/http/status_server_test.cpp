#include "quarry/http/status_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <future>
#include <sstream>

#include "quarry/core/error.hpp"

namespace quarry::http {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;
using testing::StartsWith;

std::string port_of(const StatusServer& server) { return server.url().substr(server.url().rfind(':') + 1); }

/// What comes back until the server closes.
std::string talk(const StatusServer& server, const std::string& bytes) {
  tcp::iostream stream("127.0.0.1", port_of(server));
  stream << bytes << std::flush;
  std::ostringstream all;
  all << stream.rdbuf();
  return all.str();
}
std::string get(const StatusServer& server, const std::string& target, const std::string& host = "localhost") {
  return talk(server, "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
}

std::vector<StatusPage> pages() {
  return {{"/metrics", [] { return StatusAnswer{.content_type = "text/plain; version=0.0.4", .body = "a 1\n"}; }},
          {"/live", [] { return StatusAnswer{.body = "yes\n"}; }, StatusPage::Cost::quick},
          {"/down",
           []() -> StatusAnswer {
             throw Error(ErrorCode::unavailable, "the server is down", {"secret words", "", 0});
           }},
          {"/bug", []() -> StatusAnswer { throw std::runtime_error("row data"); }}};
}

TEST(LoopbackAddress, IsAPortOrALoopbackAddressWithOne) {
  EXPECT_EQ(parse_loopback("9464").host, "127.0.0.1");
  EXPECT_EQ(parse_loopback("9464").port, 9464);
  EXPECT_EQ(parse_loopback("localhost:1").host, "127.0.0.1");
  EXPECT_EQ(parse_loopback("127.0.0.2:80").host, "127.0.0.2");
  EXPECT_EQ(parse_loopback("[::1]:9464").host, "::1");
}

TEST(LoopbackAddress, NothingElseIsListenedOn) {
  for (const auto* text :
       {"0.0.0.0:9464", "[::]:9464", "192.0.2.1:80", "example.org:80", "10.0.0.1:9464", "[::ffff:10.0.0.1]:1", "", ":",
        "70000", "-1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "[::1:9464", "9464 "}) {
    try {
      parse_loopback(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid);
      EXPECT_THAT(error.client_message(), HasSubstr(text));
    }
  }
}

TEST(StatusServer, ServesItsPages) {
  const StatusServer server(parse_loopback("0"), pages());
  const auto answer = get(server, "/metrics?x=1");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\na 1\n"));
  EXPECT_THAT(get(server, "/live", "127.0.0.1:9464"), testing::EndsWith("yes\n"));
  EXPECT_THAT(get(server, "/nothing"), testing::AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("/metrics")));
}

TEST(StatusServer, AConnectionServesSeveralRequests) {
  const StatusServer server(parse_loopback("0"), pages());
  const auto answers = talk(server,
                            "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"
                            "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
                            "GET /metrics HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answers, HasSubstr("yes\nHTTP/1.1 200"));
  const auto head = answers.find("Content-Length: 4", answers.find("yes\n"));
  ASSERT_NE(head, std::string::npos);
  EXPECT_THAT(answers.substr(head), HasSubstr("\r\n\r\nHTTP/1.1 200")) << "HEAD has no body";
}

TEST(StatusServer, RefusesWhatIsNotMeantForIt) {
  const StatusServer server(parse_loopback("0"), pages());
  EXPECT_THAT(get(server, "/metrics", "evil.example"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(get(server, "/metrics", ""), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(talk(server, "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"),
              StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(talk(server, "nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(talk(server, "GET /live HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"),
              testing::Not(HasSubstr("200 OK")));
  EXPECT_THAT(get(server, "/live"), StartsWith("HTTP/1.1 200")) << "and goes on";
}

TEST(StatusServer, TroubleIsAnAnswerWithoutOthersWords) {
  const StatusServer server(parse_loopback("0"), pages());
  const auto down = get(server, "/down");
  EXPECT_THAT(
      down, testing::AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("the server is down"), testing::Not(HasSubstr("secret"))));
  EXPECT_THAT(get(server, "/bug"), testing::AllOf(StartsWith("HTTP/1.1 500"), testing::Not(HasSubstr("row data"))));
}

TEST(StatusServer, AQuickPageIsAnsweredWhileASlowOneIsMade) {
  std::promise<void> begun, end;
  auto ended = end.get_future().share();
  std::vector<StatusPage> all = pages();
  all.push_back({"/slow", [&begun, ended] {
                   begun.set_value();
                   ended.wait();
                   return StatusAnswer{.body = "at last\n"};
                 }});
  const StatusServer server(parse_loopback("0"), all);
  auto slow = std::async(std::launch::async, [&] { return get(server, "/slow"); });
  begun.get_future().wait();
  EXPECT_THAT(get(server, "/live"), testing::EndsWith("yes\n"));
  end.set_value();
  EXPECT_THAT(slow.get(), testing::EndsWith("at last\n"));
}

TEST(StatusServer, EndsWhileClientsAreConnected) {
  auto server = std::make_unique<StatusServer>(parse_loopback("0"), pages());
  tcp::iostream idle("127.0.0.1", port_of(*server));
  idle << "GET /li" << std::flush;
  EXPECT_THAT(get(*server, "/live"), testing::EndsWith("yes\n"));
  server.reset();
  std::string rest;
  EXPECT_FALSE(std::getline(idle, rest)) << rest;
}

TEST(StatusServer, OneTooManyIsTurnedAway) {
  const StatusServer server(parse_loopback("0"), pages());
  std::vector<std::unique_ptr<tcp::iostream>> idle;
  for (int i = 0; i < 32; ++i) {
    idle.push_back(std::make_unique<tcp::iostream>("127.0.0.1", port_of(server)));
    *idle.back() << "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n" << std::flush;
    std::string line;
    std::getline(*idle.back(), line);
    EXPECT_THAT(line, HasSubstr("200"));
  }
  EXPECT_EQ(get(server, "/live"), "");
  idle.clear();
  std::string answer;
  for (int i = 0; i < 1'000 && answer.empty(); ++i) answer = get(server, "/live");
  EXPECT_THAT(answer, testing::EndsWith("yes\n"));
}

TEST(StatusServer, ATakenPortIsNamed) {
  const StatusServer first(parse_loopback("0"), pages());
  try {
    const StatusServer second(parse_loopback(port_of(first)), pages());
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_THAT(error.client_message(), HasSubstr(port_of(first)));
  }
}

}  // namespace
}  // namespace quarry::http
