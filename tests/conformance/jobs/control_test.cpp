#include "conformance/jobs/jobs_test.hpp"

namespace quarry::test {
namespace {

using jobs::JobStatus;
using queue::TaskStatus;

class JobsControl : public JobsTest {
 protected:
  jobs::Moved cancel(JobId id, int limit = queue::move_limit) {
    return db().write([&](Write& tx) { return jobs::cancel(tx, id, limit); });
  }
  jobs::Moved retry(JobId id, int limit = queue::move_limit) {
    return db().write([&](Write& tx) { return jobs::retry(tx, id, limit); });
  }
};
QUARRY_BOTH_ENGINES(JobsControl);

TEST_P(JobsControl, CancelsInBatchesAndAsksWhatRunsToStop) {
  const auto job = submit();
  add(job.id, 7);
  const auto running = claim(2);
  const auto first = cancel(job.id, 3);
  EXPECT_EQ(first.tasks, 3);
  EXPECT_FALSE(first.done);
  EXPECT_EQ(get(job.id).status, JobStatus::cancelled);
  EXPECT_EQ(get(job.id).cancel_requested_at, clock().now());
  const auto second = cancel(job.id, 3);
  EXPECT_EQ(second.tasks, 2);
  EXPECT_TRUE(second.done);
  EXPECT_EQ(cancel(job.id).tasks, 0);
  EXPECT_EQ(in_state(job.id, TaskStatus::processing), 2);

  const std::vector<queue::LeaseRef> leases{{running[0].id, running[0].lease_token},
                                            {running[1].id, running[1].lease_token}};
  const auto beat = db().write([&](Write& tx) { return queue::heartbeat(tx, leases, std::chrono::seconds(30)); });
  EXPECT_EQ(beat.cancelled.size(), 2U);
  finish(running[0]);
  give_up(running[1]);
  EXPECT_EQ(get(job.id).status, JobStatus::cancelled);
  EXPECT_EQ(get(job.id).open_tasks, 0);
}

TEST_P(JobsControl, PausesAndResumes) {
  const auto job = submit();
  add(job.id, 3);
  db().write([&](Write& tx) { EXPECT_EQ(jobs::pause(tx, job.id).tasks, 3); });
  EXPECT_TRUE(get(job.id).is_paused);
  EXPECT_TRUE(claim().empty());
  db().write([&](Write& tx) { EXPECT_EQ(jobs::resume(tx, job.id).tasks, 3); });
  EXPECT_FALSE(get(job.id).is_paused);
  EXPECT_EQ(claim().size(), 3U);
}

TEST_P(JobsControl, CancellingEndsThePause) {
  const auto job = submit();
  add(job.id, 2);
  db().write([&](Write& tx) { jobs::pause(tx, job.id); });
  db().write([&](Write& tx) { EXPECT_EQ(jobs::cancel(tx, job.id).tasks, 2); });
  EXPECT_EQ(get(job.id).status, JobStatus::cancelled);
  EXPECT_FALSE(get(job.id).is_paused);
}

TEST_P(JobsControl, AJobThatEndsByWhatWasUnderWayIsPausedNoMore) {
  const auto job = submit();
  add(job.id, 1);
  const auto tasks = claim();
  db().write([&](Write& tx) { jobs::pause(tx, job.id); });
  EXPECT_TRUE(get(job.id).is_paused);
  finish(tasks.at(0));
  EXPECT_EQ(get(job.id).status, JobStatus::completed);
  EXPECT_FALSE(get(job.id).is_paused);
}

TEST_P(JobsControl, RetriesWhatFailedAndKeepsTheHistory) {
  const auto job = submit();
  add(job.id, 3);
  const auto tasks = claim();
  finish(tasks[0]);
  give_up(tasks[1]);
  give_up(tasks[2]);
  ASSERT_EQ(get(job.id).status, JobStatus::completed);
  const auto moved = retry(job.id);
  EXPECT_EQ(moved.tasks, 2);
  const auto again = get(job.id);
  EXPECT_EQ(again.status, JobStatus::running);
  EXPECT_EQ(again.completed_at, std::nullopt);
  EXPECT_EQ(again.open_tasks, 2);
  EXPECT_EQ(again.failed_items, 0);
  EXPECT_EQ(db().read([&](Read& tx) { return queue::attempts_of(tx, tasks[1].id); }).size(), 1U);
  for (const auto& task : claim()) finish(task);
  EXPECT_EQ(get(job.id).status, JobStatus::completed);
  EXPECT_EQ(get(job.id).processed_items, 3);
}

// SL-5
TEST_P(JobsControl, ARetryKeepsTheHistoryOfAttempts) {
  const auto job = submit();
  add(job.id, 2);
  for (const auto& task : claim()) give_up(task);
  EXPECT_EQ(get(job.id).attempt, 1);
  const auto first_end = get(job.id).completed_at;
  retry(job.id);
  EXPECT_EQ(get(job.id).attempt, 2);
  retry(job.id);
  EXPECT_EQ(get(job.id).attempt, 2) << "it runs: this was no new attempt";
  for (const auto& task : claim()) give_up(task);
  retry(job.id);
  EXPECT_EQ(get(job.id).attempt, 3);
  for (const auto& task : claim()) {
    finish(task);
    EXPECT_EQ(db().read([&](Read& tx) { return queue::attempts_of(tx, task.id); }).size(), 2U);
  }
  EXPECT_EQ(get(job.id).attempt, 3);
  ASSERT_TRUE(first_end);
  auto lines = db().read([&](Read& tx) { return jobs::list_log(tx, job.id); });
  // Between them are the lines of the queue, which say how each attempt went.
  std::erase_if(lines, [](const jobs::LogLine& line) { return line.message.find("; attempt ") == std::string::npos; });
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].message, "attempt 1 ended failed: 2 of 2 items failed; attempt 2 begins");
  EXPECT_EQ(lines[1].message, "attempt 2 ended failed: 2 of 2 items failed; attempt 3 begins");
  EXPECT_THAT(lines[0].metadata.value_or(Json{}).text, testing::HasSubstr("\"failed_items\""));
}

TEST_P(JobsControl, RetriesInBatches) {
  const auto job = submit();
  add(job.id, 3);
  for (const auto& task : claim()) give_up(task);
  ASSERT_EQ(get(job.id).status, JobStatus::failed);
  EXPECT_FALSE(retry(job.id, 2).done);
  const auto rest = retry(job.id, 2);
  EXPECT_TRUE(rest.done);
  EXPECT_EQ(rest.tasks, 1);
  EXPECT_EQ(claim().size(), 3U);
}

// SL-4
TEST_P(JobsControl, RefusesMovesThatTheStateMachineDoesNotHave) {
  const auto done = submit();
  add(done.id, 1);
  for (const auto& task : claim()) finish(task);
  std::string message;
  EXPECT_EQ(code_of([&] { cancel(done.id); }, &message), ErrorCode::conflict);
  EXPECT_THAT(message, testing::HasSubstr("is completed"));
  EXPECT_EQ(code_of([&] { retry(done.id); }, &message), ErrorCode::conflict);
  EXPECT_THAT(message, testing::HasSubstr("none of its tasks failed"));
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { jobs::pause(tx, done.id); }); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { jobs::resume(tx, done.id); }); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { jobs::change_status(tx, done.id, JobStatus::pending); }); }, &message),
            ErrorCode::conflict);
  EXPECT_THAT(message, testing::AllOf(testing::HasSubstr("completed"), testing::HasSubstr("pending")));

  const auto cancelled = submit();
  cancel(cancelled.id);
  EXPECT_EQ(code_of([&] { retry(cancelled.id); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { cancel(JobId{done.user_id.value}); }), ErrorCode::not_found);
}

TEST_P(JobsControl, AJobMayEndWithoutTasks) {
  const auto job = submit();
  db().write([&](Write& tx) { jobs::change_status(tx, job.id, JobStatus::failed, "robots.txt forbids the start page"); });
  EXPECT_EQ(get(job.id).status, JobStatus::failed);
  EXPECT_EQ(get(job.id).error_message, "robots.txt forbids the start page");
  EXPECT_EQ(get(job.id).completed_at, clock().now());
}

TEST_P(JobsControl, WhatWaitsForAJobWithoutTasksGoesOnWhenItEnds) {
  for (const auto to : {JobStatus::completed, JobStatus::failed, JobStatus::cancelled}) {
    const auto first = submit();
    const auto second = submit({.depends_on_job_id = first.id});
    add(second.id, 2);
    EXPECT_TRUE(claim(10).empty());
    db().write([&](Write& tx) { jobs::change_status(tx, first.id, to); });
    const auto tasks = claim(10);
    EXPECT_EQ(tasks.size(), 2U) << jobs::to_string(to);
    for (const auto& task : tasks) finish(task);
    EXPECT_EQ(get(second.id).status, JobStatus::completed);
  }
}

TEST_P(JobsControl, OpenTasksEndAJobThemselves) {
  const auto job = submit();
  add(job.id, 1);
  const auto task = claim(1).at(0);
  for (const auto to : {JobStatus::completed, JobStatus::failed})
    EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { jobs::change_status(tx, job.id, to); }); }), ErrorCode::conflict);
  EXPECT_EQ(get(job.id).status, JobStatus::running);
  finish(task);
  EXPECT_EQ(get(job.id).status, JobStatus::completed);
}

class JobsLog : public JobsTest {};
QUARRY_BOTH_ENGINES(JobsLog);

TEST_P(JobsLog, FiltersByLevelAndFollows) {
  const auto job = submit();
  const auto other = submit();
  using jobs::LogLevel;
  const std::vector<jobs::NewLogLine> lines{{LogLevel::debug, "one"},
                                            {LogLevel::info, "two", Json{R"({"url":"https://example.org/"})"}},
                                            {LogLevel::warning, "three"},
                                            {LogLevel::error, "four"}};
  db().write([&](Write& tx) {
    jobs::append_log(tx, job.id, lines);
    jobs::append_log(tx, other.id, {LogLevel::info, "elsewhere"});
  });
  const auto list = [&](jobs::LogFilter filter) {
    return db().read([&](Read& tx) { return jobs::list_log(tx, job.id, filter); });
  };
  const auto all = list({});
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].message, "one");
  EXPECT_EQ(all[1].level, LogLevel::info);
  ASSERT_TRUE(all[1].metadata);
  EXPECT_NE(all[1].metadata->text.find("example.org"), std::string::npos);
  EXPECT_EQ(all[3].created_at, clock().now());
  EXPECT_EQ(list({.at_least = LogLevel::warning}).size(), 2U);
  EXPECT_EQ(list({.at_least = LogLevel::error}).front().message, "four");
  EXPECT_EQ(list({.limit = 3}).back().message, "three");
  const auto tail = list({.limit = 2, .newest = true});
  EXPECT_EQ(tail.front().message, "three");
  EXPECT_EQ(tail.back().message, "four");
  EXPECT_TRUE(list({.after = all.back().id}).empty());
  db().write([&](Write& tx) { jobs::append_log(tx, job.id, {LogLevel::info, "five"}); });
  EXPECT_EQ(list({.after = all.back().id}).front().message, "five");
}

TEST_P(JobsLog, CutsLongLinesAtACharacterAndRefusesWhatIsNoText) {
  const auto job = submit();
  std::string text(9'999, 'x');
  text += "ß and more";
  db().write([&](Write& tx) { jobs::append_log(tx, job.id, {jobs::LogLevel::info, text}); });
  const auto line = db().read([&](Read& tx) { return jobs::list_log(tx, job.id); }).front();
  EXPECT_EQ(line.message, std::string(9'999, 'x'));
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) {
                            jobs::append_log(tx, job.id, {jobs::LogLevel::info, "\xC3"});
                          }); }),
            ErrorCode::invalid);
  EXPECT_EQ(code_of([&] {
              db().write([&](Write& tx) { jobs::append_log(tx, job.id, {jobs::LogLevel::info, "x", Json{"{"}}); });
            }),
            ErrorCode::invalid);
  EXPECT_EQ(code_of([&] {
              db().write([&](Write& tx) { jobs::append_log(tx, JobId{user_.value}, {jobs::LogLevel::info, "x"}); });
            }),
            ErrorCode::not_found);
}

}  // namespace
}  // namespace quarry::test
