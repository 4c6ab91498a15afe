#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "crawl/web/html_space.hpp"
#include "crawl/web/percent.hpp"
#include "crawl/web/selector.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/utf8.hpp"
#include "quarry/crawl/html.hpp"

namespace quarry::crawl::html {
namespace {

constexpr std::size_t selector_bytes_max = 1024, compounds_max = 64;
constexpr int nesting_max = 4;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_name_character(char c) { return is_name_start(c) || is_digit(c) || c == '-'; }

std::string lowered(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return text;
}

class SelectorReader {
 public:
  explicit SelectorReader(std::string_view text) : text_(text) {}

  CompiledSelector read() {
    out_.source = text_;
    if (text_.size() > selector_bytes_max) fail(fmt::format("it is longer than {} bytes", selector_bytes_max));
    if (clean_prefix(text_) != text_.size()) fail("it is not valid UTF-8", clean_prefix(text_));
    do read_complex();
    while (take(','));
    if (at_ != text_.size()) fail("this belongs to no selector");
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(std::string_view what) const { fail(what, at_); }
  [[noreturn]] void fail(std::string_view what, std::size_t at) const {
    throw_invalid(fmt::format("selector '{}', position {}: {}", cut_at_character(text_, 200), at + 1, what));
  }

  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool done() const { return at_ == text_.size(); }
  bool take(char c) {
    if (done() || peek() != c) return false;
    ++at_;
    return true;
  }
  bool skip_space() {
    const auto before = at_;
    while (!done() && is_html_space(peek())) ++at_;
    return at_ != before;
  }
  void expect_close() {
    skip_space();
    if (!take(')')) fail("')' is missing here");
  }

  // -- selectors

  void read_complex() {
    skip_space();
    auto combinator = Combinator::none;
    for (;;) {
      add(read_compound(), combinator);
      const bool space = skip_space();
      if (done() || peek() == ',') return;
      if (const auto named = read_combinator())
        combinator = *named;
      else if (space)
        combinator = Combinator::descendant;
      else
        fail("this belongs to no selector");
    }
  }

  std::optional<Combinator> read_combinator() {
    std::optional<Combinator> named;
    if (take('>'))
      named = Combinator::child;
    else if (take('+'))
      named = Combinator::next;
    else if (take('~'))
      named = Combinator::following;
    if (named) skip_space();
    return named;
  }

  void add(Compound compound, Combinator combinator) {
    const auto count = out_.compounds.size();
    if (count == compounds_max) fail(fmt::format("more than {} compounds", compounds_max));
    compound.combinator = combinator;
    const std::uint64_t bit = std::uint64_t{1} << count;
    switch (combinator) {
      case Combinator::none:
        out_.first |= bit;
        break;
      case Combinator::descendant:
        out_.descendant |= bit;
        break;
      case Combinator::child:
        out_.child |= bit;
        break;
      case Combinator::next:
        out_.next |= bit;
        break;
      case Combinator::following:
        out_.following |= bit;
        break;
    }
    if (combinator != Combinator::none) out_.last &= ~(bit >> 1);
    out_.last |= bit;
    out_.compounds.push_back(std::move(compound));
  }

  // -- one compound

  Compound read_compound() {
    Compound compound;
    const auto begin = at_;
    if (take('*')) {
    } else if (is_name_start(peek()) || peek() == '-' || peek() == '\\') {
      compound.type = lowered(read_name("an element's name"));
    }
    if (peek() == '|') fail("namespaces are not supported");
    for (;;) {
      if (take('#'))
        compound.ids.push_back(read_name("an id"));
      else if (take('.'))
        compound.classes.push_back(read_name("a class"));
      else if (take('['))
        compound.attributes.push_back(read_attribute());
      else if (take(':'))
        read_pseudo(compound);
      else
        break;
    }
    if (at_ == begin) fail(done() ? "a selector is missing here" : "a name, '*', '.', '#', '[' or ':' is wanted here");
    return compound;
  }

  AttributeCondition read_attribute() {
    AttributeCondition condition;
    skip_space();
    condition.name = lowered(read_name("an attribute's name"));
    skip_space();
    if (take(']')) return condition;
    condition.test = read_test();
    skip_space();
    condition.value = peek() == '"' || peek() == '\'' ? read_string() : read_bare_value();
    const bool space = skip_space();
    if (peek() != ']' && space) {
      const char flag = peek();
      if (flag != 'i' && flag != 'I' && flag != 's' && flag != 'S') fail("']' is missing here");
      condition.ignore_case = flag == 'i' || flag == 'I';
      ++at_;
      skip_space();
    }
    if (!take(']')) fail("']' is missing here");
    return condition;
  }

  AttributeTest read_test() {
    constexpr std::pair<char, AttributeTest> tests[] = {{'~', AttributeTest::word},
                                                        {'|', AttributeTest::dash},
                                                        {'^', AttributeTest::prefix},
                                                        {'$', AttributeTest::suffix},
                                                        {'*', AttributeTest::substring}};
    if (take('=')) return AttributeTest::equals;
    for (const auto& [sign, test] : tests)
      if (peek() == sign && peek(1) == '=') return at_ += 2, test;
    fail("one of ] = ~= |= ^= $= *= is wanted here");
  }

  /// More lenient than CSS, which wants quotes round `[data-id=12]`.
  std::string read_bare_value() {
    const auto begin = at_;
    while (!done() && peek() != ']' && peek() != '"' && peek() != '\'' && !is_html_space(peek())) ++at_;
    if (at_ == begin) fail("a value is missing here");
    return std::string(text_.substr(begin, at_ - begin));
  }

  // -- pseudo-classes

  void read_pseudo(Compound& compound) {
    const auto begin = at_ - 1;
    if (peek() == ':') fail("pseudo-elements are not supported: a field's type says what is taken", begin);
    const auto name = lowered(read_name("a pseudo-class"));
    if (take('('))
      read_function(compound, name, begin);
    else
      read_plain_pseudo(compound, name, begin);
  }

  void read_plain_pseudo(Compound& compound, std::string_view name, std::size_t begin) {
    const auto position = [&](bool from_end, bool of_type) { add_position(compound, {0, 1, from_end, of_type}); };
    if (name == "root")
      compound.root = true;
    else if (name == "scope")
      compound.scope = true;
    else if (name == "empty")
      compound.empty = true;
    else if (name == "first-child")
      position(false, false);
    else if (name == "last-child")
      position(true, false);
    else if (name == "only-child")
      position(false, false), position(true, false);
    else if (name == "first-of-type")
      position(false, true);
    else if (name == "last-of-type")
      position(true, true);
    else if (name == "only-of-type")
      position(false, true), position(true, true);
    else
      fail(fmt::format("':{}' is not supported", name), begin);
  }

  void read_function(Compound& compound, std::string_view name, std::size_t begin) {
    if (++nesting_ > nesting_max) fail(fmt::format("more than {} levels of parentheses", nesting_max), begin);
    skip_space();
    if (name == "not")
      compound.none_of.push_back(read_compounds());
    else if (name == "is" || name == "where" || name == "matches")
      compound.any_of.push_back(read_compounds());
    else if (name == "has")
      compound.relations.push_back(read_has());
    else if (name == "contains")
      compound.relations.push_back(read_contains());
    else if (name == "nth-child")
      add_position(compound, read_nth(false, false));
    else if (name == "nth-last-child")
      add_position(compound, read_nth(true, false));
    else if (name == "nth-of-type")
      add_position(compound, read_nth(false, true));
    else if (name == "nth-last-of-type")
      add_position(compound, read_nth(true, true));
    else
      fail(fmt::format("':{}()' is not supported", name), begin);
    expect_close();
    --nesting_;
  }

  void add_position(Compound& compound, NthCondition condition) {
    out_.counts_siblings = true;
    out_.counts_types = out_.counts_types || condition.of_type;
    compound.positions.push_back(condition);
  }

  std::vector<Compound> read_compounds() {
    std::vector<Compound> list;
    do {
      skip_space();
      list.push_back(read_compound());
      skip_space();
      if (peek() != ',' && peek() != ')' && !done()) fail("only compounds such as 'p.note' may stand here, no combinators");
    } while (take(','));
    return list;
  }

  std::uint16_t add_relation(Relation relation) {
    out_.relations.push_back(std::move(relation));
    return static_cast<std::uint16_t>(out_.relations.size() - 1);
  }

  std::uint16_t read_has() {
    Relation relation;
    if (const auto named = read_combinator()) relation.combinator = *named;
    relation.inner = read_compound();
    skip_space();
    if (peek() != ')' && !done()) fail("':has()' takes one compound with an optional combinator before it");
    return add_relation(std::move(relation));
  }

  std::uint16_t read_contains() {
    if (peek() != '"' && peek() != '\'') fail("a text in quotes is wanted here");
    Relation relation;
    relation.is_text = true;
    const auto begin = at_;
    relation.text = read_string();
    if (relation.text.empty()) fail("the text is empty", begin);
    return add_relation(std::move(relation));
  }

  // -- an + b

  NthCondition read_nth(bool from_end, bool of_type) {
    NthCondition condition{0, 0, from_end, of_type};
    if (take_word("odd")) return condition.a = 2, condition.b = 1, condition;
    if (take_word("even")) return condition.a = 2, condition;
    const auto begin = at_;
    const int sign = take('-') ? -1 : (take('+'), 1);
    const auto number = read_number();
    if (peek() != 'n' && peek() != 'N') {
      if (!number) fail("a number, 'odd', 'even' or a form like 2n+1 is wanted here", begin);
      condition.b = sign * *number;
      return condition;
    }
    ++at_;
    condition.a = sign * number.value_or(1);
    const auto after = at_;
    skip_space();
    if (peek() != '+' && peek() != '-') return at_ = after, condition;
    const int step = take('-') ? -1 : (take('+'), 1);
    skip_space();
    const auto offset = read_number();
    if (!offset) fail("a number is missing here");
    condition.b = step * *offset;
    return condition;
  }

  bool take_word(std::string_view word) {
    if (lowered(std::string(text_.substr(at_, word.size()))) != word || is_name_character(peek(word.size()))) return false;
    at_ += word.size();
    return true;
  }

  std::optional<std::int32_t> read_number() {
    if (!is_digit(peek())) return std::nullopt;
    const auto begin = at_;
    std::int32_t value = 0;
    for (; is_digit(peek()); ++at_) {
      value = value * 10 + (peek() - '0');
      if (value > 1'000'000) fail("the number is above 1000000", begin);
    }
    return value;
  }

  // -- names and strings

  std::string read_name(std::string_view what) {
    const auto begin = at_;
    std::string name;
    while (!done()) {
      if (is_name_character(peek()))
        name += text_[at_++];
      else if (peek() == '\\')
        read_escape(name);
      else
        break;
    }
    // `-1` and `2x` are no names (CSS Syntax 3, 4.3.9); an escaped digit is.
    const auto first = text_.substr(begin, 2);
    const bool number =
        !first.empty() && (is_digit(first[0]) || (first[0] == '-' && (first.size() == 1 || is_digit(first[1]))));
    if (name.empty() || number) fail(fmt::format("{} is wanted here", what), begin);
    return name;
  }

  void read_escape(std::string& out) {
    ++at_;
    if (done() || peek() == '\n') fail("the escape is not finished");
    if (hex_digit(peek()) < 0) {
      out += text_[at_++];
      return;
    }
    unsigned long code_point = 0;
    for (int i = 0; i < 6 && hex_digit(peek()) >= 0; ++i)
      code_point = code_point * 16 + static_cast<unsigned long>(hex_digit(text_[at_++]));
    if (!done() && is_html_space(peek())) ++at_;
    append_code_point(out, code_point);
  }

  std::string read_string() {
    const auto begin = at_;
    const char quote = text_[at_++];
    std::string value;
    for (;;) {
      if (done() || peek() == '\n') fail("the quote is not closed", begin);
      if (peek() == quote) return ++at_, value;
      if (peek() == '\\')
        read_escape(value);
      else
        value += text_[at_++];
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  CompiledSelector out_;
};

}  // namespace

CompiledSelector compile_selector(std::string_view text) { return SelectorReader(text).read(); }

}  // namespace quarry::crawl::html
