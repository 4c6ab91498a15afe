/// Maintenance killed at any moment is gone on with by the next run, which finds nobody in its way; and several at once do
/// each thing once.

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "quarry/accounts/user_change.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/ops/maintain.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/system/audit_verify.hpp"
#include "quarry/system/settings.hpp"
#include "support/migrated_database.hpp"
#include "support/process.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

constexpr int rows_at_once = 4;

class KilledMaintenance : public MigratedEngines {
 protected:
  bool is_long() const { return std::getenv("QUARRY_TEST_LONG") != nullptr; }

  /// Something old of every kind, and one young job.
  void populate(TestDatabase& database) {
    auto& db = database.db();
    artifacts::FileBlobStore blobs(database.folder() / "blobs", {.durable = false});
    const auto url = std::string("https://example.org/");
    const auto blob = blobs.put(std::as_bytes(std::span(url.data(), url.size())));
    for (int i = 0; i < 4; ++i) add_job(database, blob, 5, i);
    db.write([](Write& tx) {
      const auto ada = accounts::create_user(tx, {.username = "ada", .email = "ada@example.org", .google_id = "g"}).id;
      jobs::submit(tx, {.user_id = ada, .title = "Hers"});
      accounts::delete_user(tx, ada);
      system::set(tx, {.key = "retention_days", .type = system::SettingType::integer, .value = "90"});
    });
    database.clock().advance(24h * 100);
    add_job(database, blob, 2, 99);
  }
  static void add_job(TestDatabase& database, const artifacts::StagedBlob& blob, int tasks, int number) {
    database.db().write([&](Write& tx) {
      const auto user = accounts::ensure_local_user(tx);
      const auto queue = queue::open_queue(tx, "crawl");
      const auto job = jobs::submit(tx, {.user_id = user, .title = "A job"}).id;
      const std::vector<queue::NewTask> all(static_cast<std::size_t>(tasks));
      jobs::add_tasks(tx, job, queue, all);
      jobs::append_log(tx, job, {.message = "begun"});
      artifacts::NewArtifact artifact;
      artifact.user_id = user;
      artifact.job_id = job;
      artifact.source_url = "https://example.org/" + std::to_string(number);
      artifact.blob = blob;
      artifacts::put_artifact(tx, artifact);
      std::vector<queue::Finish> done;
      for (const auto& task : queue::claim(tx, queue, {.worker = "test", .limit = 100}))
        done.push_back({task.id, task.lease_token});
      queue::finish_or_throw(tx, done);
    });
  }

  static Command child(TestDatabase& database, std::int64_t killed_at) {
    Command command{.program = "/proc/self/exe", .args = {"--gtest_filter=MaintainChild.Maintains"}};
    command.environment = {{"QUARRY_CHILD_URL", database.url()},
                           {"QUARRY_CHILD_BLOBS", (database.folder() / "blobs").string()},
                           {"QUARRY_CHILD_NOW", std::to_string(database.clock().now().us)},
                           {"QUARRY_CHILD_KILLED_AT", std::to_string(killed_at)}};
    return command;
  }

  /// A run that nobody kills, and that leads: a server may need a moment to see that a killed one is gone.
  static void maintain_again(TestDatabase& database, const std::string& when) {
    for (int tries = 0; tries < 200; ++tries) {
      const auto again = run(child(database, -1));
      ASSERT_TRUE(again.exit.ok()) << when << ": " << again.out << again.err;
      if (again.out.find("it has led") != std::string::npos) return;
      std::this_thread::sleep_for(20ms);
    }
    FAIL() << when << ": somebody still leads";
  }

  static std::int64_t rows(TestDatabase& database, const std::string& what) {
    return database.db().read(
        [&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.rows", "select count(*) from " + what)); });
  }
  static void expect_maintained(TestDatabase& database, const std::string& when) {
    EXPECT_EQ(rows(database, "scraping_jobs"), 1) << when;
    EXPECT_EQ(rows(database, "task_queue"), 2) << when;
    EXPECT_EQ(rows(database, "job_logs"), 3) << "begun by us, its begin and its end; " << when;
    EXPECT_EQ(rows(database, "artifacts"), 1) << when;
    EXPECT_EQ(rows(database, "users"), 1) << when;
    EXPECT_EQ(rows(database, "usage_analytics where tasks_executed = 20"), 1) << "figures outlive the tasks; " << when;
    EXPECT_EQ(rows(database, "queue_counts where status = 'completed' and n > 0"), 1) << when;
    EXPECT_TRUE(database.db().read([](Read& tx) { return system::verify_audit(tx).intact(); })) << when;
  }
};
QUARRY_BOTH_ENGINES(KilledMaintenance);

TEST_P(KilledMaintenance, IsGoneOnWithFromEveryMoment) {
  const std::int64_t stride = is_long() ? 1 : is_sqlite() ? 3 : 7;
  std::int64_t moment = 0;
  for (;; moment += stride) {
    renew_database();
    populate(database());
    auto process = Process::start(child(database(), moment));
    const auto exit = process.wait();
    if (exit.signal != SIGKILL) {
      EXPECT_TRUE(exit.ok()) << process.out() << process.err();
      break;
    }
    maintain_again(database(), "killed at moment " + std::to_string(moment));
    expect_maintained(database(), "killed at moment " + std::to_string(moment));
    if (HasFailure()) return;
  }
  EXPECT_GT(moment, 40);
  expect_maintained(database(), "not killed");
}

/// Not between its transactions but anywhere, and several times in a row.
TEST_P(KilledMaintenance, IsGoneOnWithWhereverItWas) {
  for (int round = 0; round < (is_long() ? 20 : 3); ++round) {
    renew_database();
    populate(database());
    for (int tries = 0; tries < 5; ++tries) {
      auto process = Process::start(child(database(), -1));
      process.wait_for(std::chrono::milliseconds(5 + (round * 37 + tries * 23) % 120));
      process.kill();
    }
    maintain_again(database(), "round " + std::to_string(round));
    expect_maintained(database(), "round " + std::to_string(round));
  }
}

TEST_P(KilledMaintenance, SeveralAtOnceSomeOfThemKilled) {
  populate(database());
  std::vector<Process> programs;
  for (const std::int64_t killed_at : {-1, 5, -1, 20, 33}) programs.push_back(Process::start(child(database(), killed_at)));
  for (auto& program : programs) {
    const auto exit = program.wait();
    EXPECT_TRUE(exit.ok() || exit.signal == SIGKILL) << program.out() << program.err();
  }
  maintain_again(database(), "several at once");
  expect_maintained(database(), "several at once");
}

/// What the children of these tests run. Another one that leads already is no failure.
TEST(MaintainChild, Maintains) {
  const char* url = std::getenv("QUARRY_CHILD_URL");
  if (!url) GTEST_SKIP() << "runs in a child process of the other tests";
  const Instant now{std::stoll(std::getenv("QUARRY_CHILD_NOW"))};
  const auto db = Database::open(url, {.clock = std::make_shared<ManualClock>(now)});
  artifacts::FileBlobStore blobs(std::getenv("QUARRY_CHILD_BLOBS"), {.durable = false});
  const auto killed_at = std::stoll(std::getenv("QUARRY_CHILD_KILLED_AT"));
  long long moments = 0;
  const auto report =
      ops::maintain(db, &blobs, {.rows_per_transaction = rows_at_once, .pause_max = 0ms, .progress = [&](std::string_view) {
                                   if (moments++ == killed_at) std::raise(SIGKILL);
                                 }});
  EXPECT_EQ(report.failed, 0);
  if (report.led) std::cout << "it has led\n";
  for (const auto& step : report.steps)
    EXPECT_NE(step.outcome, ops::StepOutcome::failed) << step.step << step.message.value_or("");
}

}  // namespace
}  // namespace quarry::test
