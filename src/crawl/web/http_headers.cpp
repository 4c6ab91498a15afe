#include "crawl/web/http_headers.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <utility>

#include "crawl/web/words.hpp"
#include "quarry/core/utf8.hpp"

namespace quarry::crawl {
namespace {

constexpr std::size_t value_bytes_max = 1024;
constexpr std::int64_t retry_after_s_max = 86'400;

std::string lowered(std::string text) {
  for (char& c : text) c = ascii_lower(c);
  return text;
}

std::string charset_of(std::string_view content_type) {
  for (auto at = content_type.find(';'); at != std::string_view::npos; at = content_type.find(';')) {
    content_type.remove_prefix(at + 1);
    const auto parameter = trimmed(content_type.substr(0, content_type.find(';')));
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || !same_word(trimmed(parameter.substr(0, equals)), "charset")) continue;
    auto value = trimmed(parameter.substr(equals + 1));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    return lowered(kept(value));
  }
  return {};
}

}  // namespace

std::string kept(std::string_view text) {
  std::string out;
  append_clean(out, text.substr(0, value_bytes_max));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == '\x7F') c = ' ';
  return std::string(cut_at_character(out, value_bytes_max));
}

bool HeaderCollector::add_line(std::string_view line) {
  bytes_ += line.size();
  if (bytes_ > header_bytes_max) return false;
  if (line.substr(0, 5) == "HTTP/") {
    // Another answer begins: what came before was an interim one (100, 103).
    *this = HeaderCollector();
    return true;
  }
  const auto colon = line.find(':');
  if (colon != std::string_view::npos) add(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  return true;
}

void HeaderCollector::add(std::string_view name, std::string_view value) {
  const auto keep_first = [&](std::string& where) {
    if (where.empty()) where = kept(value);
  };
  if (same_word(name, "content-type")) {
    headers_.content_type = lowered(kept(trimmed(value.substr(0, value.find(';')))));
    headers_.charset = charset_of(value);
  } else if (same_word(name, "location")) {
    // Not cut: a cut URL is another URL. `Url` has a bound of its own.
    if (location_.empty()) location_ = value;
  } else if (same_word(name, "x-robots-tag")) {
    if (!headers_.x_robots_tag.empty()) headers_.x_robots_tag += ", ";
    headers_.x_robots_tag += kept(value);
    headers_.x_robots_tag.resize(cut_at_character(headers_.x_robots_tag, value_bytes_max).size());
  } else if (same_word(name, "etag"))
    keep_first(headers_.etag);
  else if (same_word(name, "last-modified"))
    keep_first(headers_.last_modified);
  else if (same_word(name, "content-language"))
    keep_first(headers_.content_language);
  else if (same_word(name, "retry-after"))
    keep_first(retry_after_);
}

ResponseHeaders HeaderCollector::take(Instant now) {
  headers_.retry_after = parse_retry_after(retry_after_, now);
  return std::move(headers_);
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, Instant now) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  if (text.find_first_not_of("0123456789") == std::string_view::npos) {
    for (const char c : text) seconds = std::min(seconds * 10 + (c - '0'), retry_after_s_max);
  } else {
    // Dates begin with the name of a day (RFC 9110, 5.6.7); libcurl reads all three forms, and much else that is none.
    if (text.size() < 24 || text.find(',') == std::string_view::npos ||
        text.substr(0, 3).find_first_of("0123456789") != std::string_view::npos)
      return std::nullopt;
    const auto at = curl_getdate(std::string(text).c_str(), nullptr);
    if (at < 0) return std::nullopt;
    seconds = std::min<std::int64_t>(at - now.us / 1'000'000, retry_after_s_max);
  }
  return seconds > 0 ? std::optional(std::chrono::seconds(seconds)) : std::nullopt;
}

}  // namespace quarry::crawl
