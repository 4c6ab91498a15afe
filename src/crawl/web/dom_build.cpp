#include "crawl/web/dom_build.hpp"

#include <myhtml/callback.h>
#include <myhtml/myhtml.h>
#include <myhtml/tree.h>

#include <new>
#include <unordered_map>

#include "quarry/core/utf8.hpp"

namespace quarry::crawl::html {
namespace {

/// After a page larger than this the buffers are given back.
constexpr std::size_t reuse_bytes_max = 1u << 20;
/// Unclosed formatting elements (`<b>`, `<font>`) are made anew in every paragraph that follows, so that n of them and n
/// paragraphs make n * n nodes. Pages written by people stay far below.
constexpr std::size_t formatting_max = 100;
constexpr std::size_t attributes_max = 10'000;

/// Watches the tree grow. MyHTML asks before it hands a token to the tree builder; from the first excess on, it builds no
/// more.
struct Guard {
  const ParseOptions* options;
  std::uint64_t nodes = 0;
  Limit hit = Limit::none;

  void check(const myhtml_tree_t& tree) {
    if (hit != Limit::none) return;
    if (tree.open_elements->length > options->depth_max || tree.active_formatting->length > formatting_max ||
        tree.template_insertion->length > options->depth_max)
      hit = Limit::depth;
    else if (nodes > options->nodes_max)
      hit = Limit::nodes;
  }
};

void* before_token(myhtml_tree_t* tree, myhtml_token_node_t* token, void* context) {
  auto& guard = *static_cast<Guard*>(context);
  guard.check(*tree);
  // The end of the file must reach the builder: it makes html, head and body where there are none.
  const bool stop = guard.hit != Limit::none && token->tag_id != MyHTML_TAG__END_OF_FILE;
  tree->parse_flags = stop ? MyHTML_TREE_PARSE_FLAGS_WITHOUT_BUILD_TREE : MyHTML_TREE_PARSE_FLAGS_CLEAN;
  return context;
}

void count_node(myhtml_tree_t*, myhtml_tree_node_t*, void* context) { ++static_cast<Guard*>(context)->nodes; }

/// Copies the finished tree.
class Copier {
 public:
  Copier(myhtml_tree_t* tree, const ParseOptions& options, Dom& out) : tree_(tree), options_(options), out_(out) {}

  void run() {
    out_.nodes.push_back({});
    std::uint32_t parent = 0, depth = 0;
    auto* node = tree_->document->child;
    while (node != nullptr) {
      const bool entered = add(node, parent);
      if (entered && node->child != nullptr && depth < options_.depth_max * 2) {
        parent = out_.size() - 1;
        node = node->child;
        ++depth;
        continue;
      }
      while (node != nullptr && node->next == nullptr) {
        out_.nodes[parent].end = out_.size();
        node = node->parent;
        parent = out_.nodes[parent].parent;
        if (depth > 0) --depth;
        if (node == tree_->document) node = nullptr;
      }
      if (node != nullptr) node = node->next;
    }
    close();
  }

 private:
  /// False for what the copy leaves out: comments, doctypes, empty texts.
  bool add(const myhtml_tree_node_t* node, std::uint32_t parent) {
    if (node->tag_id == MyHTML_TAG__COMMENT || node->tag_id == MyHTML_TAG__DOCTYPE || node->tag_id == MyHTML_TAG__UNDEF ||
        node->tag_id == MyHTML_TAG__END_OF_FILE)
      return false;
    DomNode made;
    made.parent = parent;
    made.is_text = node->tag_id == MyHTML_TAG__TEXT;
    if (made.is_text) {
      if (node->token == nullptr || node->token->str.length == 0) return false;
      made.content = keep(node->token->str);
    } else {
      made.content = name_of(node->tag_id);
      if (node->token != nullptr) add_attributes(*node->token, made);
    }
    out_.nodes.push_back(made);
    out_.nodes.back().end = out_.size();
    return !made.is_text;
  }

  /// Error recovery copies formatting elements, up to thousands of times; the copies share one token, and here its
  /// attributes.
  void add_attributes(const myhtml_token_node_t& token, DomNode& node) {
    if (token.attr_first == nullptr) return;
    const auto [at, fresh] = copied_.try_emplace(&token, node);
    if (fresh) {
      copy_attributes(token, node);
      at->second = node;
    }
    node.attributes = at->second.attributes;
    node.attribute_count = at->second.attribute_count;
  }

  void copy_attributes(const myhtml_token_node_t& token, DomNode& node) {
    node.attributes = static_cast<std::uint32_t>(out_.attributes.size());
    for (const auto* attribute = token.attr_first; attribute != nullptr; attribute = attribute->next) {
      if (attribute->key.length == 0 || node.attribute_count == attributes_max) continue;
      out_.attributes.push_back({keep(attribute->key), keep(attribute->value)});
      ++node.attribute_count;
    }
  }

  Span name_of(myhtml_tag_id_t tag) {
    const auto [at, fresh] = names_.try_emplace(tag);
    if (fresh) {
      std::size_t length = 0;
      const char* name = myhtml_tag_name_by_id(tree_, tag, &length);
      at->second = name == nullptr ? Span{} : keep(std::string_view(name, length));
    }
    return at->second;
  }

  Span keep(const mycore_string_t& string) {
    return string.data == nullptr ? Span{} : keep(std::string_view(string.data, string.length));
  }
  Span keep(std::string_view text) {
    const auto begin = static_cast<std::uint32_t>(out_.bytes.size());
    // Character references can name what may not stand in text.
    append_clean(out_.bytes, text);
    return {begin, static_cast<std::uint32_t>(out_.bytes.size()) - begin};
  }

  void close() {
    // A node's end is known when its last descendant has been added: pass the ends up.
    for (std::uint32_t i = out_.size(); i-- > 1;) {
      auto& parent = out_.nodes[out_.nodes[i].parent];
      if (parent.end < out_.nodes[i].end) parent.end = out_.nodes[i].end;
    }
    if (out_.nodes[0].end == 0) out_.nodes[0].end = out_.size();
  }

  myhtml_tree_t* tree_;
  const ParseOptions& options_;
  Dom& out_;
  std::unordered_map<myhtml_tag_id_t, Span> names_;
  std::unordered_map<const myhtml_token_node_t*, DomNode> copied_;
};

struct EngineDeleter {
  void operator()(myhtml_t* engine) const noexcept { myhtml_destroy(engine); }
};
struct TreeDeleter {
  void operator()(myhtml_tree_t* tree) const noexcept { myhtml_tree_destroy(tree); }
};

void demand(bool good) {
  if (!good) throw std::bad_alloc();  // the only trouble that MyHTML knows
}

}  // namespace

struct DomBuilder::Handles {
  std::unique_ptr<myhtml_t, EngineDeleter> engine{myhtml_create()};
  std::unique_ptr<myhtml_tree_t, TreeDeleter> tree;

  Handles() {
    // Single mode: no threads of its own.
    demand(engine && myhtml_init(engine.get(), MyHTML_OPTIONS_PARSE_MODE_SINGLE, 1, 0) == MyHTML_STATUS_OK);
    tree.reset(myhtml_tree_create());
    demand(tree && myhtml_tree_init(tree.get(), engine.get()) == MyHTML_STATUS_OK);
  }
};

DomBuilder::DomBuilder() = default;
DomBuilder::~DomBuilder() = default;

void DomBuilder::build(std::string_view text, const ParseOptions& options, Dom& out) {
  if (!handles_) handles_ = std::make_unique<Handles>();
  auto* tree = handles_->tree.get();
  Guard guard{.options = &options};
  myhtml_tree_clean(tree);
  myhtml_callback_before_token_done_set(tree, before_token, &guard);
  myhtml_callback_tree_node_insert_set(tree, count_node, &guard);
  const auto status = myhtml_parse(tree, MyENCODING_UTF_8, text.data(), text.size());
  if (MyHTML_FAILED(status) || tree->tokenizer_status != MyHTML_STATUS_OK) {
    handles_.reset();
    demand(false);
  }
  if (out.limit_hit == Limit::none) out.limit_hit = guard.hit;
  out.bytes.reserve(text.size());
  Copier(tree, options, out).run();
  if (text.size() > reuse_bytes_max || guard.hit != Limit::none) handles_.reset();
}

}  // namespace quarry::crawl::html
