#include <algorithm>
#include <array>

#include "crawl/web/dom.hpp"
#include "crawl/web/html_space.hpp"
#include "quarry/core/utf8.hpp"

namespace quarry::crawl::html {
namespace {

/// What a browser's default style sheet sets apart (HTML standard, 15.3), and `<br>`. Sorted.
constexpr std::array<std::string_view, 59> block_names = {
    "address",  "article",  "aside",  "blockquote", "body",  "br",       "caption",    "center", "dd",      "details",
    "dialog",   "dir",      "div",    "dl",         "dt",    "fieldset", "figcaption", "figure", "footer",  "form",
    "frame",    "frameset", "h1",     "h2",         "h3",    "h4",       "h5",         "h6",     "header",  "hgroup",
    "hr",       "html",     "iframe", "legend",     "li",    "listing",  "main",       "menu",   "nav",     "ol",
    "optgroup", "option",   "p",      "plaintext",  "pre",   "search",   "section",    "select", "summary", "table",
    "tbody",    "textarea", "tfoot",  "thead",      "title", "tr",       "ul",         "video",  "xmp"};
static_assert(std::is_sorted(block_names.begin(), block_names.end()));

bool is_block(std::string_view name) { return std::binary_search(block_names.begin(), block_names.end(), name); }
bool is_cell(std::string_view name) { return name == "td" || name == "th"; }
bool has_no_text(std::string_view name) {
  return name == "script" || name == "style" || name == "template" || name == "noscript";
}

/// Folds white space; a separator is written only when text follows and text came before.
class Folder {
 public:
  Folder(std::string& out, char block_separator) : out_(out), begin_(out.size()), block_separator_(block_separator) {}

  void block() { pending_ = block_separator_; }
  void space() {
    if (pending_ == 0) pending_ = ' ';
  }
  void text(std::string_view text) {
    while (!text.empty()) {
      if (is_html_space(text.front())) {
        space();
        text.remove_prefix(1);
        continue;
      }
      const auto end = std::find_if(text.begin(), text.end(), is_html_space) - text.begin();
      if (pending_ != 0 && out_.size() > begin_) out_ += pending_;
      pending_ = 0;
      out_ += text.substr(0, static_cast<std::size_t>(end));
      text.remove_prefix(static_cast<std::size_t>(end));
    }
  }

 private:
  std::string& out_;
  std::size_t begin_;
  char block_separator_;
  char pending_ = 0;
};

void separate(Folder& folder, std::string_view name) {
  if (is_block(name))
    folder.block();
  else if (is_cell(name))
    folder.space();
}

/// Walks `node` and its descendants. `skips(i)` leaves an element out, with all that is in it.
template <class Skips>
void fold(const Dom& dom, std::uint32_t node, Folder& folder, std::size_t bytes_max, const std::string& out, Skips skips) {
  std::vector<std::uint32_t> open;
  for (std::uint32_t i = node; i < dom.nodes[node].end && out.size() < bytes_max; ++i) {
    while (!open.empty() && dom.nodes[open.back()].end <= i) {
      separate(folder, dom.name(open.back()));
      open.pop_back();
    }
    if (dom.nodes[i].is_text) {
      folder.text(dom.text(i));
    } else if (i != node && skips(i)) {
      i = dom.nodes[i].end - 1;
    } else {
      separate(folder, dom.name(i));
      open.push_back(i);
    }
  }
}

}  // namespace

void append_line_text(const Dom& dom, std::uint32_t node, std::string& out) {
  Folder folder(out, ' ');
  fold(dom, node, folder, SIZE_MAX, out, [&](std::uint32_t i) { return has_no_text(dom.name(i)); });
}

std::string block_text(const Dom& dom, std::uint32_t node, std::size_t bytes_max) {
  std::string out;
  Folder folder(out, '\n');
  fold(dom, node, folder, bytes_max, out, [&](std::uint32_t i) {
    const auto name = dom.name(i);
    return has_no_text(name) || name == "head" || dom.attribute(i, "hidden").has_value();
  });
  out.resize(cut_at_character(out, bytes_max).size());
  return out;
}

}  // namespace quarry::crawl::html
