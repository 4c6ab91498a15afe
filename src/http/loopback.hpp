#pragma once
/// Names of this machine, as a client may say them.

#include <string_view>

namespace quarry::http {

/// Whether the `Host` of a request is a loopback name, with or without a port.
bool is_loopback_host(std::string_view host);

}  // namespace quarry::http
