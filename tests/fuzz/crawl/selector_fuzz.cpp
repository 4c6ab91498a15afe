/// The first line is a selector, the rest a page to look through.
#include <algorithm>

#include "fuzz/crawl/fuzz.hpp"
#include "quarry/crawl/html.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace quarry::crawl;
  using quarry::fuzz::demand;
  const auto [selector_text, page] = quarry::fuzz::first_line(quarry::fuzz::view(data, size));
  quarry::fuzz::only_invalid([&, given = selector_text, markup = page] {
    const auto selector = html::Selector::compile(given);
    const auto document = html::Parser().parse(markup, {.nodes_max = 2000, .depth_max = 100});
    const auto nodes = selector.all(document.root());
    demand(std::is_sorted(nodes.begin(), nodes.end()), "nodes come in document order");
    demand(std::adjacent_find(nodes.begin(), nodes.end()) == nodes.end(), "each node comes once");
    const auto first = selector.first(document.root());
    demand(first.has_value() == !nodes.empty() && (!first || *first == nodes.front()), "the first is the first of all");
    for (const auto& node : nodes) (void)selector.all(node, 3);
  });
  return 0;
}
