#include "quarry/crawl/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace quarry::crawl {
namespace {

struct Block {
  std::array<std::uint8_t, 16> prefix;
  unsigned bits;
  std::string_view name;
};

constexpr Block v4_blocks[] = {
    {{0}, 8, "this network (0.0.0.0/8)"},
    {{10}, 8, "private (10.0.0.0/8)"},
    {{100, 64}, 10, "carrier-grade NAT (100.64.0.0/10)"},
    {{127}, 8, "loopback (127.0.0.0/8)"},
    {{169, 254}, 16, "link-local (169.254.0.0/16)"},
    {{172, 16}, 12, "private (172.16.0.0/12)"},
    {{192, 0, 0}, 24, "IETF protocol assignments (192.0.0.0/24)"},
    {{192, 0, 2}, 24, "documentation (192.0.2.0/24)"},
    {{192, 31, 196}, 24, "AS112 (192.31.196.0/24)"},
    {{192, 52, 193}, 24, "AMT (192.52.193.0/24)"},
    {{192, 88, 99}, 24, "6to4 relay (192.88.99.0/24)"},
    {{192, 168}, 16, "private (192.168.0.0/16)"},
    {{192, 175, 48}, 24, "AS112 (192.175.48.0/24)"},
    {{198, 18}, 15, "benchmarking (198.18.0.0/15)"},
    {{198, 51, 100}, 24, "documentation (198.51.100.0/24)"},
    {{203, 0, 113}, 24, "documentation (203.0.113.0/24)"},
    {{224}, 4, "multicast (224.0.0.0/4)"},
    {{240}, 4, "reserved (240.0.0.0/4)"},
};

/// Named for the message; whatever is not here and not in 2000::/3 is refused as well.
constexpr Block v6_blocks[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, "loopback (::1)"},
    {{}, 128, "unspecified (::)"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, "IPv4-mapped (::ffff:0:0/96)"},
    {{}, 96, "IPv4-compatible (::/96)"},
    {{0, 0x64, 0xff, 0x9b}, 96, "NAT64 (64:ff9b::/96)"},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, "local NAT64 (64:ff9b:1::/48)"},
    {{1}, 64, "discard-only (100::/64)"},
    {{0x20, 0x01}, 32, "Teredo (2001::/32)"},
    {{0x20, 0x01}, 23, "IETF protocol assignments (2001::/23)"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "documentation (2001:db8::/32)"},
    {{0x20, 0x02}, 16, "6to4 (2002::/16)"},
    {{0x26, 0x20, 0, 0x4f, 0x80}, 48, "AS112 (2620:4f:8000::/48)"},
    {{0x3f, 0xff}, 20, "documentation (3fff::/20)"},
    {{0x5f}, 16, "segment routing (5f00::/16)"},
    {{0xfc}, 7, "unique local (fc00::/7)"},
    {{0xfe, 0x80}, 10, "link-local (fe80::/10)"},
    {{0xfe, 0xc0}, 10, "site-local (fec0::/10)"},
    {{0xff}, 8, "multicast (ff00::/8)"},
};

bool holds(const Block& block, const IpAddress& address) {
  const unsigned whole = block.bits / 8, rest = block.bits % 8;
  if (std::memcmp(block.prefix.data(), address.bytes.data(), whole) != 0) return false;
  if (rest == 0) return true;
  return ((block.prefix[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string copy(text);
  if (copy.size() != std::strlen(copy.c_str())) return std::nullopt;
  IpAddress address;
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) return address;
  address.is_v6 = true;
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<IpAddress> from_sockaddr(const sockaddr* address) {
  IpAddress out;
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::memcpy(out.bytes.data(), &v4.sin_addr, 4);
    return out;
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(out.bytes.data(), &v6.sin6_addr, 16);
    out.is_v6 = true;
    return out;
  }
  return std::nullopt;
}

std::string to_string(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
}

std::string_view reserved_block(const IpAddress& address) {
  if (!address.is_v6) {
    for (const auto& block : v4_blocks)
      if (holds(block, address)) return block.name;
    return {};
  }
  for (const auto& block : v6_blocks)
    if (holds(block, address)) return block.name;
  return address.bytes[0] >> 5 == 1 ? std::string_view{} : "not global unicast (outside 2000::/3)";
}

}  // namespace quarry::crawl
