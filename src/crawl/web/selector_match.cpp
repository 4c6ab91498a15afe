#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "crawl/web/dom.hpp"
#include "crawl/web/html_space.hpp"
#include "crawl/web/selector.hpp"

namespace quarry::crawl::html {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same(std::string_view a, std::string_view b, bool ignore_case) {
  if (a.size() != b.size()) return false;
  return ignore_case ? std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); })
                     : a == b;
}

bool has_word(std::string_view text, std::string_view word, bool ignore_case) {
  for (std::size_t at = 0; at < text.size();) {
    while (at < text.size() && is_html_space(text[at])) ++at;
    const auto begin = at;
    while (at < text.size() && !is_html_space(text[at])) ++at;
    if (at > begin && same(text.substr(begin, at - begin), word, ignore_case)) return true;
  }
  return false;
}

bool has_substring(std::string_view text, std::string_view part, bool ignore_case) {
  if (!ignore_case) return text.find(part) != std::string_view::npos;
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char x, char y) { return lower(x) == lower(y); }) != text.end();
}

bool fulfils(const AttributeCondition& condition, std::string_view value) {
  const std::string_view wanted = condition.value;
  const bool ignore = condition.ignore_case;
  switch (condition.test) {
    case AttributeTest::exists:
      return true;
    case AttributeTest::equals:
      return same(value, wanted, ignore);
    case AttributeTest::word:
      return !wanted.empty() && has_word(value, wanted, ignore);
    case AttributeTest::dash:
      return same(value.substr(0, wanted.size()), wanted, ignore) &&
             (value.size() == wanted.size() || value[wanted.size()] == '-');
    // An empty value matches nothing in these three (Selectors 4, 6.2).
    case AttributeTest::prefix:
      return !wanted.empty() && same(value.substr(0, wanted.size()), wanted, ignore);
    case AttributeTest::suffix:
      return !wanted.empty() && value.size() >= wanted.size() &&
             same(value.substr(value.size() - wanted.size()), wanted, ignore);
    case AttributeTest::substring:
      return !wanted.empty() && has_substring(value, wanted, ignore);
  }
  return false;
}

bool on_step(const NthCondition& condition, std::int64_t position) {
  const std::int64_t distance = position - condition.b;
  if (condition.a == 0) return distance == 0;
  return distance % condition.a == 0 && distance / condition.a >= 0;
}

/// Where an element stands among its siblings, and among those of its name. From one.
struct Place {
  std::uint32_t index = 1, count = 1, type_index = 1, type_count = 1;
};

class Walk {
 public:
  Walk(const Dom& dom, const CompiledSelector& selector, std::uint32_t scope)
      : dom_(dom), selector_(selector), scope_(scope), end_(dom.nodes[scope].end) {
    if (selector.counts_siblings) count_places();
    for (const auto& relation : selector.relations) answer(relation);
  }

  /// Calls `found(node)` until it says false.
  template <class F>
  void run(F found) {
    struct Open {
      std::uint32_t end;
      std::uint64_t self, ancestors;      // completed by this element; by it or one above
      std::uint64_t previous, preceding;  // by the last of its children so far; by any of them
    };
    std::vector<Open> open{{end_, 0, 0, 0, 0}};
    for (std::uint32_t i = scope_; i < end_; ++i) {
      if (dom_.nodes[i].is_text) continue;
      while (open.size() > 1 && open.back().end <= i) open.pop_back();
      auto& parent = open.back();
      const std::uint64_t candidates =
          selector_.first | (parent.self << 1 & selector_.child) | (parent.ancestors << 1 & selector_.descendant) |
          (parent.previous << 1 & selector_.next) | (parent.preceding << 1 & selector_.following);
      std::uint64_t completed = 0;
      for (auto rest = candidates; rest != 0; rest &= rest - 1) {
        const auto bit = static_cast<std::size_t>(std::countr_zero(rest));
        if (matches(selector_.compounds[bit], i)) completed |= std::uint64_t{1} << bit;
      }
      if (is_result(completed & selector_.last, i) && !found(i)) return;
      parent.previous = completed;
      parent.preceding |= completed;
      const Open entered{dom_.nodes[i].end, completed, parent.ancestors | completed, 0, 0};
      open.push_back(entered);
    }
  }

 private:
  /// The scope itself is a result only where the selector says `:scope` of it.
  bool is_result(std::uint64_t last, std::uint32_t node) const {
    if (node != scope_) return last != 0;
    for (; last != 0; last &= last - 1)
      if (selector_.compounds[static_cast<std::size_t>(std::countr_zero(last))].scope) return true;
    return false;
  }

  bool matches(const Compound& compound, std::uint32_t node) const {
    // The document is no element: it can only be the scope.
    if (node == 0 && !compound.scope) return false;
    if (!compound.type.empty() && dom_.name(node) != compound.type) return false;
    if (compound.scope && node != scope_) return false;
    for (const auto& id : compound.ids)
      if (dom_.attribute(node, "id") != std::string_view(id)) return false;
    if (!compound.classes.empty() && !has_classes(compound, node)) return false;
    for (const auto& condition : compound.attributes) {
      const auto value = dom_.attribute(node, condition.name);
      if (!value || !fulfils(condition, *value)) return false;
    }
    return matches_structure(compound, node);
  }

  bool has_classes(const Compound& compound, std::uint32_t node) const {
    const auto classes = dom_.attribute(node, "class");
    return classes && std::all_of(compound.classes.begin(), compound.classes.end(),
                                  [&](const std::string& wanted) { return has_word(*classes, wanted, false); });
  }

  bool matches_structure(const Compound& compound, std::uint32_t node) const {
    if (compound.root && (dom_.nodes[node].parent != 0 || node == 0)) return false;
    if (compound.empty && dom_.nodes[node].end != node + 1) return false;
    for (const auto& condition : compound.positions)
      if (!stands_at(condition, node)) return false;
    for (const auto relation : compound.relations)
      if (!relations_[relation][node - scope_]) return false;
    const auto any = [&](const std::vector<Compound>& list) {
      return std::any_of(list.begin(), list.end(), [&](const Compound& inner) { return matches(inner, node); });
    };
    return std::none_of(compound.none_of.begin(), compound.none_of.end(), any) &&
           std::all_of(compound.any_of.begin(), compound.any_of.end(), any);
  }

  bool stands_at(const NthCondition& condition, std::uint32_t node) const {
    const auto& place = places_[node - scope_];
    const auto index = condition.of_type ? place.type_index : place.index;
    const auto count = condition.of_type ? place.type_count : place.count;
    return on_step(condition, condition.from_end ? std::int64_t{count} - index + 1 : std::int64_t{index});
  }

  /// The scope stands alone.
  void count_places() {
    places_.resize(end_ - scope_);
    std::vector<std::uint32_t> children(end_ - scope_, 0);
    // The name's place in the document's bytes is the same for all elements of that name.
    std::unordered_map<std::uint64_t, std::uint32_t> of_type;
    const auto type_key = [&](std::uint32_t i) {
      return std::uint64_t{dom_.nodes[i].parent} << 32 | dom_.nodes[i].content.begin;
    };
    for (std::uint32_t i = scope_ + 1; i < end_; ++i) {
      if (dom_.nodes[i].is_text) continue;
      places_[i - scope_].index = ++children[dom_.nodes[i].parent - scope_];
      if (selector_.counts_types) places_[i - scope_].type_index = ++of_type[type_key(i)];
    }
    for (std::uint32_t i = scope_ + 1; i < end_; ++i) {
      if (dom_.nodes[i].is_text) continue;
      places_[i - scope_].count = children[dom_.nodes[i].parent - scope_];
      if (selector_.counts_types) places_[i - scope_].type_count = of_type[type_key(i)];
    }
  }

  void answer(const Relation& relation) {
    std::vector<bool> marked(end_ - scope_, false);
    switch (relation.combinator) {
      case Combinator::none:
      case Combinator::descendant:
        mark_ancestors(relation, marked);
        break;
      case Combinator::child:
        for (std::uint32_t i = scope_ + 1; i < end_; ++i)
          if (answers(relation, i)) marked[dom_.nodes[i].parent - scope_] = true;
        break;
      case Combinator::next:
      case Combinator::following:
        mark_siblings(relation, marked);
        break;
    }
    relations_.push_back(std::move(marked));
  }

  bool answers(const Relation& relation, std::uint32_t node) const {
    if (relation.is_text) return dom_.nodes[node].is_text && dom_.text(node).find(relation.text) != std::string_view::npos;
    return !dom_.nodes[node].is_text && matches(relation.inner, node);
  }

  void mark_ancestors(const Relation& relation, std::vector<bool>& marked) const {
    for (std::uint32_t i = scope_ + 1; i < end_; ++i) {
      if (!answers(relation, i)) continue;
      // Above a marked one all are marked: every node is marked once.
      for (auto up = dom_.nodes[i].parent; !marked[up - scope_]; up = dom_.nodes[up].parent) {
        marked[up - scope_] = true;
        if (up == scope_) break;
      }
    }
  }

  /// Backwards, so that what follows a node is known when it is reached.
  void mark_siblings(const Relation& relation, std::vector<bool>& marked) const {
    const bool only_next = relation.combinator == Combinator::next;
    std::vector<bool> seen(end_ - scope_, false);  // by parent: the next sibling, or any that follows, answers
    for (std::uint32_t i = end_; i-- > scope_ + 1;) {
      if (dom_.nodes[i].is_text) continue;
      const auto parent = dom_.nodes[i].parent - scope_;
      marked[i - scope_] = seen[parent];
      const bool answer = answers(relation, i);
      seen[parent] = only_next ? answer : seen[parent] || answer;
    }
  }

  const Dom& dom_;
  const CompiledSelector& selector_;
  std::uint32_t scope_, end_;
  std::vector<Place> places_;
  std::vector<std::vector<bool>> relations_;
};

}  // namespace

Selector Selector::compile(std::string_view text) {
  return Selector(std::make_shared<const CompiledSelector>(compile_selector(text)));
}

std::vector<Node> Selector::all(const Node& scope, std::size_t max) const {
  std::vector<Node> nodes;
  if (max == 0) return nodes;
  Walk(*scope.dom_, *compiled_, scope.index_).run([&](std::uint32_t node) {
    nodes.push_back(Node(scope.dom_, node));
    return nodes.size() < max;
  });
  return nodes;
}

std::optional<Node> Selector::first(const Node& scope) const {
  const auto one = all(scope, 1);
  return one.empty() ? std::nullopt : std::optional(one.front());
}

const std::string& Selector::text() const { return compiled_->source; }

}  // namespace quarry::crawl::html
