#pragma once
/// Header lines into the few headers that matter.

#include <cstddef>
#include <string>
#include <string_view>

#include "quarry/crawl/fetcher.hpp"

namespace quarry::crawl {

/// What a server has said, fit for a database and a log: clean UTF-8 on one line, at most 1024 bytes.
std::string kept(std::string_view text);

/// Of all headers of one answer together.
inline constexpr std::size_t header_bytes_max = std::size_t{256} * 1024;

/// Collects the headers of one answer, as libcurl hands them over line by line.
class HeaderCollector {
 public:
  /// False if there are too many, beyond `header_bytes_max`.
  bool add_line(std::string_view line);

  /// The `Location` header as it came, or empty.
  const std::string& location() const noexcept { return location_; }
  ResponseHeaders take(Instant now);

 private:
  void add(std::string_view name, std::string_view value);

  std::size_t bytes_ = 0;
  std::string location_, retry_after_;
  ResponseHeaders headers_;
};

}  // namespace quarry::crawl
