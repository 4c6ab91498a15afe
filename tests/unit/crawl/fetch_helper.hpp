#pragma once
/// Fetching to the end, for the tests of `Fetcher`.

#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "quarry/core/time.hpp"
#include "quarry/crawl/fetcher.hpp"
#include "support/http/loopback_server.hpp"

namespace quarry::crawl {

inline void PrintTo(FetchError error, std::ostream* out) { *out << to_string(error); }

using std::chrono::milliseconds;
using test::HttpReply;
using test::HttpRequest;
using test::LoopbackServer;

inline const SystemClock clock_now;

/// Until everything has come back; a test that hangs fails after a minute.
inline std::vector<Response> run(Fetcher& fetcher) {
  std::vector<Response> all;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (fetcher.in_flight() > 0 && std::chrono::steady_clock::now() < deadline)
    for (auto& response : fetcher.poll(milliseconds(1000))) all.push_back(std::move(response));
  EXPECT_EQ(fetcher.in_flight(), 0U);
  return all;
}

inline Response fetch(Request request, FetcherOptions options = {.allow_private = true}) {
  Fetcher fetcher(std::move(options), clock_now);
  fetcher.submit(std::move(request));
  auto all = run(fetcher);
  EXPECT_EQ(all.size(), 1U);
  return std::move(all.at(0));
}

inline Response fetch(const std::string& url) { return fetch({.url = Url::parse(url)}); }

inline HttpReply redirect(int status, const std::string& to) { return {.status = status, .headers = {{"Location", to}}}; }

}  // namespace quarry::crawl
