#pragma once
/// From markup to `Dom`, through MyHTML. The only place that knows MyHTML.

#include <memory>
#include <string_view>

#include "crawl/web/dom.hpp"

namespace quarry::crawl::html {

/// Keeps MyHTML's buffers from one page to the next: setting them up costs as much as parsing a page of 10 KB. One thread
/// at a time.
class DomBuilder {
 public:
  DomBuilder();
  ~DomBuilder();
  DomBuilder(const DomBuilder&) = delete;
  DomBuilder& operator=(const DomBuilder&) = delete;

  /// `text` is clean UTF-8 of less than 1 GiB.
  void build(std::string_view text, const ParseOptions& options, Dom& out);

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace quarry::crawl::html
