#pragma once
/// A web site that is made up on the fly: pages `/page/0` to `/page/N-1`, each linking to some others, all reachable from
/// the first.

#include <functional>
#include <string>

#include "support/http/loopback_server.hpp"

namespace quarry::test {

/// Serves the site. `special` may answer any request itself (robots.txt, errors); what it leaves alone is a page, or 404.
inline LoopbackServer::Handler small_site(int pages,
                                          std::function<std::optional<HttpReply>(const HttpRequest&)> special = {}) {
  return [pages, special](const HttpRequest& request) -> HttpReply {
    if (special)
      if (auto reply = special(request)) return *std::move(reply);
    const std::string prefix = "/page/";
    if (!request.target.starts_with(prefix)) return {.status = 404, .body = "nothing here"};
    const int number = std::atoi(request.target.c_str() + prefix.size());
    if (number < 0 || number >= pages) return {.status = 404, .body = "no such page"};
    std::string body = "<html><head><title>Page " + std::to_string(number) + "</title></head><body><h1>Heading " +
                       std::to_string(number) + "</h1><p>Lithium number" + std::to_string(number) + "</p>";
    for (const int to : {number + 1, number * 2 + 1, number * 3 + 2})
      body += "<a href=\"/page/" + std::to_string(to % pages) + "\">next</a>";
    body += "<a href=\"http://elsewhere.example/\">away</a></body></html>";
    return {.headers = {{"Content-Type", "text/html; charset=utf-8"}}, .body = body};
  };
}

}  // namespace quarry::test
