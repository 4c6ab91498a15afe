/// Serialisation, after the HTML standard, 13.3 (serialising HTML fragments).
#include <algorithm>
#include <array>

#include "crawl/web/dom.hpp"

namespace quarry::crawl::html {
namespace {

constexpr std::array<std::string_view, 18> void_names = {"area",  "base",  "basefont", "bgsound", "br",    "col",
                                                         "embed", "frame", "hr",       "img",     "input", "keygen",
                                                         "link",  "meta",  "param",    "source",  "track", "wbr"};
static_assert(std::is_sorted(void_names.begin(), void_names.end()));

bool is_void(std::string_view name) { return std::binary_search(void_names.begin(), void_names.end(), name); }

/// Their text is not escaped, because a parser would not decode it.
bool is_raw(std::string_view name) {
  return name == "script" || name == "style" || name == "xmp" || name == "iframe" || name == "noembed" ||
         name == "noframes" || name == "plaintext";
}

void append_escaped(std::string& out, std::string_view text, bool in_attribute) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '&')
      out += "&amp;";
    else if (c == '\xC2' && i + 1 < text.size() && text[i + 1] == '\xA0')
      out += "&nbsp;", ++i;
    else if (c == '"' && in_attribute)
      out += "&quot;";
    else if (c == '<' && !in_attribute)
      out += "&lt;";
    else if (c == '>' && !in_attribute)
      out += "&gt;";
    else
      out += c;
  }
}

void append_start_tag(const Dom& dom, std::uint32_t node, std::string& out) {
  out += '<';
  out += dom.name(node);
  const auto& element = dom.nodes[node];
  for (std::uint32_t a = element.attributes; a < element.attributes + element.attribute_count; ++a) {
    out += ' ';
    out += dom.view(dom.attributes[a].name);
    out += "=\"";
    append_escaped(out, dom.view(dom.attributes[a].value), true);
    out += '"';
  }
  out += '>';
}

void append_end_tag(const Dom& dom, std::uint32_t node, std::string& out) {
  out += "</";
  out += dom.name(node);
  out += '>';
}

}  // namespace

std::string markup(const Dom& dom, std::uint32_t begin, std::uint32_t end) {
  std::string out;
  std::vector<std::uint32_t> open;
  for (std::uint32_t i = begin; i < end; ++i) {
    while (!open.empty() && dom.nodes[open.back()].end <= i) {
      append_end_tag(dom, open.back(), out);
      open.pop_back();
    }
    if (dom.nodes[i].is_text) {
      const auto text = dom.text(i);
      if (is_raw(dom.name(dom.nodes[i].parent)))
        out += text;
      else
        append_escaped(out, text, false);
    } else if (i != 0) {
      append_start_tag(dom, i, out);
      if (!is_void(dom.name(i))) open.push_back(i);
    }
  }
  for (; !open.empty(); open.pop_back()) append_end_tag(dom, open.back(), out);
  return out;
}

}  // namespace quarry::crawl::html
