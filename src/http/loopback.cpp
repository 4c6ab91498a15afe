#include "http/loopback.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "quarry/core/error.hpp"
#include "quarry/http/status_server.hpp"

namespace quarry::http {
namespace {

/// `[::1]:9464` and `127.0.0.1:9464` in their halves. The port is empty when there is none.
std::pair<std::string_view, std::string_view> split(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return {text, {}};
    const auto rest = text.substr(end + 1);
    return {text.substr(1, end - 1), rest.starts_with(':') ? rest.substr(1) : rest};
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

bool is_localhost(std::string_view host) {
  constexpr std::string_view name = "localhost";
  return std::ranges::equal(host, name, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  const auto name = split(host).first;
  if (is_localhost(name)) return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(name, error);
  return !error && address.is_loopback();
}

LoopbackAddress parse_loopback(std::string_view text) {
  const bool only_port = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  const auto [host, port] = only_port ? std::pair(std::string_view("127.0.0.1"), text) : split(text);
  LoopbackAddress address{.host = is_localhost(host) ? "127.0.0.1" : std::string(host)};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size())
    throw_invalid(fmt::format("'{}' is no address to listen on: say a port (9464), or 127.0.0.1:9464", text));
  boost::system::error_code bad;
  const auto parsed = boost::asio::ip::make_address(address.host, bad);
  if (bad || !parsed.is_loopback())
    throw_invalid(
        fmt::format("'{}' is not on the loopback interface: metrics are served on 127.0.0.1 or [::1] only; put a "
                    "proxy before it that asks who is there",
                    text));
  address.host = parsed.to_string();
  return address;
}

}  // namespace quarry::http
