#pragma once
/// The tree behind `html::Document`: nodes in document order in one array, all text in one string.
///
/// The descendants of node `i` are the nodes from `i + 1` up to its `end`, so a walk over a subtree is a loop over a range.
/// Node 0 is the document.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/crawl/html.hpp"

namespace quarry::crawl::html {

/// A piece of `Dom::bytes`.
struct Span {
  std::uint32_t begin = 0, length = 0;
};

struct DomNode {
  std::uint32_t parent = 0;
  std::uint32_t end = 0;         ///< one past the last descendant
  Span content;                  ///< an element's name, or a text
  std::uint32_t attributes = 0;  ///< index of the first
  std::uint16_t attribute_count = 0;
  bool is_text = false;
};

struct DomAttribute {
  Span name, value;
};

struct Dom {
  std::vector<DomNode> nodes;
  std::vector<DomAttribute> attributes;
  std::string bytes;
  std::string encoding;
  Limit limit_hit = Limit::none;

  std::string_view view(Span span) const { return std::string_view(bytes).substr(span.begin, span.length); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(nodes.size()); }
  bool is_element(std::uint32_t node) const { return !nodes[node].is_text; }
  /// Of an element; the document's is empty.
  std::string_view name(std::uint32_t node) const {
    return nodes[node].is_text ? std::string_view{} : view(nodes[node].content);
  }
  std::string_view text(std::uint32_t node) const {
    return nodes[node].is_text ? view(nodes[node].content) : std::string_view{};
  }
  std::optional<std::string_view> attribute(std::uint32_t node, std::string_view name) const;
};

/// Appends the text of `node` and what is inside, folded to one line; see `Node::text`.
void append_line_text(const Dom& dom, std::uint32_t node, std::string& out);
/// One line for each block, until `bytes_max`; see `Document::visible_text`.
std::string block_text(const Dom& dom, std::uint32_t node, std::size_t bytes_max);
/// Markup of the nodes from `begin` to `end`.
std::string markup(const Dom& dom, std::uint32_t begin, std::uint32_t end);

}  // namespace quarry::crawl::html
