#include "quarry/accounts/key_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "accounts/token_text.hpp"
#include "quarry/accounts/api_keys.hpp"
#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

using accounts::parse_key;
using accounts::Peppers;

std::string made(std::uint64_t seed) {
  SeededRandom random(seed);
  return std::string(accounts::make_key_text(random).reveal());
}

/// Repeats one word.
class Constant final : public Random {
 public:
  explicit Constant(std::uint64_t word) : word_(word) {}
  std::uint64_t next() override { return word_; }

 private:
  std::uint64_t word_;
};

TEST(TokenText, IsTheNumberInBase62) {
  Constant zero(0), ones(~std::uint64_t{0});
  EXPECT_EQ(accounts::random_secret(zero), std::string(43, '0'));
  // 2^256 - 1, by another program: divmod by 62 with the same digits.
  EXPECT_EQ(accounts::random_secret(ones), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
  EXPECT_EQ(accounts::random_name(zero), std::string(16, '0'));
}

TEST(TokenText, TheChecksumIsZlibs) {
  // crc32("123456789") = 0xCBF43926, the check value of the CRC catalogue.
  EXPECT_EQ(accounts::checksum("123456789"), "3jZRME");
  EXPECT_EQ(accounts::checksum(""), "000000");
}

TEST(TokenText, DigestsAreThoseOfTheStandards) {
  EXPECT_EQ(accounts::sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") << "FIPS 180-4";
  EXPECT_EQ(accounts::hmac_sha256("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
      << "RFC 4231, case 2";
}

TEST(KeyText, HasThePartsThatItsPageNames) {
  const auto text = made(1);
  EXPECT_THAT(text, testing::MatchesRegex("qry_[0-9A-Za-z]{16}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}"));
  EXPECT_EQ(text.size(), accounts::key_text_length);
  const auto parts = parse_key(text);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->key_id, text.substr(4, 16));
  EXPECT_EQ(parts->secret, text.substr(21, 43));
}

TEST(KeyText, EachIsAnother) {
  std::set<std::string> texts;
  for (std::uint64_t seed = 0; seed < 500; ++seed) texts.insert(made(seed));
  EXPECT_EQ(texts.size(), 500U);
}

TEST(KeyText, EveryTypingErrorIsFound) {
  const auto text = made(2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : {'0', 'z', '_', ' ', '\0', '\xff'}) {
      if (text[i] == c) continue;
      auto other = text;
      other[i] = c;
      EXPECT_FALSE(parse_key(other)) << "at " << i;
    }
    auto shorter = text;
    EXPECT_FALSE(parse_key(shorter.erase(i, 1)));
    auto longer = text;
    EXPECT_FALSE(parse_key(longer.insert(i, 1, 'a')));
    if (i + 1 < text.size() && text[i] != text[i + 1]) {
      auto swapped = text;
      std::swap(swapped[i], swapped[i + 1]);
      EXPECT_FALSE(parse_key(swapped)) << "at " << i;
    }
  }
  EXPECT_FALSE(parse_key(""));
  EXPECT_FALSE(parse_key(text + "\n"));
}

TEST(Peppers, HashUnderTheFirstAndMatchUnderAll) {
  const auto pepper = [](char c) { return Secret(std::string(32, c)); };
  const auto several = [&](char current, char previous) {
    std::vector<Secret> old;
    old.push_back(pepper(previous));
    return Peppers(pepper(current), std::move(old));
  };
  const Peppers a(pepper('a')), b(pepper('b')), none;
  const auto under_a = a.hash("secret"), under_b = b.hash("secret"), under_none = none.hash("secret");
  EXPECT_NE(under_a, under_b);
  EXPECT_TRUE(a.matches("secret", under_a));
  EXPECT_FALSE(a.matches("Secret", under_a));
  EXPECT_FALSE(a.matches("secret", under_b));
  EXPECT_FALSE(a.matches("secret", under_none)) << "with a pepper, keys without one are refused";
  EXPECT_FALSE(none.matches("secret", under_a));
  EXPECT_TRUE(none.matches("secret", under_none));
  const auto both = several('b', 'a');
  EXPECT_EQ(both.hash("secret"), under_b);
  EXPECT_TRUE(both.matches("secret", under_a));
  EXPECT_TRUE(both.matches("secret", under_b));
  for (const char* bad : {"", ":", "none", "none:", "00000000:abc"}) {
    EXPECT_FALSE(a.matches("secret", bad));
    EXPECT_FALSE(none.matches("secret", bad));
  }
  EXPECT_THROW(Peppers(Secret(std::string(31, 'a'))), Error);
}

TEST(Scopes, AreNamesOrBeginnings) {
  accounts::ApiKey key;
  EXPECT_FALSE(has_scope(key, "jobs:read"));
  key.permissions = {"jobs:read", "artifacts:*"};
  EXPECT_TRUE(has_scope(key, "jobs:read"));
  EXPECT_FALSE(has_scope(key, "jobs:write"));
  EXPECT_FALSE(has_scope(key, "jobs:rea"));
  EXPECT_FALSE(has_scope(key, "jobs:reader"));
  EXPECT_TRUE(has_scope(key, "artifacts:read"));
  EXPECT_FALSE(has_scope(key, "artifacts"));
  EXPECT_FALSE(has_scope(key, "admin"));
  key.permissions = {"*"};
  EXPECT_TRUE(has_scope(key, "admin"));
}

}  // namespace
}  // namespace quarry::test
