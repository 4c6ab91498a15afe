/// Random JSON values, each spelled twice at random: both spellings have one canonical form, which means the same value, and
/// what an engine makes of a spelling has that form, too.
///
/// QUARRY_TEST_LONG=1 tries fifty times as many. A failure prints the seed; RC_PARAMS repeats it.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <set>

#include "quarry/system/audit.hpp"
#include "support/both_engines.hpp"

namespace quarry::test {
namespace {

using Dice = std::mt19937_64;
int roll(Dice& dice, int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(dice); }

/// A character with its UTF-16 units.
struct Letter {
  const char* utf8;
  std::array<int, 2> units;
};
constexpr std::array letters{Letter{"a", {0x61, 0}},
                             Letter{"B", {0x42, 0}},
                             Letter{" ", {0x20, 0}},
                             Letter{"/", {0x2F, 0}},
                             Letter{"\"", {0x22, 0}},
                             Letter{"\\", {0x5C, 0}},
                             Letter{"\n", {0x0A, 0}},
                             Letter{"\x1F", {0x1F, 0}},
                             Letter{"\x7F", {0x7F, 0}},
                             Letter{"\xC3\xA9", {0xE9, 0}},
                             Letter{"\xE2\x80\xA8", {0x2028, 0}},
                             Letter{"\xF0\x9F\x98\x80", {0xD83D, 0xDE00}}};
using Text = std::vector<int>;  ///< indices into `letters`

Text make_text(Dice& dice) {
  Text text(static_cast<std::size_t>(roll(dice, 6)));
  for (auto& letter : text) letter = roll(dice, letters.size());
  return text;
}

std::string spell_text(const Text& text, Dice& dice) {
  std::string out = "\"";
  for (const int index : text) {
    const auto& letter = letters[static_cast<std::size_t>(index)];
    const bool is_special = letter.units[0] < 0x20 || letter.units[0] == '"' || letter.units[0] == '\\';
    if (roll(dice, 3) > 0 && !is_special)
      out += letter.utf8;
    else if (roll(dice, 2) > 0 && letter.units[0] == '\n')
      out += "\\n";
    else if (roll(dice, 2) > 0 && (letter.units[0] == '"' || letter.units[0] == '\\' || letter.units[0] == '/'))
      out += std::string("\\") + letter.utf8;
    else
      for (const int unit : letter.units)
        if (unit != 0) out += roll(dice, 2) > 0 ? fmt::format("\\u{:04x}", unit) : fmt::format("\\u{:04X}", unit);
  }
  return out + '"';
}

/// digits x 10^exponent
struct Number {
  bool negative = false;
  std::string digits;
  int exponent = 0;
};

Number make_number(Dice& dice) {
  Number number{.negative = roll(dice, 2) > 0, .digits = {}, .exponent = 0};
  const int size = 1 + roll(dice, 25);
  for (int i = 0; i < size; ++i) number.digits += static_cast<char>('0' + roll(dice, 10));
  number.digits.erase(0, std::min(number.digits.find_first_not_of('0'), number.digits.size() - 1));
  if (roll(dice, 2) > 0) number.exponent = roll(dice, 81) - 40;
  return number;
}

std::string spell_number(const Number& number, Dice& dice) {
  const auto fraction = static_cast<std::size_t>(roll(dice, static_cast<int>(number.digits.size())));
  const auto whole = number.digits.size() - fraction;
  std::string out = number.negative ? "-" : "";
  out += number.digits.substr(0, whole);
  if (fraction > 0) out += '.' + number.digits.substr(whole) + std::string(static_cast<std::size_t>(roll(dice, 3)), '0');
  const int exponent = number.exponent + static_cast<int>(fraction);
  if (exponent == 0 && roll(dice, 2) > 0) return out;
  return out + (roll(dice, 2) > 0 ? "e" : "E") + (exponent >= 0 && roll(dice, 2) > 0 ? "+" : "") + std::to_string(exponent);
}

struct Value {
  enum class Kind { word, number, text, array, object } kind = Kind::word;
  std::string word{};
  Number number{};
  Text text{};
  std::vector<std::pair<Text, Value>> members{};  ///< an array's without their keys
};

Value make_value(Dice& dice, int depth) {
  Value value{.kind = static_cast<Value::Kind>(roll(dice, depth > 0 ? 5 : 3))};
  value.word = std::array{"null", "true", "false"}[static_cast<std::size_t>(roll(dice, 3))];
  value.number = make_number(dice);
  value.text = make_text(dice);
  std::set<Text> keys;
  for (int i = roll(dice, 5); depth > 0 && i > 0; --i)
    if (auto key = make_text(dice); keys.insert(key).second)
      value.members.emplace_back(std::move(key), make_value(dice, depth - 1));
  return value;
}

std::string space(Dice& dice) { return std::array{"", "", " ", "\n\t", " \r\n "}[static_cast<std::size_t>(roll(dice, 5))]; }

std::string spell(const Value& value, Dice& dice) {
  if (value.kind == Value::Kind::word) return value.word;
  if (value.kind == Value::Kind::number) return spell_number(value.number, dice);
  if (value.kind == Value::Kind::text) return spell_text(value.text, dice);
  const bool is_object = value.kind == Value::Kind::object;
  auto members = value.members;
  if (is_object) std::shuffle(members.begin(), members.end(), dice);
  std::string out = (is_object ? "{" : "[") + space(dice);
  for (const auto& [key, member] : members) {
    if (&member != &members.front().second) out += ',' + space(dice);
    if (is_object) out += spell_text(key, dice) + space(dice) + ':' + space(dice);
    out += spell(member, dice) + space(dice);
  }
  return out + (is_object ? "}" : "]");
}

class CanonicalJsonOnEngines : public BothEngines {};
QUARRY_BOTH_ENGINES(CanonicalJsonOnEngines);

constexpr sql::Query<std::string(Json)> through_the_engine{"test.through", sql::sqlite("select json($1)"),
                                                           sql::postgres("select cast($1::jsonb as text)")};
constexpr sql::Query<bool(Json, Json)> means_the_same{"test.same", sql::sqlite("select 1 or $1 or $2"),
                                                      sql::postgres("select $1::jsonb = $2::jsonb")};

TEST_P(CanonicalJsonOnEngines, SpellingsOfOneValueHaveOneForm) {
  const bool is_long = std::getenv("QUARRY_TEST_LONG") != nullptr;
  setenv("RC_PARAMS", is_long ? "max_success=15000" : "max_success=400", 0);
  const bool good = rc::check("a value has one form", [&](std::uint64_t seed) {
    Dice dice(seed);
    const auto value = make_value(dice, 4);
    const auto one = spell(value, dice);
    const auto other = spell(value, dice);
    RC_LOG() << one << "\n" << other << "\n";
    const auto form = system::canonical_json(one);
    RC_ASSERT(system::canonical_json(other) == form);
    RC_ASSERT(system::canonical_json(form) == form);
    const auto [stored, same] = db().read([&](Read& tx) {
      return std::pair(tx.value(through_the_engine, Json{one}), tx.value(means_the_same, Json{one}, Json{form}));
    });
    RC_ASSERT(system::canonical_json(stored) == form);
    RC_ASSERT(same);
  });
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace quarry::test
