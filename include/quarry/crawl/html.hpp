#pragma once
/// HTML as a tree that can be asked: by CSS selectors, for its links, its title, its visible text.
///
///     html::Parser parser;
///     const auto page = parser.parse(body, {.charset = "iso-8859-1"});
///     static const auto rows = html::Selector::compile("table.books > tbody > tr:not(.head)");
///     for (const html::Node& row : rows.all(page.root())) use(row.text(), row.attribute("id"));
///
/// The tree is the one that HTML5's error recovery gives (MyHTML, part of libmodest). It is copied into a compact form of
/// ours, in document order, before anything asks it, so that a `Document` depends on no parser, every walk is a loop
/// without recursion, and all text is valid UTF-8 without NUL whatever the page was.
///
/// Hostile input: input size, number of nodes and depth of nesting are limited while the tree grows, token by token. A
/// page that reaches a limit is cut there and says so (`limit_hit`); what came before is kept. Selectors run in time
/// proportional to nodes times compounds, whatever page and selector are.
///
/// Thread safety: a `Parser` belongs to one thread at a time. `Document`, `Node` and `Selector` are immutable and may be
/// shared. Lifetime: a `Node` refers to its `Document` and must not outlive it; views that it gives live as long as the
/// document. Errors: `invalid` for a selector that cannot be read. A page is never an error, only empty.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quarry/crawl/url.hpp"

namespace quarry::crawl::html {

struct Dom;
struct CompiledSelector;

/// One element, or the document itself (whose name is empty).
class Node {
 public:
  /// Lower case: `div`.
  std::string_view name() const;
  /// `name` in lower case. An attribute without a value is empty, not absent.
  std::optional<std::string_view> attribute(std::string_view name) const;
  /// The element around it; nothing for the root.
  std::optional<Node> parent() const;
  /// Elements and texts inside.
  std::size_t descendant_count() const;

  /// The text inside, as one line: white space is folded, elements that a browser sets apart (paragraphs, cells, `<br>`)
  /// are apart. Scripts, styles and templates have none, unless it is the element itself that is asked.
  std::string text() const;
  /// Markup, as the HTML standard serialises it: with the element itself, or what is inside it.
  std::string outer_html() const;
  /// The markup of what is inside.
  std::string inner_html() const;

  /// Position in document order.
  friend bool operator==(const Node&, const Node&) = default;
  friend std::strong_ordering operator<=>(const Node& a, const Node& b) { return a.index_ <=> b.index_; }

 private:
  friend class Document;
  friend class Selector;
  Node(const Dom* dom, std::uint32_t index) : dom_(dom), index_(index) {}

  const Dom* dom_;
  std::uint32_t index_;
};

struct Heading {
  int level = 1;  ///< 1 to 6
  std::string text;

  friend bool operator==(const Heading&, const Heading&) = default;
};

/// What a page or an answer asks of robots: `<meta name="robots">` or `X-Robots-Tag`.
struct RobotsDirectives {
  bool noindex = false;
  bool nofollow = false;

  friend bool operator==(const RobotsDirectives&, const RobotsDirectives&) = default;
};

/// Reads `noindex, nofollow`, `none` and the like; ignores what it does not know.
RobotsDirectives parse_robots_directives(std::string_view text);

struct Link {
  Url url;
  bool nofollow = false;  ///< by `rel`; the page's own directive is in `robots()`
  Node node;
};

/// Which limit cut the page.
enum class Limit { none, bytes, nodes, depth };

/// The name, as it is logged.
std::string_view to_string(Limit limit) noexcept;

class Document {
 public:
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  /// The document itself, whose child is `html`.
  Node root() const { return {dom_.get(), 0}; }
  /// The WHATWG name of the encoding that was used, in lower case.
  std::string_view encoding() const;
  /// Which limit cut the document short; `none` when it is whole.
  Limit limit_hit() const;
  /// Elements and texts that were kept.
  std::size_t node_count() const;

  std::string title() const;  ///< empty if there is none
  /// Of `meta name="description"`; empty if there is none.
  std::string description() const;
  /// In the order of the document.
  std::vector<Heading> headings() const;
  /// Of `meta name="robots"`.
  RobotsDirectives robots() const;
  /// What relative references start from: the first `<base href>`, or `page`.
  Url base(const Url& page) const;
  /// Of `link rel="canonical"`; nothing if there is none that can be read.
  std::optional<Url> canonical(const Url& page) const;
  /// Every `<a href>` and `<area href>` that is a URL that can be fetched, in document order, repeated as often as it
  /// stands there.
  std::vector<Link> links(const Url& page) const;
  /// For full-text search: one line for each block, at most `bytes_max` bytes, cut between characters.
  std::string visible_text(std::size_t bytes_max = std::size_t{1} << 20) const;

 private:
  friend class Parser;
  explicit Document(std::unique_ptr<const Dom> dom);
  std::unique_ptr<const Dom> dom_;
};

struct ParseOptions {
  std::string_view charset = {};      ///< from the Content-Type header, if it names one
  std::size_t bytes_max = 16u << 20;  ///< the rest is not looked at
  std::uint32_t nodes_max = 500'000;  ///< elements and texts
  std::uint32_t depth_max = 512;      ///< browsers stop there too
};

class Parser {
 public:
  Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;
  ~Parser();

  /// The encoding is taken from a byte order mark, `options.charset`, a `<meta>` in the first 1024 bytes, or is UTF-8 if
  /// the bytes are that, and windows-1252 if not.
  Document parse(std::string_view bytes, const ParseOptions& options = {});

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

/// A list of CSS selectors, read once and used often.
///
/// Understood: types and `*`, `#id`, `.class`, attributes (`[a]`, `=`, `~=`, `|=`, `^=`, `$=`, `*=`, flag `i`), the
/// combinators space, `>`, `+` and `~`, lists; `:root`, `:scope`, `:empty`, `:first-child`, `:last-child`, `:only-child`,
/// their `-of-type` forms, `:nth-child(an+b)` and its three relatives, `:not(...)` and `:is(...)` over compounds,
/// `:has(...)` over one compound with an optional combinator before it, and `:contains("text")`, which looks for an
/// element with a text inside that contains it.
///
/// Matched by a walk of its own in one pass, because libmodest's finder takes quadratic time and more on pages made for it,
/// gives nodes several times, and has hung on malformed selectors (lexborisov/Modest#84).
///
/// Limits: 1024 bytes, 64 compounds, 4 levels of parentheses.
class Selector {
 public:
  /// Throws `invalid`, naming the selector, the position and what is wrong there.
  static Selector compile(std::string_view text);

  /// Elements inside `scope` in document order, each once. The selector is matched within `scope`: its ancestors do not
  /// count, it counts itself, and `:scope` is it.
  std::vector<Node> all(const Node& scope, std::size_t max = SIZE_MAX) const;
  /// The first match below `scope` in the order of the document; nothing when there is none.
  std::optional<Node> first(const Node& scope) const;
  /// As it was written.
  const std::string& text() const;

 private:
  explicit Selector(std::shared_ptr<const CompiledSelector> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const CompiledSelector> compiled_;
};

}  // namespace quarry::crawl::html
