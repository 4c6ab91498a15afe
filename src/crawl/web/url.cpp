#include "quarry/crawl/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crawl/web/percent.hpp"
#include "crawl/web/url_host.hpp"
#include "quarry/core/error.hpp"

namespace quarry::crawl {
namespace {

/// Work on raw input is bounded before it begins; encoding can triple it, never shrink it by more.
constexpr std::size_t raw_bytes_max = 4 * url_bytes_max;

/// The five parts of RFC 3986, as views into the cleaned text. The fragment is gone already.
struct Parts {
  std::string_view scheme, authority, path, query;
  bool has_scheme = false, has_authority = false, has_query = false;
};

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_scheme_character(char c) { return is_alpha(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// As browsers read an attribute: outer space and control characters go, tabs and newlines go everywhere, the fragment
/// goes, and a backslash before the query is a slash.
std::string cleaned(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  std::string out;
  out.reserve(text.size());
  bool in_query = false;
  for (const char c : text.substr(0, text.find('#'))) {
    if (c == '\t' || c == '\n' || c == '\r') continue;
    in_query = in_query || c == '?';
    out += c == '\\' && !in_query ? '/' : c;
  }
  return out;
}

Parts split(std::string_view text) {
  Parts parts;
  std::size_t at = 0;
  while (at < text.size() && is_scheme_character(text[at])) ++at;
  if (at > 0 && at < text.size() && text[at] == ':' && is_alpha(text[0])) {
    parts.scheme = text.substr(0, at);
    parts.has_scheme = true;
    text.remove_prefix(at + 1);
  }
  if (text.substr(0, 2) == "//") {
    const auto end = text.find_first_of("/?", 2);
    parts.authority = text.substr(2, end == std::string_view::npos ? end : end - 2);
    parts.has_authority = true;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  }
  const auto question = text.find('?');
  parts.path = text.substr(0, question);
  if (question != std::string_view::npos) {
    parts.query = text.substr(question + 1);
    parts.has_query = true;
  }
  return parts;
}

/// RFC 3986, 5.2.4, over a path that begins with a slash: `out` receives it from `begin` on.
void append_without_dots(std::string& out, std::string_view path) {
  const std::size_t begin = out.size();
  std::size_t at = 0;
  while (at < path.size()) {
    auto end = path.find('/', at + 1);
    const bool last = end == std::string_view::npos;
    if (last) end = path.size();
    const auto segment = path.substr(at + 1, end - at - 1);
    if (segment == "..") {
      const auto slash = out.rfind('/');
      out.resize(slash == std::string::npos || slash < begin ? begin : slash);
      if (last) out += '/';
    } else if (segment == ".") {
      if (last) out += '/';
    } else {
      out += path.substr(at, end - at);
    }
    at = end;
  }
  if (out.size() == begin) out += '/';
}

std::string message(std::string_view text, UrlFault fault) {
  const auto shown = fmt::format("'{}'{}", text.substr(0, 200), text.size() > 200 ? "..." : "");
  switch (fault) {
    case UrlFault::none:
      break;
    case UrlFault::empty:
      return "the URL is empty: write one such as https://example.org/";
    case UrlFault::too_long:
      return fmt::format("{} is longer than {} bytes", shown, url_bytes_max);
    case UrlFault::relative:
      return fmt::format("{} is no absolute URL: write it whole, as in https://example.org/page", shown);
    case UrlFault::scheme:
      return fmt::format("{}: only http and https can be fetched", shown);
    case UrlFault::credentials:
      // The text is not repeated: it holds a password.
      return "the URL holds a user name or a password: leave it out, and send a header instead";
    case UrlFault::host:
      return fmt::format("{}: the host is neither a name nor an address", shown);
    case UrlFault::international:
      return fmt::format("{}: write the international host name in punycode (xn--...)", shown);
    case UrlFault::port:
      return fmt::format("{}: the port must be a number from 1 to 65535", shown);
  }
  throw_bug("a URL was refused for no reason");
}

}  // namespace

struct UrlBuilder {
  Url url;
  UrlFault fault = UrlFault::none;

  UrlBuilder(std::string_view text, const Url* base) {
    if (text.size() > raw_bytes_max) {
      fault = UrlFault::too_long;
      return;
    }
    const std::string clean = cleaned(text);
    if (clean.empty() && base == nullptr) {
      fault = UrlFault::empty;
      return;
    }
    const auto parts = split(clean);
    set_origin(parts, base);
    if (fault == UrlFault::none) set_path_and_query(parts, base);
    if (fault == UrlFault::none && url.text_.size() > url_bytes_max) fault = UrlFault::too_long;
  }

  void set_origin(const Parts& parts, const Url* base) {
    std::string scheme;
    for (const char c : parts.scheme) scheme += lower(c);
    if (parts.has_scheme && scheme != "http" && scheme != "https")
      fault = UrlFault::scheme;
    else if (parts.has_scheme && !parts.has_authority)
      fault = UrlFault::host;
    else if (!parts.has_scheme && base == nullptr)
      fault = UrlFault::relative;
    if (fault != UrlFault::none) return;
    if (!parts.has_scheme) scheme = base->scheme();
    if (parts.has_authority) {
      set_authority(scheme, parts.authority);
      return;
    }
    url.text_ = base->origin();
    url.scheme_end_ = base->scheme_end_;
    url.host_end_ = base->host_end_;
    url.authority_end_ = base->authority_end_;
    url.port_ = base->port_;
  }

  void set_authority(const std::string& scheme, std::string_view authority) {
    if (authority.find('@') != std::string_view::npos) {
      fault = UrlFault::credentials;
      return;
    }
    const std::uint16_t own_port = scheme == "https" ? 443 : 80;
    // The colons inside the brackets of an IPv6 address are its own.
    const bool bracketed = !authority.empty() && authority.front() == '[';
    const auto colon = authority.find(':', bracketed ? std::min(authority.find(']'), authority.size()) : 0);
    const auto port =
        read_port(colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1), own_port);
    if (!port) {
      fault = UrlFault::port;
      return;
    }
    auto host = canonical_host(authority.substr(0, colon));
    fault = host.fault;
    if (fault != UrlFault::none) return;
    url.text_ = scheme + "://" + host.text;
    url.scheme_end_ = static_cast<std::uint16_t>(scheme.size());
    url.host_end_ = static_cast<std::uint16_t>(url.text_.size());
    url.port_ = *port;
    if (*port != own_port) url.text_ += ':' + std::to_string(*port);
    url.authority_end_ = static_cast<std::uint16_t>(url.text_.size());
  }

  static std::optional<std::uint16_t> read_port(std::string_view text, std::uint16_t own_port) {
    if (text.empty()) return own_port;
    unsigned value = 0;
    for (const char c : text) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + static_cast<unsigned>(c - '0');
      if (value > 65535) return std::nullopt;
    }
    return value == 0 ? std::nullopt : std::optional(static_cast<std::uint16_t>(value));
  }

  void set_path_and_query(const Parts& parts, const Url* base) {
    const bool inherits_path = !parts.has_scheme && !parts.has_authority && parts.path.empty();
    std::string path;
    if (inherits_path) {
      path = base->path();
    } else if (parts.has_scheme || parts.has_authority || parts.path.front() == '/') {
      append_normalized(path, parts.path, UrlPart::path);
    } else {
      const auto base_path = base->path();
      path = base_path.substr(0, base_path.rfind('/') + 1);
      append_normalized(path, parts.path, UrlPart::path);
    }
    append_without_dots(url.text_, path);
    const std::size_t path_end = url.text_.size();
    if (inherits_path && !parts.has_query) {
      if (!base->query().empty()) url.text_ += '?', url.text_ += base->query();
    } else if (!parts.query.empty()) {
      url.text_ += '?';
      append_normalized(url.text_, parts.query, UrlPart::query);
    }
    // Longer ones are refused just after this.
    url.path_end_ = static_cast<std::uint16_t>(path_end);
  }

  static std::optional<Url> attempt(std::string_view text, const Url* base) {
    UrlBuilder builder(text, base);
    if (builder.fault != UrlFault::none) return std::nullopt;
    return std::move(builder.url);
  }
  static Url demand(std::string_view text, const Url* base) {
    UrlBuilder builder(text, base);
    if (builder.fault != UrlFault::none) throw_invalid(message(text, builder.fault));
    return std::move(builder.url);
  }
};

std::string_view Url::host() const noexcept {
  auto host = part(scheme_end_ + 3u, host_end_);
  if (!host.empty() && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

Url Url::parse(std::string_view text) { return UrlBuilder::demand(text, nullptr); }
std::optional<Url> Url::try_parse(std::string_view text) { return UrlBuilder::attempt(text, nullptr); }
Url resolve(const Url& base, std::string_view reference) { return UrlBuilder::demand(reference, &base); }
std::optional<Url> try_resolve(const Url& base, std::string_view reference) { return UrlBuilder::attempt(reference, &base); }

std::string parse_host_key(std::string_view text) {
  if (text.find("://") != std::string_view::npos) return host_key(Url::parse(text));
  if (text.find_first_of("/?#\\") != std::string_view::npos)
    throw_invalid("that is no host: write it as example.org, example.org:8080 or [2001:db8::1], or as a whole URL");
  const auto url = Url::parse("http://" + std::string(text));
  return host_key(url.port() == 443 ? Url::parse("https://" + std::string(text)) : url);
}

std::string host_key(const Url& url) { return std::string(url.origin().substr(url.scheme().size() + 3)); }

bool same_site(const Url& a, const Url& b) {
  const auto bare = [](const Url& url) {
    auto key = url.origin().substr(url.scheme().size() + 3);
    if (key.substr(0, 4) == "www.") key.remove_prefix(4);
    return key;
  };
  return bare(a) == bare(b);
}

}  // namespace quarry::crawl
