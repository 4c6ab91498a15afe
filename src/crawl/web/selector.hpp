#pragma once
/// A selector, read: what `selector_parse.cpp` makes and `selector_match.cpp` walks with.
///
/// A list such as `ul > li a, h2` is a row of compounds (`ul`, `li`, `a`, `h2`), each with one bit. While the walk goes
/// through the document it knows, for each open element, which compounds it and its ancestors have completed; whether the
/// next node may complete compound k follows from bit k - 1 of its parent, ancestors or siblings, depending on the
/// combinator. So one pass in document order answers everything, without backtracking, and gives each node once.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::crawl::html {

enum class Combinator : std::uint8_t { none, descendant, child, next, following };

enum class AttributeTest : std::uint8_t { exists, equals, word, dash, prefix, suffix, substring };

struct AttributeCondition {
  std::string name;
  AttributeTest test = AttributeTest::exists;
  std::string value;
  bool ignore_case = false;
};

/// `an + b`, counted from one.
struct NthCondition {
  std::int32_t a = 0, b = 0;
  bool from_end = false, of_type = false;
};

/// Everything that one element must fulfil: `li.new[data-id]:not(.old)`.
struct Compound {
  Combinator combinator = Combinator::none;  ///< to the compound before it; none begins a selector of the list
  std::string type;                          ///< empty: any
  std::vector<std::string> ids, classes;
  std::vector<AttributeCondition> attributes;
  std::vector<NthCondition> positions;
  bool root = false, scope = false, empty = false;
  std::vector<std::vector<Compound>> none_of, any_of;  ///< `:not`, `:is`
  std::vector<std::uint16_t> relations;                ///< indexes into `CompiledSelector::relations`
};

/// `:has(...)` and `:contains(...)`: conditions on other nodes than the element, answered for all elements at once before
/// the walk.
struct Relation {
  Combinator combinator = Combinator::descendant;
  Compound inner;
  std::string text;  ///< of `:contains`; then `inner` means nothing
  bool is_text = false;
};

struct CompiledSelector {
  std::string source;
  std::vector<Compound> compounds;    ///< at most 64
  std::vector<Relation> relations;    ///< an inner one before the one around it
  std::uint64_t first = 0, last = 0;  ///< bits of the compounds that begin and end a selector of the list
  std::uint64_t descendant = 0, child = 0, next = 0, following = 0;
  bool counts_siblings = false, counts_types = false;
};

/// Throws `invalid`; see `Selector::compile`.
CompiledSelector compile_selector(std::string_view text);

}  // namespace quarry::crawl::html
