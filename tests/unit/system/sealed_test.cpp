#include "quarry/system/sealed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

using system::KeyRing;
using system::seal;
using system::SealedPlace;
using system::unseal;

ErrorCode code_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.client_message().find("hunter2"), std::string::npos);
    return error.code();
  }
  return ErrorCode::bug;
}

constexpr Uuid row{{1, 2, 3}};
constexpr SealedPlace place{row, "smtp_password"};

TEST(Sealed, OpensWhereItWasSealed) {
  const auto ring = KeyRing::generate("k1");
  for (const std::string& clear :
       {std::string("hunter2"), std::string(), std::string(60'000, 'x'), std::string("\0\xff", 2)}) {
    const auto sealed = seal(ring, place, clear);
    EXPECT_TRUE(sealed.starts_with("1:" + ring.check_value("k1") + ":"));
    EXPECT_EQ(unseal(ring, "k1", place, sealed).reveal(), clear);
    if (!clear.empty()) {
      EXPECT_EQ(sealed.find(clear), std::string::npos);
    }
  }
}

TEST(Sealed, NeverTwiceTheSame) {
  const auto ring = KeyRing::generate("k1");
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(seal(ring, place, "hunter2"));
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Sealed, DoesNotOpenElsewhere) {
  auto ring = KeyRing::generate("k1");
  const auto sealed = seal(ring, place, "hunter2");
  EXPECT_EQ(code_of([&] { unseal(ring, "k1", {Uuid{{9}}, "smtp_password"}, sealed); }), ErrorCode::corrupt);
  EXPECT_EQ(code_of([&] { unseal(ring, "k1", {row, "smtp_password2"}, sealed); }), ErrorCode::corrupt);
  EXPECT_EQ(code_of([&] { unseal(ring, "k2", place, sealed); }), ErrorCode::not_found);
  ring.add_primary("k2");
  EXPECT_EQ(code_of([&] { unseal(ring, "k2", place, sealed); }), ErrorCode::denied);
}

// The key id is bound, too: the same bytes under another name open nothing.
TEST(Sealed, DoesNotOpenUnderAnotherNameOfItsKey) {
  const auto ring = KeyRing::generate("k1");
  const auto sealed = seal(ring, place, "hunter2");
  auto text = std::string(ring.to_text().reveal());
  text[1] = '2';
  const auto renamed = KeyRing::parse(text);
  ASSERT_EQ(renamed.reveal("k2"), ring.reveal("k1"));
  EXPECT_EQ(code_of([&] { unseal(renamed, "k2", place, sealed); }), ErrorCode::corrupt);
}

TEST(Sealed, AnotherKeyOfTheSameNameIsToldAtOnce) {
  const auto sealed = seal(KeyRing::generate("k1"), place, "hunter2");
  EXPECT_EQ(code_of([&] { unseal(KeyRing::generate("k1"), "k1", place, sealed); }), ErrorCode::denied);
}

TEST(Sealed, EveryChangedByteIsNoticed) {
  const auto ring = KeyRing::generate("k1");
  const auto sealed = seal(ring, place, "hunter2");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_NE(code_of([&] { unseal(ring, "k1", place, changed); }), ErrorCode::bug) << "byte " << i;
  }
  for (const auto& cut : {sealed.substr(0, sealed.size() - 4), sealed.substr(0, 19), std::string("1:"), std::string(),
                          sealed + "AAAA", "2" + sealed.substr(1)})
    EXPECT_NE(code_of([&] { unseal(ring, "k1", place, cut); }), ErrorCode::bug) << cut;
}

}  // namespace
}  // namespace quarry::test
