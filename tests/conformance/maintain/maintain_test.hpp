#pragma once
/// A database with a user, a queue and a folder of bodies, and short words for its maintenance.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/ops/maintain.hpp"
#include "quarry/ops/maintain_settings.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/audit_verify.hpp"
#include "quarry/system/settings.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

using namespace std::chrono_literals;
using ops::StepOutcome;

/// `jobs 1, tasks 3`
inline std::string figures_text(const ops::StepReport& report) {
  std::string text;
  for (const auto& figure : report.figures)
    text += (text.empty() ? "" : ", ") + figure.what + " " + std::to_string(figure.count);
  return text;
}

class MaintainTest : public MigratedEngines {
 protected:
  void SetUp() override {
    db().write([&](Write& tx) {
      user_ = accounts::ensure_local_user(tx);
      queue_ = queue::open_queue(tx, "crawl");
    });
  }

  artifacts::FileBlobStore& blobs() {
    if (!blobs_) {
      const std::shared_ptr<const Clock> clock(&this->clock(), [](const Clock*) {});
      blobs_ = std::make_unique<artifacts::FileBlobStore>(database().folder() / "blobs",
                                                          artifacts::FileBlobStoreOptions{.durable = false, .clock = clock});
    }
    return *blobs_;
  }
  ops::MaintainReport maintain(ops::MaintainOptions options = {}) {
    options.pause_max = 0ms;
    return ops::maintain(db(), &blobs(), options);
  }
  ops::StepReport step(const std::string& name, ops::MaintainOptions options = {}) {
    options.only = {name};
    auto report = maintain(options);
    EXPECT_EQ(report.steps.size(), 1U);
    return report.steps.at(0);
  }
  ops::StepReport dry(const std::string& name) { return step(name, {.dry_run = true}); }

  using Figures = std::map<std::string, std::int64_t>;
  static Figures figures(const ops::StepReport& report) {
    Figures all;
    for (const auto& figure : report.figures) all[figure.what] = figure.count;
    return all;
  }

  void set(std::string_view key, std::int64_t value) {
    db().write([&](Write& tx) {
      system::set(tx, {.key = key, .type = system::SettingType::integer, .value = std::to_string(value)});
    });
  }
  void run_sql(const std::string& sql) {
    db().write([&](Write& tx) { tx.session().run_script("test.sql", sql); });
  }
  /// Rows of `what`, a table with conditions.
  std::int64_t rows(const std::string& what) {
    return db().read(
        [&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.rows", "select count(*) from " + what)); });
  }

  UserId make_user(const std::string& name) {
    return db().write([&](Write& tx) {
      return accounts::create_user(tx, {.username = name, .email = name + "@example.org", .google_id = "g" + name}).id;
    });
  }
  JobId submit(std::optional<UserId> user = {}) {
    return db().write([&](Write& tx) { return jobs::submit(tx, {.user_id = user.value_or(user_), .title = "A job"}).id; });
  }
  void add(JobId job, int tasks) {
    const std::vector<queue::NewTask> all(static_cast<std::size_t>(tasks));
    db().write([&](Write& tx) { jobs::add_tasks(tx, job, queue_, all); });
  }
  /// A task that nobody gets to see for now.
  void add_later(JobId job) {
    const queue::NewTask later{.scheduled_at = clock().now() + 24h * 300};
    db().write([&](Write& tx) { jobs::add_tasks(tx, job, queue_, std::span(&later, 1)); });
  }
  std::vector<queue::ClaimedTask> claim(int limit = 100, std::chrono::milliseconds lease = 1min) {
    return db().write(
        [&](Write& tx) { return queue::claim(tx, queue_, {.worker = "test", .limit = limit, .lease = lease}); });
  }
  /// Claims and finishes all there is.
  void finish_all() {
    for (const auto& task : claim(10'000)) {
      const queue::Finish done{task.id, task.lease_token};
      db().write([&](Write& tx) { queue::finish_or_throw(tx, std::span(&done, 1)); });
    }
  }
  /// A job with tasks that have ended now, and an artifact.
  JobId ended_job(int tasks = 2) {
    const auto job = submit();
    add(job, tasks);
    finish_all();
    put_artifact(job, "https://example.org/" + to_string(job));
    return job;
  }
  ArtifactId put_artifact(std::optional<JobId> job, const std::string& url) {
    artifacts::NewArtifact artifact;
    artifact.user_id = user_;
    artifact.job_id = job;
    artifact.source_url = url;
    artifact.blob = blobs().put(std::as_bytes(std::span(url.data(), url.size())));
    return db().write([&](Write& tx) { return artifacts::put_artifact(tx, artifact); });
  }
  jobs::JobStatus status_of(JobId job) {
    return db().read([&](Read& tx) { return jobs::get(tx, job).status; });
  }

  UserId user_;
  queue::QueueId queue_;

 private:
  std::unique_ptr<artifacts::FileBlobStore> blobs_;
};

}  // namespace quarry::test
