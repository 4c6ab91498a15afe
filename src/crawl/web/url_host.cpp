#include "crawl/web/url_host.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "crawl/web/percent.hpp"

namespace quarry::crawl {
namespace {

/// RFC 1035: 253 characters in all, 63 in a label.
constexpr std::size_t host_bytes_max = 253, label_bytes_max = 63;

HostResult bad(UrlFault fault) { return {{}, fault}; }

HostResult ipv6(std::string_view raw) {
  if (raw.size() < 4 || raw.size() > 64 || raw.back() != ']') return bad(UrlFault::host);
  const std::string inner(raw.substr(1, raw.size() - 2));
  in6_addr address{};
  // No zone: it means something on one machine only.
  if (inet_pton(AF_INET6, inner.c_str(), &address) != 1) return bad(UrlFault::host);
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, &address, text, sizeof text);
  return {'[' + std::string(text) + ']', UrlFault::none};
}

std::vector<std::string_view> labels_of(std::string_view host) {
  std::vector<std::string_view> labels;
  for (;;) {
    const auto dot = host.find('.');
    labels.push_back(host.substr(0, dot));
    if (dot == std::string_view::npos) return labels;
    host.remove_prefix(dot + 1);
  }
}

/// A number as inet_aton reads it: decimal, 0 octal, 0x hexadecimal.
std::optional<std::uint64_t> number(std::string_view label) {
  unsigned base = 10;
  if (label.size() >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
    label.remove_prefix(2), base = 16;
  else if (label.size() >= 2 && label[0] == '0')
    label.remove_prefix(1), base = 8;
  std::uint64_t value = 0;
  for (const char c : label) {
    const int digit = hex_digit(c);
    if (digit < 0 || static_cast<unsigned>(digit) >= base) return std::nullopt;
    value = value * base + static_cast<unsigned>(digit);
    if (value > 0xffff'ffff) return std::nullopt;
  }
  return value;
}

/// WHATWG's rule: a host whose last label is a number is an IPv4 address, or nothing.
bool ends_in_number(std::string_view last) {
  const bool hexadecimal = last.size() >= 2 && last[0] == '0' && last[1] == 'x';
  const auto is_digit = [&](char c) { return hexadecimal ? hex_digit(c) >= 0 : c >= '0' && c <= '9'; };
  if (hexadecimal) last.remove_prefix(2);
  return std::all_of(last.begin(), last.end(), is_digit) && (hexadecimal || !last.empty());
}

HostResult ipv4(const std::vector<std::string_view>& labels) {
  if (labels.size() > 4) return bad(UrlFault::host);
  std::uint64_t address = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto value = number(labels[i]);
    if (!value || labels[i].empty()) return bad(UrlFault::host);
    const bool last = i + 1 == labels.size();
    // The last part fills all the bytes that are left.
    const std::uint64_t limit = last ? std::uint64_t{1} << (8 * (5 - labels.size())) : 256;
    if (*value >= limit) return bad(UrlFault::host);
    address |= last ? *value : *value << (8 * (3 - i));
  }
  const in_addr network{htonl(static_cast<std::uint32_t>(address))};
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &network, text, sizeof text);
  return {text, UrlFault::none};
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

}  // namespace

HostResult canonical_host(std::string_view raw) {
  if (!raw.empty() && raw.front() == '[') return ipv6(raw);
  std::string host = percent_decoded(raw);
  for (char& c : host)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  if (!host.empty() && host.back() == '.') host.pop_back();
  if (std::any_of(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return bad(UrlFault::international);
  if (host.empty() || host.size() > host_bytes_max || !std::all_of(host.begin(), host.end(), is_name_character))
    return bad(UrlFault::host);
  const auto labels = labels_of(host);
  if (ends_in_number(labels.back())) return ipv4(labels);
  for (const auto label : labels)
    if (label.empty() || label.size() > label_bytes_max) return bad(UrlFault::host);
  return {std::move(host), UrlFault::none};
}

}  // namespace quarry::crawl
