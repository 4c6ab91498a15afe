/// Every check finds what it is there for, says what to do, and is quiet otherwise.

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "conformance/watch/watch_test.hpp"
#include "quarry/schema/migrator.hpp"
#include "quarry/sql/backend.hpp"
#include "support/private_cluster.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class Health : public WatchTest {};
QUARRY_BOTH_ENGINES(Health);

TEST_P(Health, ANewDatabaseIsReadyAndHasNeverBeenBackedUp) {
  const auto report = health({.blobs = database().folder() / "blobs"});
  EXPECT_TRUE(report.live);
  EXPECT_TRUE(report.ready);
  EXPECT_EQ(report.state, HealthState::degraded);
  EXPECT_EQ(report.engine, is_sqlite() ? "sqlite" : "postgresql");
  EXPECT_EQ(report.checked_at, clock().now());
  for (const auto& check : report.checks) {
    EXPECT_NE(check.message, "") << check.name;
    EXPECT_GT(check.duration_us, 0) << check.name;
    if (check.name == "backup") {
      EXPECT_EQ(check.state, CheckState::warning);
      EXPECT_THAT(check.message, HasSubstr("never"));
      EXPECT_THAT(check.remedy.value_or(""), HasSubstr("quarry backup"));
    } else if (check.name != "engine" && check.name != "disk") {
      EXPECT_EQ(check.state, CheckState::ok) << check.name << ": " << check.message;
    }
    if (check.state != CheckState::ok) {
      EXPECT_TRUE(check.remedy) << check.name;
    }
  }
  const auto expected = is_sqlite() ? 10U : 12U;
  EXPECT_EQ(report.checks.size(), expected) << "two of them are the server's";
}

TEST_P(Health, TheEnginesKnownRisksAreNamed) {
  const auto found = check("engine");
  if (is_sqlite()) {
    EXPECT_THAT(found.message, HasSubstr("SQLite 3."));
    EXPECT_EQ(found.message.find("3.40.") != std::string::npos, found.message.find("can corrupt") != std::string::npos);
    const auto fast = database().open({.synchronous = Synchronous::normal});
    const auto report = ops::check_health(fast, {.only = {"engine"}});
    EXPECT_EQ(report.checks.front().state, CheckState::warning);
    EXPECT_THAT(report.checks.front().message, HasSubstr("synchronous=NORMAL"));
  } else {
    // The server that tests share has both off.
    EXPECT_EQ(found.state, CheckState::warning);
    EXPECT_THAT(found.message, HasSubstr("fsync is off"));
    EXPECT_THAT(found.message, HasSubstr("full_page_writes is off"));
  }
}

TEST_P(Health, NobodyTakesWhatIsDue) {
  const auto crawl = open_queue();
  put(crawl, 3);
  EXPECT_EQ(check("tasks").state, CheckState::ok);
  clock().advance(6min);
  auto found = check("tasks");
  EXPECT_EQ(found.state, CheckState::warning);
  EXPECT_THAT(found.message, HasSubstr("nobody takes the 3 tasks of queue 'crawl'"));
  EXPECT_THAT(found.message, HasSubstr("6 min"));
  EXPECT_THAT(found.remedy.value_or(""), HasSubstr("quarry work"));
  take(crawl, 1);
  EXPECT_EQ(check("tasks").state, CheckState::ok) << "somebody works, be it slowly";
  db().write([&](Write& tx) { queue::set_paused(tx, crawl, true); });
  found = check("tasks");
  EXPECT_EQ(found.state, CheckState::notice);
  EXPECT_THAT(found.message, HasSubstr("paused with 2 tasks"));
}

TEST_P(Health, LeasesThatNobodyTakesBack) {
  const auto crawl = open_queue();
  put(crawl, 2);
  take(crawl, 2);
  clock().advance(5min);
  EXPECT_EQ(check("tasks").state, CheckState::ok) << "the leases ran out half a minute later";
  clock().advance(31s);
  const auto found = check("tasks");
  EXPECT_EQ(found.state, CheckState::warning);
  EXPECT_THAT(found.message, HasSubstr("2 leases have run out"));
}

TEST_P(Health, TasksThatFellDueAndAreNotMadeReady) {
  put(open_queue(), 1, {.scheduled_at = clock().now() + 1h});
  clock().advance(1h + 4min);
  EXPECT_EQ(check("tasks").state, CheckState::ok);
  clock().advance(2min);
  EXPECT_THAT(check("tasks").message, HasSubstr("1 task has fallen due and nobody makes it ready, for 6 min"));
}

TEST_P(Health, HostsThatRestAreWorthANotice) {
  put(open_queue(), 4, {.host_key = "slow.example"});
  db().write([&](Write& tx) { queue::block_host(tx, queue::find_host(tx, "slow.example").value().id, tx.now() + 2h); });
  clock().advance(30min);
  auto found = check("tasks");
  EXPECT_EQ(found.state, CheckState::notice);
  EXPECT_THAT(found.message, HasSubstr("1 host rests for over an hour, with 4 tasks"));
  EXPECT_THAT(found.message, testing::Not(HasSubstr("slow.example"))) << "names of hosts are data";
  clock().advance(45min);
  EXPECT_EQ(check("tasks").state, CheckState::ok);
}

TEST_P(Health, CountingEndsAtAThousand) {
  const auto crawl = open_queue();
  put(crawl, 1'100);
  take(crawl, 1'100);
  clock().advance(10min);
  EXPECT_THAT(check("tasks").message, HasSubstr("more than 1000 leases"));
}

TEST_P(Health, SchedulesThatNobodyFires) {
  EXPECT_EQ(check("schedules").state, CheckState::ok);
  const auto user = is_sqlite() ? "x'00000000000000000000000000000001'" : "'00000000-0000-0000-0000-000000000001'";
  const auto due = is_sqlite() ? std::to_string(clock().now().us) : "'" + to_iso8601(clock().now()) + "'";
  script(fmt::format(
      "insert into users (id, username, email, hashed_password) values ({0}, 'ada', 'ada@example.org', '!');"
      "insert into schedules (id, user_id, name, cron, queue, next_run_at) values ({0}, {0}, 'n', '@daily', 'q', {1})",
      user, due));
  clock().advance(6min);
  const auto found = check("schedules");
  EXPECT_EQ(found.state, CheckState::warning);
  EXPECT_THAT(found.message, HasSubstr("1 schedule is due and nobody fires it, for 6 min"));
}

TEST_P(Health, PaymentEventsThatAreNotApplied) {
  const auto at = is_sqlite() ? std::to_string(clock().now().us) : "'" + to_iso8601(clock().now()) + "'";
  script(fmt::format("insert into webhook_events (id, provider, body_sha256, event_name, raw_body, received_at) values"
                     " (x'00000000000000000000000000000001', 'p', zeroblob(32), 'order', x'00', {})",
                     at),
         fmt::format("insert into webhook_events (id, provider, body_sha256, event_name, raw_body, received_at) values"
                     " ('00000000-0000-0000-0000-000000000001', 'p', decode(repeat('00', 32), 'hex'), 'order', '', {})",
                     at));
  EXPECT_EQ(check("webhooks").state, CheckState::ok);
  EXPECT_EQ(check("webhooks").message, "1 payment event waits");
  clock().advance(61min);
  EXPECT_EQ(check("webhooks").state, CheckState::warning);
}

TEST_P(Health, TheBackupsAge) {
  const auto made = clock().now();
  const auto record = [&](const std::string& failure) {
    set("backup.last_verified",
        fmt::format(R"({{"name":"b1","created_at":"{0}","verified_at":"{0}",{1}}})", to_iso8601(made), failure),
        system::SettingType::json);
  };
  record(R"("failed_at":null,"failure":null)");
  clock().advance(25h);
  EXPECT_EQ(check("backup").state, CheckState::ok);
  clock().advance(2h);
  auto found = check("backup");
  EXPECT_EQ(found.state, CheckState::warning);
  EXPECT_THAT(found.message, HasSubstr("27 h 0 min old, and 26 h 0 min are allowed"));
  set("backup.max_age_hours", "48", system::SettingType::integer);
  EXPECT_EQ(check("backup").state, CheckState::ok);
  record(fmt::format(R"("failed_at":"{}","failure":"secret words")", to_iso8601(clock().now())));
  found = check("backup");
  EXPECT_EQ(found.state, CheckState::warning);
  EXPECT_THAT(found.message, testing::AllOf(HasSubstr("the last attempt failed"), testing::Not(HasSubstr("secret"))));
  EXPECT_TRUE(health().ready) << "an old backup is no reason to stop working";
}

TEST_P(Health, ABackupOfTomorrowIsNotTakenForAFreshOne) {
  const auto record = [&](Instant made) {
    set("backup.last_verified",
        fmt::format(R"({{"name":"b1","created_at":"{0}","verified_at":"{0}","failed_at":null,"failure":null}})",
                    to_iso8601(made)),
        system::SettingType::json);
  };
  record(clock().now() + 5min);
  EXPECT_EQ(check("backup").state, CheckState::ok) << "two clocks may differ a little";
  record(clock().now() + 24h);
  const auto found = check("backup");
  EXPECT_EQ(found.state, CheckState::warning);
  EXPECT_THAT(found.message, HasSubstr("24 h 0 min ahead"));
}

TEST_P(Health, ABrokenLinkAtTheEndOfTheAuditLog) {
  for (int i = 0; i < 5; ++i) db().write([](Write& tx) { system::audit(tx, {.action = "act"}); });
  EXPECT_THAT(check("audit").message, HasSubstr("the last 5 entries"));
  script("drop trigger audit_logs_no_update; update audit_logs set action = 'forged' where chain_seq = 4",
         "alter table audit_logs disable trigger audit_logs_append_only;"
         "alter table audit_logs_default disable trigger audit_logs_append_only;"
         "update audit_logs set action = 'forged' where chain_seq = 4");
  const auto found = check("audit");
  EXPECT_EQ(found.state, CheckState::warning);
  EXPECT_THAT(found.message, HasSubstr("entry 4 was edited"));
}

TEST_P(Health, AnotherSchemaIsNotReady) {
  TestDatabase empty(GetParam(), Schema::none);
  const auto report = ops::check_health(empty.db());
  EXPECT_TRUE(report.live);
  EXPECT_FALSE(report.ready);
  EXPECT_EQ(report.state, HealthState::not_ready);
  EXPECT_EQ(report.checks.at(1).name, "schema");
  EXPECT_EQ(report.checks.at(1).state, CheckState::failed);
}

TEST_P(Health, ACheckThatDoesNotExistIsRefused) {
  try {
    health({.only = {"weather"}});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_THAT(error.client_message(), testing::AllOf(HasSubstr("weather"), HasSubstr("transaction-ids")));
  }
}

TEST_P(Health, ThePoolSaysWhoWaits) {
  auto small = database().open({.connections_max = 1, .waiters_max = 1, .acquire_timeout = 20s});
  const auto waiting = [&] { return small.stats().waiters; };
  std::atomic<bool> is_held = false;
  std::atomic<bool> end = false;
  std::thread holder([&] {
    small.read([&](Read& tx) {
      tx.all(sql::Query<std::int64_t()>("test.hold", std::string("select 1")));
      is_held = true;
      while (!end) std::this_thread::sleep_for(1ms);
    });
  });
  while (!is_held) std::this_thread::sleep_for(1ms);
  std::thread waiter([&] { small.read([](Read&) {}); });
  while (waiting() == 0) std::this_thread::sleep_for(1ms);
  const auto report = ops::check_health(small, {.timeout = 50ms, .only = {"pool", "database"}});
  end = true;
  holder.join();
  waiter.join();
  EXPECT_FALSE(report.ready) << "one more caller would be refused";
  EXPECT_TRUE(ops::check_health(small, {.only = {"pool", "database"}}).ready);
}

TEST_P(Health, TheMonitorAsksAgainWhenItsAnswerIsOld) {
  ops::HealthMonitor patient(db(), {.only = {"tasks"}}, 1h);
  const auto first = patient.report().checked_at;
  clock().advance(1s);
  EXPECT_EQ(patient.report().checked_at, first);
  ops::HealthMonitor curious(db(), {.only = {"tasks"}}, 0ms);
  curious.report();
  clock().advance(1s);
  EXPECT_EQ(curious.report().checked_at, clock().now());
}

TEST(HealthOnSqlite, AFileThatThisUserMayNotWriteIsNotReady) {
  TestDatabase database(Engine::sqlite, head());
  const std::filesystem::path file = database.url().substr(std::string_view("sqlite:").size());
  std::filesystem::permissions(file.parent_path(), std::filesystem::perms(0755));
  std::filesystem::permissions(file, std::filesystem::perms(0444));
  // Root may write anything, so somebody else asks.
  const auto child = fork();
  if (child == 0) {
    if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0)) _exit(9);
    const auto report = ops::check_health(Database::open(database.url(), {.create = false, .read_only = true}));
    _exit(report.ready ? 1 : report.checks.front().message.find("may not write") == std::string::npos ? 2 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  if (geteuid() == 0) {
    EXPECT_TRUE(ops::check_health(database.db()).ready) << "for root it is";
  }
}

TEST(HealthOnPostgres, WhatHangsIsReportedAndTheOthersGoOn) {
  TestDatabase database(Engine::postgres, head());
  auto blocker = database.db().backend().dedicated();
  blocker->session().run_script("test.lock", "begin; lock table webhook_events in access exclusive mode");
  const auto report = ops::check_health(database.db(), {.timeout = 200ms});
  EXPECT_TRUE(report.ready);
  for (const auto& check : report.checks) {
    const bool hung = check.message.find("no answer within 200 ms") != std::string::npos;
    EXPECT_EQ(hung, check.name == "webhooks") << check.name << ": " << check.message;
  }
}

TEST(HealthOnPostgres, AServerThatIsGoneIsToldInOneTimeout) {
  PrivateCluster cluster;
  const auto db = Database::open(cluster.url());
  cluster.stop();
  const auto report = ops::check_health(db, {.timeout = 300ms});
  EXPECT_FALSE(report.live);
  EXPECT_EQ(report.state, HealthState::not_ready);
  EXPECT_EQ(report.checks.front().state, CheckState::failed);
  for (std::size_t i = 1; i < report.checks.size(); ++i)
    if (report.checks[i].name != "disk") {
      EXPECT_EQ(report.checks[i].state, CheckState::skipped) << report.checks[i].name;
    }
}

TEST(HealthOnPostgres, AnEmptyDatabaseLacksItsSchemaAndNothingElse) {
  TestDatabase database(Engine::postgres, ScratchSql{});
  const auto report = ops::check_health(database.db());
  EXPECT_TRUE(report.live);
  EXPECT_FALSE(report.ready);
  std::map<std::string, CheckState> states;
  for (const auto& check : report.checks) states[check.name] = check.state;
  EXPECT_EQ(states["schema"], CheckState::failed);
  for (const auto* name : {"database", "engine", "pool"}) EXPECT_LT(states[name], CheckState::failed) << name;
  for (const auto* name : {"backup", "tasks", "schedules", "webhooks", "audit"})
    EXPECT_EQ(states[name], CheckState::skipped) << name;
}

TEST(HealthOnPostgres, AReplicaIsLiveAndNotReady) {
  PrivateCluster cluster({.settings = {"default_transaction_read_only=on"}});
  const auto report = ops::check_health(Database::open(cluster.url()), {.only = {"database"}});
  EXPECT_TRUE(report.live);
  EXPECT_FALSE(report.ready);
  EXPECT_THAT(report.checks.front().message, HasSubstr("takes no writes"));
}

}  // namespace
}  // namespace quarry::test
