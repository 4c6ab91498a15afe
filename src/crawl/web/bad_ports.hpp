#pragma once
/// Ports that speak something else than HTTP: a request there could be read as a command of another protocol.

#include <cstdint>

namespace quarry::crawl {

/// "Bad port" of the Fetch standard, and the common databases (3306, 5432, 6379, 11211).
bool is_bad_port(std::uint16_t port) noexcept;

}  // namespace quarry::crawl
