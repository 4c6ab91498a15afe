#include <gtest/gtest.h>

#include <stdexcept>

#include "unit/crawl/fetch_helper.hpp"

namespace quarry::crawl {
namespace {

TEST(FetcherRedirects, FollowsRedirectsAndReportsThem) {
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

TEST(FetcherRedirects, StopsRedirectsThatLeadNowhere) {
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

TEST(FetcherRedirects, AsksBeforeItFollows) {
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

TEST(FetcherRedirects, KeepsHeadersFromOtherHosts) {
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

}  // namespace
}  // namespace quarry::crawl
