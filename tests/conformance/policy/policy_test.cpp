#include "quarry/ops/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "quarry/accounts/users.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/ops/seed.hpp"
#include "quarry/system/settings.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class PolicyTest : public MigratedEngines {
 protected:
  ops::Policy policy() {
    return db().read([](Read& tx) { return ops::read_policy(tx); });
  }
  void set(std::string_view key, system::SettingType type, std::string_view value) {
    db().write([&](Write& tx) { system::set(tx, {.key = key, .type = type, .value = value}); });
  }
  std::string refusal() {
    try {
      policy();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid);
      return error.client_message();
    }
    return "not refused";
  }
  UserId make_user(const std::string& name) {
    return db().write([&](Write& tx) {
      return accounts::create_user(tx, {.username = name, .email = name + "@example.org", .password_hash = "!"}).id;
    });
  }
  JobId submit(UserId user, std::optional<int> open_jobs_max) {
    return db().write(
        [&](Write& tx) { return jobs::submit(tx, {.user_id = user, .title = "A job", .open_jobs_max = open_jobs_max}).id; });
  }
};
QUARRY_BOTH_ENGINES(PolicyTest);

TEST_P(PolicyTest, WithoutSettingsEverythingIsAllowedAndCallsHaveTheUsualLimit) {
  const auto all = policy();
  EXPECT_FALSE(all.file_types);
  EXPECT_FALSE(all.file_bytes_max);
  EXPECT_FALSE(all.artifacts_per_job_max);
  EXPECT_FALSE(all.open_jobs_max);
  ASSERT_TRUE(all.api_calls);
  EXPECT_EQ(all.api_calls->requests, 100);
  EXPECT_EQ(all.api_calls->period, 15min);
}

TEST_P(PolicyTest, TheSeededSettingsAreObeyed) {
  db().write([](Write& tx) { ops::seed(tx); });
  const auto seeded = policy();
  ASSERT_TRUE(seeded.file_types);
  EXPECT_THAT(*seeded.file_types, testing::Contains("pdf"));
  EXPECT_EQ(seeded.file_bytes_max, 50 * 1'048'576);
  EXPECT_EQ(seeded.artifacts_per_job_max, 1'000);
  EXPECT_EQ(seeded.open_jobs_max, 10);
  set("rate_limit_requests", system::SettingType::integer, "7");
  set("rate_limit_window_minutes", system::SettingType::integer, "2");
  EXPECT_EQ(policy().api_calls.value().requests, 7);
  EXPECT_EQ(policy().api_calls.value().period, 2min);
  set("enable_rate_limiting", system::SettingType::boolean, "false");
  EXPECT_FALSE(policy().api_calls);
}

TEST_P(PolicyTest, WhatCannotBeMeantIsNamed) {
  set("max_file_size_mb", system::SettingType::integer, "0");
  EXPECT_THAT(refusal(), HasSubstr("max_file_size_mb"));
  set("max_file_size_mb", system::SettingType::integer, "1");
  set("allowed_file_types", system::SettingType::json, R"({"pdf": true})");
  EXPECT_THAT(refusal(), HasSubstr("allowed_file_types"));
  set("allowed_file_types", system::SettingType::json, "[1]");
  EXPECT_THAT(refusal(), HasSubstr("allowed_file_types"));
  set("allowed_file_types", system::SettingType::json, R"([".PDF", "jpeg"])");
  EXPECT_TRUE(ops::allows_file_type(policy(), "pdf"));
  EXPECT_TRUE(ops::allows_file_type(policy(), "jpg"));
  EXPECT_FALSE(ops::allows_file_type(policy(), "html"));
  EXPECT_THROW(db().read({.actor = Actor::user(UserId{})}, [](Read& tx) { return ops::read_policy(tx); }), Error);
}

TEST_P(PolicyTest, LoginsAndSessionsKeepToTheirSettings) {
  const auto rules = [&] { return db().read([](Read& tx) { return ops::read_login_rules(tx); }); };
  EXPECT_EQ(rules().session.idle, 24h);
  EXPECT_EQ(rules().session.absolute, 24h * 30);
  EXPECT_EQ(rules().failures_max, 5);
  EXPECT_EQ(rules().window, 15min);
  set("session_idle_minutes", system::SettingType::integer, "30");
  set("session_max_hours", system::SettingType::integer, "8");
  set("login_failures_max", system::SettingType::integer, "2");
  set("login_lock_minutes", system::SettingType::integer, "60");
  const accounts::PasswordHasher hasher({.cost = {.memory_kib = 8, .passes = 1}});
  db().write([&](Write& tx) {
    accounts::create_user(
        tx, {.username = "ada", .email = "ada@example.org", .password_hash = hasher.hash(Secret("correct horse"))});
  });
  const auto login = [&](const char* password) {
    return accounts::login(db(), hasher, {.name = "ada", .password = Secret(password)}, rules());
  };
  const auto open = login("correct horse").opened.value().session;
  EXPECT_EQ(open.idle_expires_at, clock().now() + 30min);
  EXPECT_EQ(open.expires_at, clock().now() + 8h);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(login("wrong horse").status, accounts::LoginStatus::wrong);
  EXPECT_EQ(login("correct horse").locked_until, clock().now() + 60min);
  set("session_max_hours", system::SettingType::integer, "0");
  try {
    rules();
    ADD_FAILURE() << "a session of no time";
  } catch (const Error& error) {
    EXPECT_THAT(error.client_message(), HasSubstr("session_max_hours"));
  }
}

TEST(FileType, IsTheMediaTypesOrThePaths) {
  const auto type = [](std::string_view media_type, std::string_view path) { return ops::file_type_of(media_type, path); };
  EXPECT_EQ(type("text/html; charset=utf-8", "/a.pdf"), "html");
  EXPECT_EQ(type("IMAGE/JPEG", "/"), "jpg");
  EXPECT_EQ(type("application/problem+json", "/"), "json");
  EXPECT_EQ(type("application/atom+xml", "/"), "xml");
  EXPECT_EQ(type("application/octet-stream", "https://example.org/data/File.CSV?x=1.zip#top"), "csv");
  EXPECT_EQ(type("application/octet-stream", "https://example.org/"), "bin");
  EXPECT_EQ(type("", "https://example.org/.hidden"), "bin");
  EXPECT_EQ(type("", "https://example.org/a.b/c"), "bin");
  EXPECT_EQ(type("", "https://example.org/a.averylongsuffix"), "bin");
}

// The setting max_jobs_per_user, as those who submit hand it on.
TEST_P(PolicyTest, AUserHasAtMostSoManyOpenJobs) {
  const auto ada = make_user("ada"), bob = make_user("bob");
  const auto first = submit(ada, 2);
  submit(ada, 2);
  try {
    submit(ada, 2);
    FAIL() << "a third one";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::conflict);
    EXPECT_THAT(error.client_message(), HasSubstr("max_jobs_per_user"));
  }
  submit(bob, 2);
  submit(ada, {});  // whoever hands on no limit
  db().write([&](Write& tx) { jobs::cancel(tx, first); });
  EXPECT_THROW(submit(ada, 2), Error) << "two are still open";
  EXPECT_NO_THROW(submit(ada, 3));
}

TEST_P(PolicyTest, ManyWhoSubmitAtOnceDoNotGoBeyondIt) {
  const auto ada = make_user("ada");
  std::atomic<int> made{0};
  {
    std::vector<std::jthread> crowd;
    for (int i = 0; i < 8; ++i)
      crowd.emplace_back([&] {
        try {
          submit(ada, 3);
          ++made;
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::conflict);
        }
      });
  }
  EXPECT_EQ(made, 3);
}

}  // namespace
}  // namespace quarry::test
