#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "quarry/backup/retention.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/random.hpp"

namespace quarry::test {
namespace {

using namespace backup;
using testing::ElementsAre;
using testing::IsEmpty;

Summary made_at(const std::string& time, bool verified = true) {
  Summary backup;
  backup.name = time;
  backup.created_at = parse_iso8601(time);
  backup.database = "a";
  if (verified) backup.verified_at = backup.created_at;
  return backup;
}

TEST(Keep, IsReadAndRefused) {
  const auto keep = parse_keep("7d,4w,12m");
  EXPECT_EQ(keep.days, 7);
  EXPECT_EQ(keep.weeks, 4);
  EXPECT_EQ(keep.months, 12);
  EXPECT_EQ(keep.years, 0);
  EXPECT_EQ(parse_keep("24h,1y").hours, 24);
  for (const auto* text : {"", "d", "7", "7x", "7d,", ",7d", "7d,8d", "0d", "-1d", "99999d", "7d 4w", "1000000000000d"})
    EXPECT_THROW(parse_keep(text), Error) << text;
}

TEST(Keep, TheNewestOfEachPeriodStays) {
  const std::vector<Summary> backups{made_at("2026-02-27T01:00:00Z"), made_at("2026-02-28T01:00:00Z"),
                                     made_at("2026-03-01T01:00:00Z"), made_at("2026-03-01T13:00:00Z"),
                                     made_at("2026-03-02T01:00:00Z")};
  EXPECT_THAT(expendable(backups, {.days = 2}),
              ElementsAre("2026-02-27T01:00:00Z", "2026-02-28T01:00:00Z", "2026-03-01T01:00:00Z"));
  EXPECT_THAT(expendable(backups, {.days = 1, .months = 2}),
              ElementsAre("2026-02-27T01:00:00Z", "2026-03-01T01:00:00Z", "2026-03-01T13:00:00Z"));
  // 2026-03-02 is a Monday.
  EXPECT_THAT(expendable(backups, {.weeks = 2}),
              ElementsAre("2026-02-27T01:00:00Z", "2026-02-28T01:00:00Z", "2026-03-01T01:00:00Z"));
}

TEST(Keep, APauseDeletesNothing) {
  const std::vector<Summary> backups{made_at("2025-01-01T01:00:00Z"), made_at("2026-03-01T01:00:00Z")};
  EXPECT_THAT(expendable(backups, {.days = 2}), IsEmpty());
}

TEST(Keep, WhatNoNewerVerifiedBackupCoversStays) {
  const std::vector<Summary> unverified{made_at("2026-03-01T01:00:00Z", false), made_at("2026-03-02T01:00:00Z", false)};
  EXPECT_THAT(expendable(unverified, {.days = 1}), IsEmpty());
  const std::vector<Summary> one_good{made_at("2026-02-28T01:00:00Z", false), made_at("2026-03-01T01:00:00Z"),
                                      made_at("2026-03-02T01:00:00Z", false)};
  EXPECT_THAT(expendable(one_good, {.days = 1}), ElementsAre("2026-02-28T01:00:00Z"));
}

TEST(Keep, ABackupThatFailedItsVerificationCoversNothing) {
  auto failed = made_at("2026-03-02T01:00:00Z");
  failed.failure = "restored, it was something else";
  EXPECT_THAT(expendable({made_at("2026-03-01T01:00:00Z"), failed}, {.days = 1}), IsEmpty());
}

TEST(Keep, ABackupCoversOnlyThoseOfItsOwnDatabase) {
  const auto old = made_at("2026-03-01T01:00:00Z");
  auto other = made_at("2026-03-02T01:00:00Z");
  other.database = "b";
  EXPECT_THAT(expendable({old, other}, {.days = 1}), IsEmpty());
  other.database.reset();
  EXPECT_THAT(expendable({old, other}, {.days = 1}), IsEmpty()) << "whose it is cannot be told";
  auto unknown = old;
  unknown.database.reset();
  EXPECT_THAT(expendable({unknown, other}, {.days = 1}), IsEmpty()) << "nor that both are of one";
}

TEST(Keep, ABackupWithoutItsBodiesCoversOnlyThoseThatHaveNone) {
  auto old = made_at("2026-03-01T01:00:00Z");
  auto bare = made_at("2026-03-02T01:00:00Z");
  bare.bodies_left_out = 3;
  auto lossy = made_at("2026-03-02T02:00:00Z");
  lossy.bodies = 2;
  lossy.bodies_missing = 1;
  EXPECT_THAT(expendable({old, bare}, {.days = 1}), ElementsAre(old.name));
  EXPECT_THAT(expendable({old, lossy}, {.days = 1}), ElementsAre(old.name));
  old.bodies = 3;
  EXPECT_THAT(expendable({old, bare}, {.days = 1}), IsEmpty());
  EXPECT_THAT(expendable({old, lossy}, {.days = 1}), IsEmpty());
  auto lossy_too = lossy;
  lossy_too.name = "2026-03-03T02:00:00Z";
  lossy_too.created_at = parse_iso8601(lossy_too.name);
  EXPECT_THAT(expendable({old, lossy, lossy_too}, {.days = 1}), IsEmpty()) << "each may lack what the other has";
  // Of a period the newest one with bodies stays beside the newest one.
  auto newest = made_at("2026-03-03T01:00:00Z");
  newest.bodies = 1;
  auto full = made_at("2026-03-02T00:30:00Z");
  full.bodies = 3;
  EXPECT_THAT(expendable({old, full, bare, newest}, {.days = 2}), ElementsAre(old.name));
}

TEST(Keep, WhateverIsSaidTheNewestVerifiedOneStaysAndNothingNewerGoes) {
  SeededRandom random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Summary> backups;
    Instant at = parse_iso8601("2026-01-01T00:00:00Z");
    for (std::uint64_t i = random.below(12); i > 0; --i) {
      at = at + std::chrono::hours(1 + static_cast<int>(random.below(600)));
      backups.push_back(made_at(to_iso8601(at), random.below(3) != 0));
    }
    const Keep keep{.hours = static_cast<int>(random.below(3)),
                    .days = static_cast<int>(random.below(3)),
                    .weeks = static_cast<int>(random.below(3)),
                    .months = static_cast<int>(random.below(3))};
    const auto going = expendable(backups, keep);
    std::string newest;
    for (const auto& backup : backups)
      if (backup.verified_at) newest = backup.name;
    for (const auto& name : going) EXPECT_LT(name, newest);
    EXPECT_TRUE(std::ranges::is_sorted(going));
    // Done again, it takes nothing more.
    std::erase_if(backups, [&](const Summary& backup) { return std::ranges::find(going, backup.name) != going.end(); });
    EXPECT_THAT(expendable(backups, keep), IsEmpty());
  }
}

}  // namespace
}  // namespace quarry::test
