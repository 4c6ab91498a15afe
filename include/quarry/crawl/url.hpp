#pragma once
/// Web addresses in one canonical form, so that the same page is one row and one key.
///
/// A `Url` is always canonical; there is no other way to make one. The form:
///
/// - `http` or `https`, lower case; a host; no user name or password (they would end in logs and keys)
/// - host in lower case, without a final dot; names are ASCII (an international name is written in punycode, `xn--...`);
///   an IPv4 address in any form that browsers take (`0x7f.1`, `2130706433`, `0177.0.0.1`) becomes four decimal parts, so
///   that nothing that checks an address can be fooled by its spelling; IPv6 as RFC 5952 has it
/// - no port if it is the scheme's own; path never empty; no dot segments; no fragment; no `?` without a query
/// - percent-encoding as RFC 3986, 6.2.2 normalises it: unreserved characters plain, upper-case digits, everything
///   outside the grammar encoded; a stray `%` becomes `%25`
/// - the order of the query's parameters is kept: some sites mean something by it
/// - at most `url_bytes_max` bytes
///
/// Reading is as lenient as browsers are with what stands in pages (WHATWG URL: surrounding space, tabs and newlines
/// inside, `\` for `/`, characters that should have been encoded) and strict where leniency makes two programs see two
/// hosts. The grammar is RFC 3986; parsed here and not by Boost.URL 1.81, whose `normalize` turns `%3D` in a query into
/// `=` and leaves `/../` at the root and `%2e%2e` as dot segments.
///
/// Errors: `invalid`, naming the text and what to write instead; the `try_` forms give nothing instead, for links found
/// in pages. Thread safety: a `Url` is a value.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quarry::crawl {

/// What the common servers and crawlers accept, and within what a B-tree key may hold.
inline constexpr std::size_t url_bytes_max = 2048;

class Url {
 public:
  /// The canonical form of an absolute URL.
  static Url parse(std::string_view text);
  /// The same, with nothing instead of an error.
  static std::optional<Url> try_parse(std::string_view text);

  const std::string& text() const noexcept { return text_; }
  std::string_view scheme() const noexcept { return part(0, scheme_end_); }
  bool is_https() const noexcept { return scheme_end_ == 5; }
  /// Without the brackets of an IPv6 address.
  std::string_view host() const noexcept;
  /// Set even where the text leaves it out.
  std::uint16_t port() const noexcept { return port_; }
  /// `https://example.org:8443`, without a final slash.
  std::string_view origin() const noexcept { return part(0, authority_end_); }
  std::string_view path() const noexcept { return part(authority_end_, path_end_); }
  /// Without the `?`; empty if there is none.
  std::string_view query() const noexcept {
    return path_end_ == text_.size() ? std::string_view{} : part(path_end_ + 1u, text_.size());
  }
  /// What a request line and robots.txt see.
  std::string_view path_and_query() const noexcept { return part(authority_end_, text_.size()); }

  friend bool operator==(const Url& a, const Url& b) noexcept { return a.text_ == b.text_; }
  friend std::strong_ordering operator<=>(const Url& a, const Url& b) noexcept { return a.text_ <=> b.text_; }

 private:
  friend struct UrlBuilder;
  Url() = default;
  std::string_view part(std::size_t begin, std::size_t end) const noexcept {
    return std::string_view(text_).substr(begin, end - begin);
  }

  std::string text_;
  std::uint16_t scheme_end_ = 0;
  std::uint16_t host_end_ = 0;  // before `:port`
  std::uint16_t authority_end_ = 0;
  std::uint16_t path_end_ = 0;
  std::uint16_t port_ = 0;
};

/// The URL that `reference` means in a document at `base` (RFC 3986, 5.2). `reference` may be absolute.
Url resolve(const Url& base, std::string_view reference);
/// The same, with nothing instead of an error.
std::optional<Url> try_resolve(const Url& base, std::string_view reference);

/// The key of politeness: `host`, or `host:port` if the port is not the scheme's own. `http://a/` and `https://a/` are
/// one server to whoever runs it. IPv6 keeps its brackets.
std::string host_key(const Url& url);

/// The same key from a host as people write it: `Example.ORG`, `example.org:8080`, `[::1]`, or a URL. Without a scheme, both
/// schemes' own ports are left out. Throws `invalid` for what names no host.
std::string parse_host_key(std::string_view text);

/// The same host key, `www.` or not.
bool same_site(const Url& a, const Url& b);

}  // namespace quarry::crawl
