#include <fmt/format.h>

#include <thread>

#include "conformance/system/system_test.hpp"

namespace quarry::test {
namespace {

using system::KeyRing;

class KeyRotation : public SystemTest {
 protected:
  static constexpr int settings = 25;

  void SetUp() override {
    SystemTest::SetUp();
    for (int i = 0; i < settings; ++i) {
      const auto key = fmt::format("s{:02}", i), value = fmt::format("value {}", i);
      set({.key = key, .value = value, .is_sensitive = true}, &ring_);
    }
    set({.key = "in_clear", .value = "x"});
  }
  system::Rotated rotate(const KeyRing& ring, int limit = 10) {
    return db().write([&](Write& tx) { return system::rotate_keys(tx, ring, limit); });
  }
  void expect_all_readable(const KeyRing& ring) {
    for (int i = 0; i < settings; ++i) EXPECT_EQ(reveal(fmt::format("s{:02}", i), ring), fmt::format("value {}", i));
  }
  static KeyRing without(const KeyRing& ring, const std::string& id) {
    std::string kept;
    std::string text(ring.to_text().reveal());
    while (!text.empty()) {
      const auto line = text.substr(0, text.find('\n') + 1);
      text.erase(0, line.size());
      if (!line.starts_with(id + ":")) kept += line;
    }
    return KeyRing::parse(kept);
  }

  KeyRing ring_ = KeyRing::generate("k1");
};
QUARRY_BOTH_ENGINES(KeyRotation);

TEST_P(KeyRotation, GoesOnWhereItWasStoppedAndEverythingStaysReadable) {
  ring_.add_primary("k2");
  EXPECT_EQ(rotate(ring_).rotated, 10);
  // A batch that is not committed, as of a process that is killed within it.
  EXPECT_ANY_THROW(db().write([&](Write& tx) {
    system::rotate_keys(tx, ring_, 10);
    throw std::runtime_error("killed");
  }));
  expect_all_readable(ring_);
  EXPECT_EQ(set({.key = "s24", .value = "value 24"}, &ring_).key_id, "k2") << "new values are under the new key meanwhile";
  const auto second = rotate(ring_);
  EXPECT_EQ(second.rotated, 10);
  EXPECT_EQ(second.remaining, 4);
  const auto last = rotate(ring_);
  EXPECT_EQ(last.rotated, 4);
  EXPECT_EQ(last.remaining, 0);
  EXPECT_EQ(rotate(ring_).rotated, 0);
  const auto new_key_alone = without(ring_, "k1");
  expect_all_readable(new_key_alone);
  db().read([&](Read& tx) { system::check_keys(tx, new_key_alone); });
}

TEST_P(KeyRotation, AMissingOldKeyIsToldBeforeAnythingChanges) {
  ring_.add_primary("k2");
  const auto too_early = without(ring_, "k1");
  EXPECT_EQ(code_of([&] { rotate(too_early); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { db().read([&](Read& tx) { system::check_keys(tx, too_early); }); }), ErrorCode::not_found);
  expect_all_readable(ring_);
}

TEST_P(KeyRotation, AWrongKeyIsToldAtOnce) {
  const auto wrong = KeyRing::generate("k1");
  EXPECT_EQ(code_of([&] { db().read([&](Read& tx) { system::check_keys(tx, wrong); }); }), ErrorCode::denied);
  EXPECT_EQ(code_of([&] { set({.key = "new", .value = "x", .is_sensitive = true}, &wrong); }), ErrorCode::denied);
  EXPECT_EQ(code_of([&] { reveal("s00", wrong); }), ErrorCode::denied);
  EXPECT_FALSE(find("new")) << "nothing was written under two keys of one name";
  db().read([&](Read& tx) { system::check_keys(tx, ring_); });
}

TEST_P(KeyRotation, SeveralAtOnceDoNotHarmEachOther) {
  ring_.add_primary("k2");
  std::vector<std::jthread> threads;
  std::atomic<std::int64_t> rotated{0};
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (;;) {
        const auto done = rotate(ring_, 3);
        rotated += done.rotated;
        if (done.remaining == 0) break;
      }
    });
  threads.clear();
  EXPECT_EQ(rotated, settings);
  expect_all_readable(without(ring_, "k1"));
}

TEST_P(KeyRotation, BatchesAreBounded) {
  EXPECT_EQ(code_of([&] { rotate(ring_, 0); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { rotate(ring_, 1001); }), ErrorCode::invalid);
  const auto as_ada = [&] { db().write({.actor = Actor::user(ada_)}, [&](Write& tx) { system::rotate_keys(tx, ring_); }); };
  EXPECT_EQ(code_of(as_ada), ErrorCode::denied);
}

}  // namespace
}  // namespace quarry::test
