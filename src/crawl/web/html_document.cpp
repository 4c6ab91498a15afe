#include <utility>

#include "crawl/web/charset.hpp"
#include "crawl/web/dom.hpp"
#include "crawl/web/dom_build.hpp"
#include "crawl/web/words.hpp"
#include "quarry/crawl/html.hpp"

namespace quarry::crawl::html {
namespace {

/// Calls `use(node)` for every element of this name until it says false.
template <class F>
void each_element(const Dom& dom, std::string_view name, F use) {
  for (std::uint32_t i = 1; i < dom.size(); ++i)
    if (dom.name(i) == name && !use(i)) return;
}

std::string line_text(const Dom& dom, std::uint32_t node) {
  std::string out;
  append_line_text(dom, node, out);
  return out;
}

std::string_view meta_content(const Dom& dom, std::string_view name) {
  std::string_view content;
  each_element(dom, "meta", [&](std::uint32_t i) {
    if (!same_word(dom.attribute(i, "name").value_or(""), name)) return true;
    content = dom.attribute(i, "content").value_or("");
    return content.empty();
  });
  return content;
}

}  // namespace

RobotsDirectives parse_robots_directives(std::string_view text) {
  RobotsDirectives directives;
  each_word(text, [&](std::string_view word) {
    const bool none = same_word(word, "none");
    directives.noindex = directives.noindex || none || same_word(word, "noindex");
    directives.nofollow = directives.nofollow || none || same_word(word, "nofollow");
  });
  return directives;
}

std::string_view to_string(Limit limit) noexcept {
  switch (limit) {
    case Limit::none:
      return "none";
    case Limit::bytes:
      return "bytes";
    case Limit::nodes:
      return "nodes";
    case Limit::depth:
      return "depth";
  }
  return "none";
}

std::optional<std::string_view> Dom::attribute(std::uint32_t node, std::string_view name) const {
  const auto& element = nodes[node];
  for (std::uint32_t a = element.attributes; a < element.attributes + element.attribute_count; ++a)
    if (view(attributes[a].name) == name) return view(attributes[a].value);
  return std::nullopt;
}

std::string_view Node::name() const { return dom_->name(index_); }
std::optional<std::string_view> Node::attribute(std::string_view name) const { return dom_->attribute(index_, name); }
std::optional<Node> Node::parent() const {
  if (index_ == 0) return std::nullopt;
  return Node(dom_, dom_->nodes[index_].parent);
}
std::size_t Node::descendant_count() const { return dom_->nodes[index_].end - index_ - 1; }
std::string Node::text() const { return line_text(*dom_, index_); }
std::string Node::outer_html() const { return markup(*dom_, index_, dom_->nodes[index_].end); }
std::string Node::inner_html() const { return markup(*dom_, index_ + 1, dom_->nodes[index_].end); }

Document::Document(std::unique_ptr<const Dom> dom) : dom_(std::move(dom)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

std::string_view Document::encoding() const { return dom_->encoding; }
Limit Document::limit_hit() const { return dom_->limit_hit; }
std::size_t Document::node_count() const { return dom_->size(); }

std::string Document::title() const {
  std::string title;
  each_element(*dom_, "title", [&](std::uint32_t i) {
    // An image drawn inside the page has titles of its own.
    if (dom_->name(dom_->nodes[i].parent) == "svg") return true;
    title = line_text(*dom_, i);
    return title.empty();
  });
  return title;
}

std::string Document::description() const { return std::string(meta_content(*dom_, "description")); }

std::vector<Heading> Document::headings() const {
  std::vector<Heading> headings;
  for (std::uint32_t i = 1; i < dom_->size(); ++i) {
    const auto name = dom_->name(i);
    if (name.size() != 2 || name[0] != 'h' || name[1] < '1' || name[1] > '6') continue;
    if (auto text = line_text(*dom_, i); !text.empty()) headings.push_back({name[1] - '0', std::move(text)});
  }
  return headings;
}

RobotsDirectives Document::robots() const {
  RobotsDirectives all;
  each_element(*dom_, "meta", [&](std::uint32_t i) {
    if (!same_word(dom_->attribute(i, "name").value_or(""), "robots")) return true;
    const auto one = parse_robots_directives(dom_->attribute(i, "content").value_or(""));
    all.noindex = all.noindex || one.noindex;
    all.nofollow = all.nofollow || one.nofollow;
    return true;
  });
  return all;
}

Url Document::base(const Url& page) const {
  std::optional<Url> base;
  each_element(*dom_, "base", [&](std::uint32_t i) {
    const auto href = dom_->attribute(i, "href");
    if (href) base = try_resolve(page, *href);
    return !href;
  });
  return base ? *std::move(base) : page;
}

std::optional<Url> Document::canonical(const Url& page) const {
  std::optional<Url> found;
  each_element(*dom_, "link", [&](std::uint32_t i) {
    const auto href = dom_->attribute(i, "href");
    if (!href || !has_word(dom_->attribute(i, "rel").value_or(""), "canonical")) return true;
    found = try_resolve(base(page), *href);
    return !found;
  });
  return found;
}

std::vector<Link> Document::links(const Url& page) const {
  std::vector<Link> links;
  const Url from = base(page);
  for (std::uint32_t i = 1; i < dom_->size(); ++i) {
    const auto name = dom_->name(i);
    if (name != "a" && name != "area") continue;
    const auto href = dom_->attribute(i, "href");
    if (!href) continue;
    if (auto url = try_resolve(from, *href))
      links.push_back({*std::move(url), has_word(dom_->attribute(i, "rel").value_or(""), "nofollow"), Node(dom_.get(), i)});
  }
  return links;
}

std::string Document::visible_text(std::size_t bytes_max) const { return block_text(*dom_, 0, bytes_max); }

struct Parser::Engine {
  DomBuilder builder;
};

Parser::Parser() : engine_(std::make_unique<Engine>()) {}
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;
Parser::~Parser() = default;

Document Parser::parse(std::string_view bytes, const ParseOptions& options) {
  auto dom = std::make_unique<Dom>();
  // Offsets are 32 bits, and decoding can make three bytes of one.
  constexpr std::size_t hard_bytes_max = std::size_t{1} << 28;
  const auto bytes_max = std::min(options.bytes_max, hard_bytes_max);
  if (bytes.size() > bytes_max) {
    bytes = bytes.substr(0, bytes_max);
    dom->limit_hit = Limit::bytes;
  }
  Decoded decoded;
  decode(bytes, options.charset, decoded);
  dom->encoding = std::move(decoded.encoding);
  engine_->builder.build(decoded.text, options, *dom);
  return Document(std::move(dom));
}

}  // namespace quarry::crawl::html
