#pragma once
/// Header lines into the few headers that matter.

#include <string>
#include <string_view>

#include "quarry/crawl/fetcher.hpp"

namespace quarry::crawl {

/// Collects the headers of one answer, as libcurl hands them over line by line.
class HeaderCollector {
 public:
  /// False if there are too many.
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
