#pragma once
/// Which network addresses a crawler may connect to: public ones only, unless it is told otherwise.
///
/// A page can name any host, and any host can resolve to any address: without this check a crawler fetches the cloud's
/// metadata service or the neighbour's database for whoever asks (server-side request forgery). The check belongs where
/// the connection is opened, after the name has been resolved (`Fetcher` does so): a name checked beforehand may resolve
/// differently a moment later.
///
/// Refused are all blocks of IANA's special-purpose registries for IPv4 and IPv6, multicast, everything outside 2000::/3,
/// and the IPv6 forms that carry an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo), whatever they carry. Sources:
/// iana-ipv4-special-registry, iana-ipv6-special-registry, RFC 6890, RFC 4291, RFC 6052.
///
/// Thread safety: pure functions over values.
///
/// Errors: none; a text that is no address gives nothing.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace quarry::crawl {

struct IpAddress {
  bool is_v6 = false;
  std::array<std::uint8_t, 16> bytes{};  ///< network order; IPv4 uses the first four

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

/// Strict: four decimal parts, or IPv6 without a zone and without brackets. Other spellings are the business of `Url`,
/// which rewrites them.
std::optional<IpAddress> parse_ip(std::string_view text);
/// Nothing for other families.
std::optional<IpAddress> from_sockaddr(const sockaddr* address);
/// As text: four decimal parts, or RFC 5952's form for IPv6.
std::string to_string(const IpAddress& address);

/// The reserved block that holds the address, such as `loopback (127.0.0.0/8)`; empty if the address is public.
std::string_view reserved_block(const IpAddress& address);

/// Whether the address stands in no reserved block.
inline bool is_public(const IpAddress& address) { return reserved_block(address).empty(); }

}  // namespace quarry::crawl
