#include "quarry/ops/seed_demo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quarry/accounts/user_change.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/audit_verify.hpp"
#include "quarry/system/settings.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

using accounts::PasswordCheck;
using testing::HasSubstr;

class SeedDemo : public MigratedEngines {
 protected:
  ops::DemoReport seed_demo() { return ops::seed_demo(db(), blobs(), hasher_); }
  artifacts::FileBlobStore& blobs() {
    if (!blobs_) blobs_.emplace(database().folder() / "blobs", artifacts::FileBlobStoreOptions{.durable = false});
    return *blobs_;
  }
  PasswordCheck check(const std::string& username, const std::string& password) {
    static constexpr sql::Query<std::string(std::string_view)> find_hash{
        "test.password_hash", "select hashed_password from users where username = $1"};
    const auto stored = db().read([&](Read& tx) { return tx.one(find_hash, username); });
    return hasher_.check(Secret(password), stored);
  }
  /// Refused as a database in use, and nothing was made.
  void expect_refusal(const std::string& why) {
    const auto jobs = db().read([](Read& tx) { return jobs::count(tx); });
    try {
      seed_demo();
      FAIL() << "examples were added to a database in use";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::conflict);
      EXPECT_THAT(error.client_message(), HasSubstr(why));
    }
    db().read([&](Read& tx) {
      EXPECT_EQ(jobs::count(tx), jobs);
      EXPECT_FALSE(accounts::find_user(tx, "testuser"));
      EXPECT_EQ(system::count(tx), 0);
    });
  }
  UserId make_local_user() {
    return db().write([](Write& tx) { return accounts::ensure_local_user(tx); });
  }

  /// Cheap: what is tested here is which passwords they are.
  accounts::PasswordHasher hasher_{{.cost = {.memory_kib = 64, .passes = 1}}};
  std::optional<artifacts::FileBlobStore> blobs_;
};
QUARRY_BOTH_ENGINES(SeedDemo);

TEST_P(SeedDemo, AddsTheDocumentedUsers) {
  make_local_user();
  const auto report = seed_demo();
  EXPECT_EQ(report.seed.settings_made.size(), 10U);
  db().read([&](Read& tx) {
    const auto admin = accounts::get_user(tx, report.admin);
    EXPECT_EQ(admin.username, "admin");
    EXPECT_EQ(admin.role, accounts::Role::admin);
    EXPECT_TRUE(admin.is_active);
    const auto test_user = accounts::get_user(tx, report.test_user);
    EXPECT_EQ(test_user.username, "testuser");
    EXPECT_EQ(test_user.role, accounts::Role::user);
  });
  EXPECT_EQ(check("admin", "admin123"), PasswordCheck::right);
  EXPECT_EQ(check("testuser", "test123"), PasswordCheck::right);
  EXPECT_EQ(check("testuser", "admin123"), PasswordCheck::wrong);
}

TEST_P(SeedDemo, AddsJobsAndArtifactsThatAreWhole) {
  const auto report = seed_demo();
  ASSERT_EQ(report.jobs.size(), 3U);
  ASSERT_EQ(report.artifacts.size(), 3U);
  db().read([&](Read& tx) {
    std::vector<jobs::JobStatus> states;
    for (const auto job : report.jobs) states.push_back(jobs::get(tx, job).status);
    EXPECT_THAT(states, testing::ElementsAre(jobs::JobStatus::completed, jobs::JobStatus::failed, jobs::JobStatus::pending));
    const auto done = jobs::get(tx, report.jobs[0]);
    EXPECT_EQ(done.user_id, report.test_user);
    EXPECT_EQ(done.results_count, 3);
    EXPECT_GT(done.bytes_fetched, 0);
    EXPECT_EQ(jobs::list_log(tx, done.id).size(), 3U) << "two of its own, and how it ended";
    EXPECT_TRUE(jobs::get(tx, report.jobs[1]).error_message);
    for (const auto id : report.artifacts) {
      const auto artifact = artifacts::find(tx, report.test_user, id);
      ASSERT_TRUE(artifact);
      EXPECT_EQ(artifact->job_id, report.jobs[0]);
      const auto body = blobs().get(artifact->blob_hash.value());
      EXPECT_EQ(static_cast<std::int64_t>(body.size()), artifact->file_size);
      EXPECT_TRUE(artifacts::read_text(tx, report.test_user, id));
    }
    EXPECT_EQ(system::count_audit(tx, {.action = "system.seed_demo"}), 1);
    EXPECT_TRUE(system::verify_audit(tx).intact());
  });
}

TEST_P(SeedDemo, RefusesTheSecondTime) {
  seed_demo();
  EXPECT_THROW(seed_demo(), Error);
  db().read([](Read& tx) {
    EXPECT_EQ(jobs::count(tx), 3);
    EXPECT_EQ(system::count_audit(tx, {.action = "system.seed_demo"}), 1);
  });
}

TEST_P(SeedDemo, RefusesADatabaseWithUsers) {
  make_local_user();
  const auto ada = db().write([](Write& tx) {
    return accounts::create_user(tx, {.username = "ada", .email = "ada@example.org", .google_id = "1"}).id;
  });
  expect_refusal("users");
  db().write([&](Write& tx) { accounts::delete_user(tx, ada); });
  expect_refusal("users");
}

TEST_P(SeedDemo, RefusesADatabaseWithJobs) {
  const auto user = make_local_user();
  db().write([&](Write& tx) { jobs::submit(tx, {.user_id = user, .title = "Mine"}); });
  expect_refusal("jobs");
}

// Put by hand, they belong to no job.
TEST_P(SeedDemo, RefusesADatabaseWithArtifacts) {
  const auto user = make_local_user();
  static constexpr std::string_view body = "mine";
  const auto blob = blobs().put(std::as_bytes(std::span(body)));
  db().write([&](Write& tx) {
    artifacts::put_artifact(tx, {.user_id = user, .source_url = "https://example.org/", .blob = blob});
  });
  expect_refusal("artifacts");
}

TEST_P(SeedDemo, TakesADatabaseThatWasSeeded) {
  make_local_user();
  db().write([](Write& tx) { ops::seed(tx); });
  EXPECT_EQ(seed_demo().seed.settings_kept, 10);
}

}  // namespace
}  // namespace quarry::test
