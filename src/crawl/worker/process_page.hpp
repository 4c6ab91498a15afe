#pragma once
/// From an HTTP answer to what will be committed. Pure computation.

#include "crawl/worker/outcome.hpp"
#include "quarry/crawl/fetcher.hpp"
#include "quarry/crawl/html.hpp"

namespace quarry::crawl {

/// Fills `outcome.content`, or its error. `depth` is the page's own. Never throws for what a page holds.
void process_page(Response response, std::int64_t depth, std::size_t text_bytes_max, html::Parser& parser, Outcome& outcome);

/// Fills in why the page could not be had, whether another try may help, and what it says of the host.
void fail_page(const Response& response, Outcome& outcome);

}  // namespace quarry::crawl
