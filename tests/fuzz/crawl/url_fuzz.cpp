/// The first line is a URL, the second a reference to resolve against it.
#include <curl/curl.h>

#include <memory>
#include <string>

#include "fuzz/crawl/fuzz.hpp"
#include "quarry/crawl/address.hpp"
#include "quarry/crawl/url.hpp"

namespace {

using quarry::crawl::Url;
using quarry::fuzz::demand;

/// The program that sends the request must see the host that we checked.
void check_against_libcurl(const Url& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  demand(curl_url_set(parsed.get(), CURLUPART_URL, url.text().c_str(), 0) == CURLUE_OK, "libcurl reads a canonical URL");
  char* host = nullptr;
  demand(curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) == CURLUE_OK, "libcurl finds the host");
  std::string_view seen(host);
  if (!seen.empty() && seen.front() == '[') seen = seen.substr(1, seen.size() - 2);
  demand(seen == url.host(), "libcurl sees the same host");
  curl_free(host);
}

void check(const Url& url) {
  demand(url.text().size() <= quarry::crawl::url_bytes_max, "a URL is bounded");
  demand(Url::parse(url.text()) == url, "the canonical form is stable");
  demand(url.path().substr(0, 1) == "/", "a path begins with a slash");
  demand(resolve(url, url.text()) == url, "an absolute reference means itself");
  demand(resolve(url, "") == url, "an empty reference means the base");
  demand(std::string(url.origin()) + std::string(url.path_and_query()) == url.text(), "the parts make the whole");
  for (const char c : url.text()) demand(c > 0x20 && c < 0x7F, "a URL is visible ASCII");
  const bool digits = url.host().find_first_not_of("0123456789.") == std::string_view::npos;
  demand(!digits || quarry::crawl::parse_ip(url.host()), "a numeric host is an address");
  check_against_libcurl(url);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [text, reference] = quarry::fuzz::first_line(quarry::fuzz::view(data, size));
  const auto url = Url::try_parse(text);
  if (url)
    check(*url);
  else
    quarry::fuzz::only_invalid([&, given = text] { demand((Url::parse(given), false), "both forms agree"); });
  const auto base = url ? *url : Url::parse("http://example.org/a/b?c");
  if (const auto resolved = try_resolve(base, reference)) check(*resolved);
  return 0;
}
