#pragma once
/// The host of a URL in its one canonical spelling.

#include <optional>
#include <string>
#include <string_view>

namespace quarry::crawl {

enum class UrlFault { none, empty, too_long, relative, scheme, credentials, host, international, port };

struct HostResult {
  std::string text;  ///< with brackets if IPv6
  UrlFault fault = UrlFault::none;
};

/// `raw` is what stands between `//` and the port, brackets included.
HostResult canonical_host(std::string_view raw);

}  // namespace quarry::crawl
