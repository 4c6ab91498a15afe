/// What a server or a network can do to a fetcher, and how each trouble is told from the others.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

#include "unit/crawl/fetch_helper.hpp"

namespace quarry::crawl {
namespace {

TEST(FetcherBounds, DecompressesWithinTheBound) {
  const std::string hello(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x57\x48\xaf\xca\x2c\x00\x00\x19\x6a\xd2\xdf\x0a\x00"
      "\x00\x00",
      30);
  const std::string hundred_kilobytes(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\xac\xeb\x5f\xc2\x1a\x1e\x40\x01\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xaf\x06\x87\xfa\xe2\x1b\xa0\x86\x01\x00",
      133);
  LoopbackServer server([&](const HttpRequest& request) {
    if (request.target == "/broken") return HttpReply{.headers = {{"Content-Encoding", "gzip"}}, .body = "no gzip at all"};
    return HttpReply{.headers = {{"Content-Encoding", "gzip"}},
                     .body = request.target == "/small" ? hello : hundred_kilobytes};
  });
  const auto small = fetch(server.url("/small"));
  EXPECT_EQ(small.body, "hello gzip");
  EXPECT_EQ(small.wire_bytes, hello.size());
  const auto large = fetch({.url = Url::parse(server.url("/large")), .body_bytes_max = 100'000});
  EXPECT_EQ(large.body, std::string(100'000, 'a'));
  const auto bomb = fetch({.url = Url::parse(server.url("/large")), .body_bytes_max = 99'999});
  EXPECT_EQ(bomb.error, FetchError::too_large);
  EXPECT_EQ(bomb.body, "");
  EXPECT_FALSE(worth_a_retry(bomb));
  EXPECT_EQ(fetch(server.url("/broken")).error, FetchError::encoding);
}

TEST(FetcherBounds, BoundsBodiesAndHeaders) {
  LoopbackServer server([](const HttpRequest& request) {
    const auto& target = request.target;
    if (target == "/length") return HttpReply{.body = std::string(2000, 'x')};
    if (target == "/endless") return HttpReply{.raw = "HTTP/1.1 200 OK\r\n\r\n" + std::string(2000, 'x')};
    if (target == "/chunked")
      return HttpReply{.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x') +
                              "\r\n0\r\n\r\n"};
    std::string raw = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 10; ++i) raw += "X-Filler-" + std::to_string(i) + ": " + std::string(50'000, 'x') + "\r\n";
    return HttpReply{.raw = raw + "\r\n"};
  });
  for (const char* path : {"/length", "/endless", "/chunked", "/headers"}) {
    const auto response = fetch({.url = Url::parse(server.url(path)), .body_bytes_max = 1999});
    EXPECT_EQ(response.error, FetchError::too_large) << path << ": " << response.error_detail;
    const bool by_headers = response.error_detail.find("headers") != std::string::npos;
    EXPECT_EQ(by_headers, std::string_view(path) == "/headers") << response.error_detail;
  }
  for (const char* path : {"/length", "/endless", "/chunked"})
    EXPECT_EQ(fetch({.url = Url::parse(server.url(path)), .body_bytes_max = 2000}).body.size(), 2000U) << path;
  for (const char* path : {"/length", "/endless", "/chunked"}) {
    const auto cut = fetch({.url = Url::parse(server.url(path)), .body_bytes_max = 1999, .cut_body = true});
    EXPECT_EQ(cut.error, FetchError::none) << path << ": " << cut.error_detail;
    EXPECT_EQ(cut.status, 200);
    EXPECT_EQ(cut.body, std::string(1999, 'x')) << path;
  }
}

TEST(FetcherBounds, AHeaderLineWithoutEndIsTooLarge) {
  LoopbackServer server([](const HttpRequest&) {
    return HttpReply{.raw = "HTTP/1.1 200 OK\r\nX-Filler: " + std::string(5'000'000, 'x') + "\r\n\r\n"};
  });
  const auto response = fetch(server.url("/"));
  EXPECT_EQ(response.error, FetchError::too_large) << response.error_detail;
  EXPECT_NE(response.error_detail.find("header"), std::string::npos) << response.error_detail;
}

TEST(FetcherBounds, WithoutDescriptorsNothingIsSaidOfTheHost) {
  LoopbackServer server([](const HttpRequest&) { return HttpReply{.body = "here"}; });
  // Once with descriptors: a sanitizer needs some itself when it comes by a place for the first time.
  ASSERT_EQ(fetch(server.url("/")).body, "here");
  Fetcher fetcher({.allow_private = true}, clock_now);
  fetcher.submit({.url = Url::parse(server.url("/"))});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(STDERR_FILENO);
  ::close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto all = run(fetcher);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].error, FetchError::starved) << all[0].error_detail;
  EXPECT_TRUE(worth_a_retry(all[0]));
  EXPECT_EQ(fetch(server.url("/")).body, "here");
}

TEST(FetcherBounds, TellsBrokenAnswersApart) {
  LoopbackServer server([](const HttpRequest& request) {
    const auto& target = request.target;
    if (target == "/nothing") return HttpReply{.raw = ""};
    if (target == "/garbage") return HttpReply{.raw = "this is not HTTP\r\n\r\n"};
    if (target == "/short") return HttpReply{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"};
    return HttpReply{.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"};
  });
  const auto check = [&](const char* path, FetchError wanted) {
    const auto response = fetch(server.url(path));
    EXPECT_EQ(response.error, wanted) << path << ": " << response.error_detail;
    EXPECT_EQ(response.body, "");
    EXPECT_FALSE(response.error_detail.empty());
    EXPECT_TRUE(worth_a_retry(response));
  };
  check("/nothing", FetchError::interrupted);
  check("/garbage", FetchError::protocol);
  check("/short", FetchError::interrupted);
  check("/chunk", FetchError::interrupted);
}

TEST(FetcherBounds, GivesUpInTime) {
  LoopbackServer server([](const HttpRequest& request) {
    if (request.target.size() < 4)
      return HttpReply{.status = 302, .headers = {{"Location", request.target + "x"}}, .delay = milliseconds(60)};
    return HttpReply{.body = "late", .delay = milliseconds(600)};
  });
  const auto late = fetch({.url = Url::parse(server.url("/late")), .timeout = milliseconds(100)});
  EXPECT_EQ(late.error, FetchError::timeout);
  EXPECT_TRUE(worth_a_retry(late));
  // The time counts for all hops together: three of 60 ms and one of 600 do not fit.
  const auto hops = fetch({.url = Url::parse(server.url("/")), .timeout = milliseconds(500)});
  EXPECT_EQ(hops.error, FetchError::timeout);
}

TEST(FetcherBounds, ReportsWhereNobodyListens) {
  std::string url;
  {
    LoopbackServer server([](const HttpRequest&) { return HttpReply{}; });
    url = server.url("/");
  }
  EXPECT_EQ(fetch(url).error, FetchError::connect);
  LoopbackServer plain([](const HttpRequest&) { return HttpReply{}; });
  EXPECT_EQ(fetch("https" + plain.url("/").substr(4)).error, FetchError::tls);
}

TEST(FetcherBounds, RefusesAddressesThatAreNotPublic) {
  LoopbackServer server([](const HttpRequest&) { return HttpReply{.body = "secret"}; });
  const auto port = ':' + std::to_string(server.port()) + '/';
  for (const std::string host :
       {"127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1.2.3"}) {
    const auto response = fetch({.url = Url::parse("http://" + host + port)}, {});
    EXPECT_EQ(response.error, FetchError::refused_address)
        << host << ": " << to_string(response.error) << response.error_detail;
    EXPECT_FALSE(response.error_detail.empty());
    EXPECT_FALSE(worth_a_retry(response));
  }
  EXPECT_EQ(server.connections(), 0);
  EXPECT_EQ(fetch({.url = Url::parse("http://example.org:25/")}, {}).error, FetchError::refused_address) << "a port of mail";
}

TEST(FetcherBounds, IgnoresProxiesOfTheEnvironment) {
  LoopbackServer server([](const HttpRequest&) { return HttpReply{.body = "direct"}; });
  for (const char* name : {"http_proxy", "all_proxy"}) setenv(name, "http://127.0.0.1:1/", 1);
  EXPECT_EQ(fetch(server.url("/")).body, "direct");
  for (const char* name : {"http_proxy", "all_proxy"}) unsetenv(name);
  LoopbackServer proxy([](const HttpRequest& request) { return HttpReply{.body = "for " + request.target}; });
  EXPECT_EQ(fetch({.url = Url::parse("http://example.org/x")}, {.proxy = proxy.url("")}).body, "for http://example.org/x");
}

TEST(FetcherBounds, CleansHeadersUp) {
  LoopbackServer server([](const HttpRequest&) {
    return HttpReply{.raw =
                         "HTTP/1.1 200 OK\r\nETag: a\x01\xFF"
                         "b\r\nContent-Language: " +
                         std::string(5000, 'x') + "\r\nContent-Type:\r\nContent-Length: 0\r\n\r\n"};
  });
  const auto response = fetch(server.url("/"));
  EXPECT_EQ(response.headers.etag,
            "a \xEF\xBF\xBD"
            "b");
  EXPECT_EQ(response.headers.content_language.size(), 1024U);
  EXPECT_EQ(response.headers.content_type, "");
}

}  // namespace
}  // namespace quarry::crawl
