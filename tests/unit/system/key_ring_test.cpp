#include "quarry/system/key_ring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>

#include "quarry/core/error.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

using system::KeyRing;
using testing::HasSubstr;
using testing::Not;

std::string message_of(const std::function<void()>& body, ErrorCode code) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.client_message();
    return error.client_message();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

constexpr const char* zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
constexpr const char* ones = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

TEST(KeyRing, TheFirstKeyIsThePrimaryOne) {
  const auto ring = KeyRing::parse(std::string("# keys\n  k2:") + ones + ", k1:" + zeros + "\n\n");
  EXPECT_EQ(ring.primary(), "k2");
  EXPECT_EQ(ring.ids(), (std::vector<std::string>{"k2", "k1"}));
  EXPECT_EQ(ring.reveal("k1"), std::string(32, '\0'));
  EXPECT_EQ(ring.reveal("k2"), std::string(32, '\1'));
  EXPECT_EQ(ring.check_value("k1").size(), 16U);
  EXPECT_NE(ring.check_value("k1"), ring.check_value("k2"));
  message_of([&] { ring.reveal("k3"); }, ErrorCode::not_found);
}

TEST(KeyRing, IsReadAsItIsWritten) {
  auto ring = KeyRing::generate("a");
  ring.add_primary("b");
  const auto text = ring.to_text();
  const auto again = KeyRing::parse(text.reveal());
  EXPECT_EQ(again.ids(), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(again.reveal("a"), ring.reveal("a"));
  EXPECT_NE(again.reveal("a"), again.reveal("b"));
  message_of([&] { ring.add_primary("a"); }, ErrorCode::invalid);
}

TEST(KeyRing, AMistypedKeyIsToldWithoutBeingShown) {
  const auto check = KeyRing::parse(std::string("k:") + zeros).check_value("k");
  EXPECT_EQ(KeyRing::parse(std::string("k:") + zeros + ":" + check).primary(), "k");
  const auto message = message_of([&] { KeyRing::parse(std::string("k:") + ones + ":" + check); }, ErrorCode::invalid);
  EXPECT_THAT(message, HasSubstr("check value"));
  EXPECT_THAT(message, Not(HasSubstr(ones)));
}

TEST(KeyRing, WhatIsNoneIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("# nothing\n"), std::string("k1"), std::string("k1:"), std::string("k1:AAAA"),
        std::string("k1:") + zeros + zeros, std::string(":") + zeros, std::string("k 1:") + zeros,
        std::string("k1:") + zeros + ",k1:" + ones, std::string(65, 'k') + ":" + zeros, std::string("ü:") + zeros})
    EXPECT_THAT(message_of([&] { KeyRing::parse(text); }, ErrorCode::invalid), Not(HasSubstr("AAAA"))) << text;
}

TEST(KeyRing, TheFileIsForItsOwnerAlone) {
  const TempDir folder("keys");
  const auto file = folder / "keys";
  message_of([&] { KeyRing::from_file(file); }, ErrorCode::not_found);
  const auto ring = KeyRing::generate("k1");
  ring.write_file(file);
  struct stat seen {};
  ASSERT_EQ(::stat(file.c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 07777U, 0600U);
  EXPECT_EQ(KeyRing::from_file(file).reveal("k1"), ring.reveal("k1"));
  for (const unsigned mode : {0640U, 0604U, 0620U}) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    EXPECT_THAT(message_of([&] { KeyRing::from_file(file); }, ErrorCode::denied), HasSubstr("chmod 600"));
  }
  message_of([&] { KeyRing::from_file(folder.path()); }, ErrorCode::invalid);
}

}  // namespace
}  // namespace quarry::test
