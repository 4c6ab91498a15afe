#include "quarry/accounts/password.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

using accounts::HashCost;
using accounts::PasswordCheck;
using accounts::PasswordHasher;
using testing::HasSubstr;
using testing::StartsWith;

constexpr HashCost kCheap{64, 1};
/// `correct horse`, by crypt(3) of Debian's Python.
constexpr const char* kBcrypt = "$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";

Secret secret(std::string text) { return Secret(std::move(text)); }
std::string hash_at(HashCost cost, const std::string& password = "correct horse") {
  return PasswordHasher({.cost = cost}).hash(secret(password));
}
PasswordCheck check_at(HashCost cost, const std::string& stored, const std::string& password = "correct horse") {
  return PasswordHasher({.cost = cost}).check(secret(password), stored);
}
template <class F>
std::string refusal(ErrorCode code, F&& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.client_message();
    return error.client_message();
  }
  ADD_FAILURE() << "this was taken";
  return {};
}

TEST(Password, TheDefaultIs64MiBAndTwoPasses) {
  const PasswordHasher hasher;
  const auto hash = hasher.hash(secret("correct horse"));
  EXPECT_THAT(hash, StartsWith("$argon2id$v=19$m=65536,t=2,p=1$"));
  EXPECT_EQ(hasher.check(secret("correct horse"), hash), PasswordCheck::right);
  EXPECT_EQ(hasher.check(secret("correct horsf"), hash), PasswordCheck::wrong);
  EXPECT_NE(hasher.hash(secret("correct horse")), hash) << "salted";
}

TEST(Password, IsOutdatedUpwardOnly) {
  EXPECT_EQ(check_at({64, 2}, hash_at({64, 1})), PasswordCheck::outdated) << "less work";
  EXPECT_EQ(check_at({128, 1}, hash_at({64, 1})), PasswordCheck::outdated) << "less memory";
  EXPECT_EQ(check_at({64, 2}, hash_at({64, 2})), PasswordCheck::right);
  EXPECT_EQ(check_at({64, 1}, hash_at({64, 2})), PasswordCheck::right) << "more work";
  EXPECT_EQ(check_at({64, 1}, hash_at({128, 1})), PasswordCheck::right) << "more memory";
  EXPECT_EQ(check_at({64, 3}, hash_at({128, 1})), PasswordCheck::right) << "memory is not given back for passes";
  EXPECT_EQ(check_at({128, 1}, hash_at({64, 3})), PasswordCheck::right) << "nor work for memory";
}

TEST(Password, BcryptOfOldSystemsIsReadAndOutdated) {
  for (const std::string version : {"$2a", "$2b", "$2y"}) {
    EXPECT_EQ(check_at(kCheap, version + kBcrypt), PasswordCheck::outdated);
    EXPECT_EQ(check_at(kCheap, version + kBcrypt, "correct horsf"), PasswordCheck::wrong);
  }
  EXPECT_EQ(check_at(kCheap, std::string("$2b") + kBcrypt, std::string("correct horse\0", 14)), PasswordCheck::wrong);
}

TEST(Password, HasBounds) {
  const PasswordHasher hasher({.cost = kCheap});
  EXPECT_THAT(refusal(ErrorCode::invalid, [&] { hasher.hash(secret("sieben7")); }), HasSubstr("at least 8"));
  EXPECT_THAT(refusal(ErrorCode::invalid, [&] { hasher.hash(secret(std::string(1025, 'a'))); }), HasSubstr("1024"));
  EXPECT_THAT(refusal(ErrorCode::invalid, [&] { hasher.hash(secret("\xff\xfe binary")); }), HasSubstr("UTF-8"));
  EXPECT_THAT(refusal(ErrorCode::invalid, [&] { hasher.hash(secret(std::string(9, '\0'))); }), HasSubstr("zero byte"));
  hasher.hash(secret("ääääßßßß"));
  const auto longest = hasher.hash(secret(std::string(1024, 'a')));
  EXPECT_EQ(hasher.check(secret(std::string(1024, 'a')), longest), PasswordCheck::right);
  EXPECT_EQ(hasher.check(secret(std::string(1023, 'a') + 'b'), longest), PasswordCheck::wrong) << "nothing is cut off";
}

TEST(Password, WhatIsTooLongIsNotHashed) {
  int hashes = 0;
  const PasswordHasher hasher({.cost = kCheap, .on_hash = [&](std::int64_t) { ++hashes; }});
  const auto hash = hasher.hash(secret("correct horse"));
  EXPECT_EQ(hasher.check(secret(std::string(1 << 20, 'a')), hash), PasswordCheck::wrong);
  EXPECT_EQ(hasher.check(secret(std::string(1 << 20, 'a')), std::nullopt), PasswordCheck::wrong);
  EXPECT_EQ(hashes, 1);
}

TEST(Password, BytesAreComparedAsTheyCome) {
  const PasswordHasher hasher({.cost = kCheap});
  const auto composed = hasher.hash(secret("caf\xc3\xa9 noir"));
  EXPECT_EQ(hasher.check(secret("cafe\xcc\x81 noir"), composed), PasswordCheck::wrong) << "not normalised";
  EXPECT_EQ(hasher.check(secret("caf\xc3\xa9 noir "), composed), PasswordCheck::wrong) << "not trimmed";
}

TEST(Password, NobodysTakesTheWorkOfARealOne) {
  std::vector<std::int64_t> memory;
  const PasswordHasher hasher({.cost = {128, 1}, .on_hash = [&](std::int64_t kib) { memory.push_back(kib); }});
  const auto hash = hasher.hash(secret("correct horse"));
  memory.clear();
  EXPECT_EQ(hasher.check(secret("correct horse"), hash), PasswordCheck::right);
  EXPECT_EQ(hasher.check(secret("correct horse"), std::nullopt), PasswordCheck::wrong);
  EXPECT_EQ(hasher.check(secret("!"), "!"), PasswordCheck::wrong);
  EXPECT_THAT(memory, testing::ElementsAre(128, 128, 128));
}

TEST(Password, AHashOfNoKnownFormIsCorrupt) {
  const PasswordHasher hasher({.cost = kCheap});
  for (const char* bad : {"", "plain", "$1$abc$def", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
                          "$argon2id$v=16$m=64,t=1,p=1$c2FsdA$aGFzaA", "$argon2id$v=19$m=064,t=1,p=1$c2FsdA$aGFzaA",
                          "$argon2id$v=19$m=4194305,t=1,p=1$c2FsdA$aGFzaA", "$argon2id$v=19$m=64,t=65,p=1$c2FsdA$aGFzaA",
                          "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$", "$argon2id$v=19$m=64,t=1,p=1$c2FsdA", "$2b$04$short",
                          "$2b$31$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
                          "$2x$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"}) {
    refusal(ErrorCode::corrupt, [&] { hasher.check(secret("correct horse"), bad); });
    refusal(ErrorCode::invalid, [&] { accounts::check_password_hash(bad); });
  }
  accounts::check_password_hash(hash_at(kCheap));
  accounts::check_password_hash(std::string("$2y") + kBcrypt);
  accounts::check_password_hash("!");
}

TEST(Password, CostsHaveBounds) {
  for (const HashCost cost : {HashCost{7, 1}, HashCost{64, 0}, HashCost{64, 65}, HashCost{4 * 1024 * 1024 + 1, 1}})
    refusal(ErrorCode::invalid, [&] { PasswordHasher({.cost = cost}); });
}

/// Threads that stop inside of their hash until they are let go.
struct Gate {
  void enter() {
    std::unique_lock lock(mutex);
    ++inside;
    inside_max = std::max(inside_max, inside);
    changed.notify_all();
    changed.wait(lock, [&] { return open; });
    --inside;
  }
  void wait_until(int wanted) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return inside == wanted; });
  }
  void let_go() {
    const std::scoped_lock lock(mutex);
    open = true;
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  int inside_max = 0;
  bool open = false;
};

TEST(Password, HashesAtOnceAreBoundedByTheirMemory) {
  Gate gate;
  const PasswordHasher hasher({.cost = kCheap,
                               .memory_kib_max = 2 * kCheap.memory_kib,
                               .wait_max = std::chrono::milliseconds(20),
                               .on_hash = [&](std::int64_t) { gate.enter(); }});
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back([&] { hasher.hash(secret("correct horse")); });
  gate.wait_until(2);
  EXPECT_THAT(refusal(ErrorCode::busy, [&] { hasher.check(secret("correct horse"), std::nullopt); }), HasSubstr("at once"));
  gate.let_go();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(hasher.check(secret("correct horse"), std::nullopt), PasswordCheck::wrong) << "the memory came back";
  EXPECT_EQ(gate.inside_max, 2);
}

TEST(Password, WhoWaitsGetsTheirTurn) {
  std::atomic<int> now = 0, most = 0, done = 0;
  const PasswordHasher hasher({.cost = kCheap, .memory_kib_max = kCheap.memory_kib, .on_hash = [&](std::int64_t) {
                                 most = std::max(most.load(), ++now);
                                 std::this_thread::yield();
                                 --now;
                               }});
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) hasher.hash(secret("correct horse"));
      ++done;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 8);
  EXPECT_EQ(most, 1);
}

TEST(Password, OneThatIsBiggerThanTheBudgetRunsAlone) {
  const auto big = hash_at({512, 1});
  const PasswordHasher hasher({.cost = kCheap, .memory_kib_max = kCheap.memory_kib});
  EXPECT_EQ(hasher.check(secret("correct horse"), big), PasswordCheck::right);
}

}  // namespace
}  // namespace quarry::test
