#include "quarry/crawl/fetcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <thread>

#include "support/http/loopback_server.hpp"

namespace quarry::crawl {

void PrintTo(FetchError error, std::ostream* out) { *out << to_string(error); }

namespace {

using std::chrono::milliseconds;
using test::HttpReply;
using test::HttpRequest;
using test::LoopbackServer;

const SystemClock clock_now;

/// Until everything has come back; a test that hangs fails after a minute.
std::vector<Response> run(Fetcher& fetcher) {
  std::vector<Response> all;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (fetcher.in_flight() > 0 && std::chrono::steady_clock::now() < deadline)
    for (auto& response : fetcher.poll(milliseconds(1000))) all.push_back(std::move(response));
  EXPECT_EQ(fetcher.in_flight(), 0U);
  return all;
}

Response fetch(Request request, FetcherOptions options = {.allow_private = true}) {
  Fetcher fetcher(std::move(options), clock_now);
  fetcher.submit(std::move(request));
  auto all = run(fetcher);
  EXPECT_EQ(all.size(), 1U);
  return std::move(all.at(0));
}

Response fetch(const std::string& url) { return fetch({.url = Url::parse(url)}); }

HttpReply redirect(int status, const std::string& to) { return {.status = status, .headers = {{"Location", to}}}; }

TEST(Fetcher, FetchesAPage) {
  LoopbackServer server([](const HttpRequest& request) {
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.target, "/a%20b?c=d");
    EXPECT_EQ(request.headers.at("user-agent"), "quarry/0.1");
    EXPECT_THAT(request.headers.at("accept-encoding"), testing::HasSubstr("gzip"));
    return HttpReply{.headers = {{"Content-Type", "Text/HTML; a=b; Charset=\"ISO-8859-1\""},
                                 {"ETag", "\"1\""},
                                 {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                 {"X-Robots-Tag", "noindex"},
                                 {"X-Robots-Tag", "nofollow"},
                                 {"Content-Language", "de"}},
                     .body = "hello"};
  });
  const auto response = fetch({.id = 7, .url = Url::parse(server.url("/a b?c=d#e"))});
  EXPECT_EQ(response.id, 7U);
  EXPECT_EQ(response.error, FetchError::none) << response.error_detail;
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.url, response.requested);
  EXPECT_EQ(response.headers.content_type, "text/html");
  EXPECT_EQ(response.headers.charset, "iso-8859-1");
  EXPECT_EQ(response.headers.etag, "\"1\"");
  EXPECT_EQ(response.headers.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(response.headers.x_robots_tag, "noindex, nofollow");
  EXPECT_EQ(response.headers.content_language, "de");
  EXPECT_EQ(response.remote_address, "127.0.0.1");
  EXPECT_EQ(response.wire_bytes, 5U);
  EXPECT_GT(response.timings.total_us, 0);
  EXPECT_GE(response.timings.total_us, response.timings.first_byte_us);
}

TEST(Fetcher, GivesEveryStatusAsAnAnswer) {
  LoopbackServer server([](const HttpRequest& request) {
    return HttpReply{.status = std::stoi(request.target.substr(1)), .headers = {{"Retry-After", "7"}}, .body = "x"};
  });
  for (const auto& [status, retry] : {std::pair{200, false},
                                      {404, false},
                                      {410, false},
                                      {403, false},
                                      {408, true},
                                      {429, true},
                                      {500, true},
                                      {501, false},
                                      {503, true},
                                      {522, true}}) {
    const auto response = fetch(server.url('/' + std::to_string(status)));
    EXPECT_EQ(response.error, FetchError::none);
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body, "x");
    EXPECT_EQ(worth_a_retry(response), retry) << status;
    EXPECT_EQ(response.headers.retry_after, std::chrono::seconds(7));
  }
}

TEST(Fetcher, SendsWhatItIsTold) {
  LoopbackServer server([](const HttpRequest& request) {
    EXPECT_EQ(request.headers.at("user-agent"), "mine/2");
    EXPECT_EQ(request.headers.at("x-key"), "a b");
    EXPECT_EQ(request.headers.at("x-empty"), "");
    EXPECT_EQ(request.headers.at("if-none-match"), "\"1\"");
    EXPECT_EQ(request.headers.at("if-modified-since"), "Sun, 06 Nov 1994 08:49:37 GMT");
    return HttpReply{.status = 304};
  });
  const auto response = fetch({.url = Url::parse(server.url("/")),
                               .headers = {{"X-Key", "a b"}, {"X-Empty", ""}},
                               .user_agent = "mine/2",
                               .etag = "\"1\"",
                               .last_modified = "Sun, 06 Nov 1994 08:49:37 GMT"});
  EXPECT_EQ(response.status, 304);
}

TEST(Fetcher, UsesAConnectionAgain) {
  LoopbackServer server([](const HttpRequest&) { return HttpReply{.body = "x"}; });
  Fetcher fetcher({.in_flight_max = 1, .allow_private = true}, clock_now);
  for (int i = 0; i < 50; ++i) fetcher.submit({.url = Url::parse(server.url("/" + std::to_string(i)))});
  const auto all = run(fetcher);
  EXPECT_EQ(all.size(), 50U);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_FALSE(all.front().reused_connection);
  EXPECT_TRUE(all.back().reused_connection);
}

TEST(Fetcher, BoundsWhatIsInFlight) {
  std::atomic<int> now{0}, most{0};
  LoopbackServer server([&](const HttpRequest&) {
    const int running = ++now;
    for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) {}
    std::this_thread::sleep_for(milliseconds(2));
    --now;
    return HttpReply{.body = "x"};
  });
  Fetcher fetcher({.in_flight_max = 10, .connections_per_host_max = 3, .allow_private = true}, clock_now);
  std::set<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < 100; ++i) fetcher.submit({.id = i, .url = Url::parse(server.url("/"))});
  for (const auto& response : run(fetcher)) {
    EXPECT_EQ(response.status, 200) << response.error_detail;
    ids.insert(response.id);
  }
  EXPECT_EQ(ids.size(), 100U);
  EXPECT_LE(most, 3);
  EXPECT_LE(server.connections(), 3);
}

TEST(Fetcher, FollowsRedirectsAndReportsThem) {
  LoopbackServer server([](const HttpRequest& request) {
    if (request.target == "/a") return redirect(301, "b/./c");
    if (request.target == "/b/c") return redirect(308, "../d?x#y");
    return HttpReply{.body = request.target};
  });
  const auto response = fetch(server.url("/a"));
  EXPECT_EQ(response.error, FetchError::none) << response.error_detail;
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "/d?x");
  EXPECT_EQ(response.requested.text(), server.url("/a"));
  EXPECT_EQ(response.url.text(), server.url("/d?x"));
  ASSERT_EQ(response.hops.size(), 2U);
  EXPECT_EQ(response.hops[0].url.text(), server.url("/a"));
  EXPECT_EQ(response.hops[0].status, 301);
  EXPECT_EQ(response.hops[1].url.text(), server.url("/b/c"));
  EXPECT_EQ(response.hops[1].status, 308);
}

TEST(Fetcher, StopsRedirectsThatLeadNowhere) {
  LoopbackServer server([](const HttpRequest& request) {
    const auto& target = request.target;
    if (target == "/loop") return redirect(302, "/loop2");
    if (target == "/loop2") return redirect(302, "/loop#again");
    if (target == "/self") return redirect(302, "self");
    if (target == "/none") return HttpReply{.status = 302};
    if (target == "/file") return redirect(302, "file:///etc/passwd");
    if (target == "/mail") return redirect(307, "mailto:a@b");
    if (target == "/password") return redirect(307, "http://user:secret@127.0.0.1/");
    return redirect(302, target + "x");
  });
  const auto error = [&](const std::string& path) { return fetch(server.url(path)).error; };
  EXPECT_EQ(error("/loop"), FetchError::redirect_loop);
  EXPECT_EQ(error("/self"), FetchError::redirect_loop);
  EXPECT_EQ(error("/endless"), FetchError::redirect_loop);
  EXPECT_EQ(error("/none"), FetchError::redirect_invalid);
  EXPECT_EQ(error("/file"), FetchError::redirect_invalid);
  EXPECT_EQ(error("/mail"), FetchError::redirect_invalid);
  EXPECT_EQ(error("/password"), FetchError::redirect_invalid);
  EXPECT_EQ(fetch(server.url("/endless")).hops.size(), 5U);

  const auto unfollowed = fetch({.url = Url::parse(server.url("/x")), .redirects_max = 0});
  EXPECT_EQ(unfollowed.error, FetchError::none);
  EXPECT_EQ(unfollowed.status, 302);
  EXPECT_EQ(unfollowed.location->text(), server.url("/xx"));
}

TEST(Fetcher, AsksBeforeItFollows) {
  LoopbackServer server([](const HttpRequest& request) {
    return request.target == "/private" ? HttpReply{.body = "secret"} : redirect(302, "/private");
  });
  const auto admit = [](const Url&, const Url& to) { return to.path() != "/private"; };
  const auto response = fetch({.url = Url::parse(server.url("/")), .admit_redirect = admit});
  EXPECT_EQ(response.error, FetchError::redirect_refused);
  EXPECT_EQ(response.location->text(), server.url("/private"));
  EXPECT_EQ(response.status, 302);
  EXPECT_EQ(server.requests(), 1);
  const auto thrown = fetch({.url = Url::parse(server.url("/")), .admit_redirect = [](const Url&, const Url&) -> bool {
                               throw std::runtime_error("no answer");
                             }});
  EXPECT_EQ(thrown.error, FetchError::redirect_refused) << "a response is never lost";
}

TEST(Fetcher, KeepsHeadersFromOtherHosts) {
  LoopbackServer other([](const HttpRequest& request) {
    EXPECT_EQ(request.headers.count("authorization"), 0U);
    return HttpReply{.body = "other"};
  });
  LoopbackServer server([&](const HttpRequest& request) {
    EXPECT_EQ(request.headers.at("authorization"), "secret");
    return request.target == "/1" ? redirect(302, "/2") : redirect(302, other.url("/"));
  });
  const auto response = fetch({.url = Url::parse(server.url("/1")), .headers = {{"Authorization", "secret"}}});
  EXPECT_EQ(response.body, "other");
  EXPECT_EQ(server.requests(), 2);
}

TEST(Fetcher, DecompressesWithinTheBound) {
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

TEST(Fetcher, BoundsBodiesAndHeaders) {
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
  }
  for (const char* path : {"/length", "/endless", "/chunked"})
    EXPECT_EQ(fetch({.url = Url::parse(server.url(path)), .body_bytes_max = 2000}).body.size(), 2000U) << path;
}

TEST(Fetcher, TellsBrokenAnswersApart) {
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

TEST(Fetcher, GivesUpInTime) {
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

TEST(Fetcher, ReportsWhereNobodyListens) {
  std::string url;
  {
    LoopbackServer server([](const HttpRequest&) { return HttpReply{}; });
    url = server.url("/");
  }
  EXPECT_EQ(fetch(url).error, FetchError::connect);
  LoopbackServer plain([](const HttpRequest&) { return HttpReply{}; });
  EXPECT_EQ(fetch("https" + plain.url("/").substr(4)).error, FetchError::tls);
}

TEST(Fetcher, RefusesAddressesThatAreNotPublic) {
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

TEST(Fetcher, IgnoresProxiesOfTheEnvironment) {
  LoopbackServer server([](const HttpRequest&) { return HttpReply{.body = "direct"}; });
  for (const char* name : {"http_proxy", "all_proxy"}) setenv(name, "http://127.0.0.1:1/", 1);
  EXPECT_EQ(fetch(server.url("/")).body, "direct");
  for (const char* name : {"http_proxy", "all_proxy"}) unsetenv(name);
  LoopbackServer proxy([](const HttpRequest& request) { return HttpReply{.body = "for " + request.target}; });
  EXPECT_EQ(fetch({.url = Url::parse("http://example.org/x")}, {.proxy = proxy.url("")}).body, "for http://example.org/x");
}

TEST(Fetcher, CancelsEverything) {
  std::atomic<bool> stop{false};
  LoopbackServer server([&](const HttpRequest&) {
    while (!stop) std::this_thread::sleep_for(milliseconds(1));
    return HttpReply{};
  });
  Fetcher fetcher({.in_flight_max = 2, .allow_private = true}, clock_now);
  for (std::uint64_t i = 0; i < 5; ++i) fetcher.submit({.id = i, .url = Url::parse(server.url("/"))});
  EXPECT_TRUE(fetcher.poll(milliseconds(20)).empty());
  EXPECT_EQ(fetcher.in_flight(), 5U);
  const auto all = fetcher.cancel_all();
  std::set<std::uint64_t> ids;
  for (const auto& response : all) {
    EXPECT_EQ(response.error, FetchError::cancelled);
    ids.insert(response.id);
  }
  EXPECT_EQ(ids.size(), 5U);
  EXPECT_EQ(fetcher.in_flight(), 0U);
  stop = true;
  fetcher.submit({.id = 9, .url = Url::parse(server.url("/"))});
  EXPECT_EQ(run(fetcher).at(0).status, 200) << "it can be used on";
}

TEST(Fetcher, CanBeDestroyedInMidFlight) {
  std::atomic<bool> stop{false};
  LoopbackServer server([&](const HttpRequest&) {
    while (!stop) std::this_thread::sleep_for(milliseconds(1));
    return HttpReply{};
  });
  {
    Fetcher fetcher({.allow_private = true}, clock_now);
    fetcher.submit({.url = Url::parse(server.url("/"))});
    fetcher.poll(milliseconds(20));
  }
  stop = true;
}

TEST(Fetcher, WakesUp) {
  Fetcher fetcher({}, clock_now);
  const auto begin = std::chrono::steady_clock::now();
  std::thread other([&] { fetcher.wake(); });
  EXPECT_TRUE(fetcher.poll(std::chrono::minutes(10)).empty());
  other.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(5));
  EXPECT_TRUE(fetcher.poll(milliseconds(0)).empty());
}

TEST(Fetcher, ReadsInterimAnswers) {
  LoopbackServer server([](const HttpRequest&) {
    return HttpReply{.raw = "HTTP/1.1 103 Early\r\nContent-Type: text/early\r\nLocation: /no\r\n\r\n"
                            "HTTP/1.1 200 OK\r\nContent-Type: text/late\r\nContent-Length: 1\r\n\r\nx"};
  });
  const auto response = fetch(server.url("/"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.content_type, "text/late");
}

TEST(Fetcher, CleansHeadersUp) {
  LoopbackServer server([](const HttpRequest&) {
    return HttpReply{.raw = "HTTP/1.1 200 OK\r\nETag: a\x01\xFF" "b\r\nContent-Language: " + std::string(5000, 'x') +
                            "\r\nContent-Type:\r\nContent-Length: 0\r\n\r\n"};
  });
  const auto response = fetch(server.url("/"));
  EXPECT_EQ(response.headers.etag, "a \xEF\xBF\xBD" "b");
  EXPECT_EQ(response.headers.content_language.size(), 1024U);
  EXPECT_EQ(response.headers.content_type, "");
}

TEST(RetryAfter, TakesSecondsAndDates) {
  const auto now = parse_iso8601("1994-11-06T08:49:37Z");
  const auto read = [&](std::string_view text) {
    return parse_retry_after(text, now).value_or(std::chrono::seconds(-1)).count();
  };
  EXPECT_EQ(read("120"), 120);
  EXPECT_EQ(read(" 5 "), 5);
  EXPECT_EQ(read("Sun, 06 Nov 1994 08:50:37 GMT"), 60);
  EXPECT_EQ(read("Sunday, 06-Nov-94 08:50:37 GMT"), 60);
  EXPECT_EQ(read("99999999999999999999"), 86'400);
  EXPECT_EQ(read("Sun, 06 Nov 2094 08:49:37 GMT"), 86'400);
  for (const char* text :
       {"", "0", "000", "-1", "+5", "1.5", "5s", "soon", "0x10", "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1993 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT", "tomorrow, but not before noon, please"})
    EXPECT_EQ(read(text), -1) << text;
}

}  // namespace
}  // namespace quarry::crawl
