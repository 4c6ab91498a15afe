#include "quarry/crawl/fetcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "unit/crawl/fetch_helper.hpp"

namespace quarry::crawl {
namespace {

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
    for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) {
    }
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

TEST(Fetcher, CancelsOneAndLeavesTheOthers) {
  std::atomic<bool> stop{false};
  LoopbackServer server([&](const HttpRequest& request) {
    while (request.target == "/silent" && !stop) std::this_thread::sleep_for(milliseconds(1));
    return HttpReply{.body = "an answer"};
  });
  Fetcher fetcher({.in_flight_max = 2, .allow_private = true}, clock_now);
  for (const std::uint64_t id : {1u, 2u, 3u}) fetcher.submit({.id = id, .url = Url::parse(server.url("/silent"))});
  fetcher.submit({.id = 4, .url = Url::parse(server.url("/"))});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (server.requests() < 2 && std::chrono::steady_clock::now() < deadline) fetcher.poll(milliseconds(5));
  EXPECT_TRUE(fetcher.cancel(1)) << "it runs";
  EXPECT_TRUE(fetcher.cancel(3)) << "it waits for its turn";
  EXPECT_FALSE(fetcher.cancel(3));
  EXPECT_FALSE(fetcher.cancel(9));
  EXPECT_EQ(fetcher.in_flight(), 2U);
  std::vector<Response> answers;
  while (answers.empty() && std::chrono::steady_clock::now() < deadline) answers = fetcher.poll(milliseconds(100));
  ASSERT_EQ(answers.size(), 1U) << "there is room for the next one";
  EXPECT_EQ(answers[0].id, 4U);
  EXPECT_TRUE(fetcher.cancel(2));
  EXPECT_EQ(fetcher.in_flight(), 0U);
  EXPECT_TRUE(fetcher.poll(milliseconds(0)).empty());
  stop = true;
  fetcher.submit({.id = 1, .url = Url::parse(server.url("/"))});
  EXPECT_EQ(run(fetcher).at(0).body, "an answer") << "handles are used again";
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
    return HttpReply{.raw =
                         "HTTP/1.1 103 Early\r\nContent-Type: text/early\r\nLocation: /no\r\n\r\n"
                         "HTTP/1.1 200 OK\r\nContent-Type: text/late\r\nContent-Length: 1\r\n\r\nx"};
  });
  const auto response = fetch(server.url("/"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.content_type, "text/late");
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
