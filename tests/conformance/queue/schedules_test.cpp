/// Schedules: kept, fired once, and what happens to times that nobody saw or that come too soon.

#include "quarry/queue/schedules.hpp"

#include <atomic>
#include <thread>

#include "conformance/queue/queue_test.hpp"

namespace quarry::test {
namespace {

class Schedules : public QueueTest {
 protected:
  NewSchedule hourly() {
    return {.user_id = user(),
            .name = "hourly",
            .cron = "0 * * * *",
            .queue = "tests",
            .task_type = "poll",
            .payload = {R"({"a": 1})"}};
  }
  Schedule create(const NewSchedule& schedule) {
    return db().write([&](Write& tx) { return create_schedule(tx, schedule); });
  }
  Schedule find(ScheduleId id) {
    return db().read([&](Read& tx) { return find_schedule(tx, id); }).value();
  }
  Fired fire(int limit = 100, const SubmitJob& submit_job = {}) {
    return db().write([&](Write& tx) { return fire_due(tx, limit, submit_job); });
  }
  std::vector<Task> waiting() {
    const auto of = queue();
    return db().read([&](Read& tx) { return list_tasks(tx, of, TaskStatus::pending, 0, 1'000); });
  }
  /// Fired a minute at a time, as a supervisor would.
  void live(std::chrono::minutes time) {
    for (; time > 0min; time -= 1min) {
      clock().advance(1min);
      fire();
    }
  }
};
QUARRY_BOTH_ENGINES(Schedules);

TEST_P(Schedules, FiresAtItsTimeAndGoesOn) {
  auto made = hourly();
  made.overlap_policy = OverlapPolicy::allow;
  made.priority = 2;
  const auto id = create(made).id;
  EXPECT_EQ(find(id).next_run_at, now() + 1h);
  EXPECT_EQ(db().read([](Read& tx) { return next_firing(tx); }), now() + 1h);
  clock().advance(1h - 1us);
  EXPECT_EQ(fire().schedules, 0);
  clock().advance(1us);
  const auto due = now();
  clock().advance(3s);
  EXPECT_EQ(fire().runs, 1);
  EXPECT_EQ(fire().schedules, 0);
  ASSERT_EQ(waiting().size(), 1U);
  const auto task = waiting()[0];
  EXPECT_EQ(task.scheduled_at, due) << "a run says which time it stands for";
  EXPECT_EQ(task.task_type, "poll");
  EXPECT_EQ(task.priority, 2);
  EXPECT_EQ(task.user_id, user());
  EXPECT_EQ(find(id).last_run_at, due);
  EXPECT_EQ(find(id).last_task_id, task.id);
  EXPECT_EQ(find(id).next_run_at, due + 1h);
}

TEST_P(Schedules, OverlapSkipLeavesOutWhatComesWhileTheLastRunIsOpen) {
  const auto id = create(hourly()).id;
  live(61min);
  ASSERT_EQ(waiting().size(), 1U);
  live(60min);
  EXPECT_EQ(waiting().size(), 1U) << "the first has not ended";
  EXPECT_EQ(find(id).next_run_at, TestDatabase::kStart + 3h) << "and yet the schedule goes on";
  end(take_one());
  live(60min);
  EXPECT_EQ(waiting().size(), 1U);
}

TEST_P(Schedules, OverlapAllowRunsSideBySide) {
  auto made = hourly();
  made.overlap_policy = OverlapPolicy::allow;
  create(made);
  live(181min);
  EXPECT_EQ(waiting().size(), 3U);
}

TEST_P(Schedules, MisfireRunOnceMakesOneRunOfManyMissedTimes) {
  const auto id = create(hourly()).id;
  clock().advance(10h + 30min);
  EXPECT_EQ(fire().runs, 1);
  ASSERT_EQ(waiting().size(), 1U);
  EXPECT_EQ(waiting()[0].scheduled_at, TestDatabase::kStart + 10h) << "the last of them";
  EXPECT_EQ(find(id).next_run_at, TestDatabase::kStart + 11h);
}

TEST_P(Schedules, MisfireSkipLeavesMissedTimesOut) {
  auto made = hourly();
  made.misfire_policy = MisfirePolicy::skip;
  const auto id = create(made).id;
  clock().advance(10h + 30min);
  const auto fired = fire();
  EXPECT_EQ(fired.runs, 0);
  EXPECT_EQ(fired.skipped, 1);
  EXPECT_EQ(find(id).next_run_at, TestDatabase::kStart + 11h);
  clock().set(TestDatabase::kStart + 11h + 30s);
  EXPECT_EQ(fire().runs, 1) << "half a minute late is not missed";
  clock().set(TestDatabase::kStart + 20h + 30s);
  end(take_one());
  EXPECT_EQ(fire().runs, 1) << "the last time has just come, though others before it were missed";
}

TEST_P(Schedules, MisfireRunAllMakesUpForEachInBoundedSteps) {
  auto made = hourly();
  made.misfire_policy = MisfirePolicy::run_all;
  made.overlap_policy = OverlapPolicy::allow;
  const auto id = create(made).id;
  clock().advance(250h);
  std::vector<int> runs;
  while (const auto fired = fire().runs) runs.push_back(fired);
  EXPECT_EQ(runs, (std::vector{100, 100, 50}));
  EXPECT_EQ(waiting().size(), 250U);
  EXPECT_EQ(waiting()[0].scheduled_at, TestDatabase::kStart + 1h);
  EXPECT_EQ(find(id).next_run_at, TestDatabase::kStart + 251h);
}

TEST_P(Schedules, RunAllWithOverlapSkipRunsTheFirst) {
  auto made = hourly();
  made.misfire_policy = MisfirePolicy::run_all;
  create(made);
  clock().advance(5h);
  const auto fired = fire();
  EXPECT_EQ(fired.runs, 1);
  EXPECT_EQ(fired.skipped, 4);
}

// CI-8
TEST_P(Schedules, SurviveARestart) {
  // Elsewhere an in-process timer forgets what it had promised.
  const auto id = create(hourly()).id;
  const auto promised = find(id).next_run_at;
  database().reopen();
  EXPECT_EQ(find(id).next_run_at, promised);
  clock().advance(1h);
  EXPECT_EQ(fire().runs, 1);
  database().reopen();
  EXPECT_EQ(fire().runs, 0);
  EXPECT_EQ(waiting().size(), 1U);
}

TEST_P(Schedules, SeveralSupervisorsFireEachTimeOnce) {
  for (int i = 0; i < 30; ++i) {
    auto made = hourly();
    made.name = "s" + std::to_string(i);
    made.overlap_policy = OverlapPolicy::allow;
    create(made);
  }
  std::atomic<int> runs = 0;
  for (int hour = 1; hour <= 3; ++hour) {
    clock().advance(1h);
    std::vector<std::jthread> supervisors;
    for (int t = 0; t < 4; ++t)
      supervisors.emplace_back([&, other = database().open()] {
        while (const auto fired = other.write([](Write& tx) { return fire_due(tx, 3); }).runs) runs += fired;
      });
  }
  EXPECT_EQ(runs, 90);
  EXPECT_EQ(waiting().size(), 90U);
}

TEST_P(Schedules, DisabledTimesAreNotMissed) {
  auto made = hourly();
  made.misfire_policy = MisfirePolicy::run_all;
  const auto id = create(made).id;
  const auto enable = [&](bool on) { return db().write([&](Write& tx) { return set_enabled(tx, id, on); }); };
  EXPECT_TRUE(enable(false));
  EXPECT_FALSE(enable(false));
  EXPECT_EQ(db().read([](Read& tx) { return next_firing(tx); }), std::nullopt);
  clock().advance(10h);
  EXPECT_EQ(fire().schedules, 0);
  EXPECT_TRUE(enable(true));
  EXPECT_EQ(find(id).next_run_at, now() + 1h);
  EXPECT_EQ(fire().schedules, 0);
}

TEST_P(Schedules, AreChangedListedAndDeleted) {
  const auto id = create(hourly()).id;
  auto second = hourly();
  second.name = "another";
  create(second);
  const auto names = [&](std::string_view after) {
    std::vector<std::string> found;
    for (const auto& one : db().read([&](Read& tx) { return list_schedules(tx, user(), after); })) found.push_back(one.name);
    return found;
  };
  user();
  EXPECT_EQ(names(""), (std::vector<std::string>{"another", "hourly"}));
  EXPECT_EQ(names("another"), std::vector<std::string>{"hourly"});
  const auto changed = db().write([&](Write& tx) {
    return update_schedule(tx, id, {.cron = "30 * * * *", .priority = 1, .overlap_policy = OverlapPolicy::allow});
  });
  ASSERT_TRUE(changed);
  EXPECT_EQ(find(id).next_run_at, now() + 30min);
  EXPECT_EQ(find(id).priority, 1);
  EXPECT_EQ(find(id).task_type, "poll");
  EXPECT_EQ(find(id).overlap_policy, OverlapPolicy::allow);
  EXPECT_EQ(db().read([&](Read& tx) { return find_schedule(tx, user(), "hourly"); })->cron, "30 * * * *");
  EXPECT_TRUE(db().write([&](Write& tx) { return delete_schedule(tx, id); }));
  EXPECT_FALSE(db().write([&](Write& tx) { return delete_schedule(tx, id); }));
  EXPECT_FALSE(db().write([&](Write& tx) { return update_schedule(tx, id, {}); }));
}

TEST_P(Schedules, ErrorsSayWhatIsWrong) {
  const auto code = [&](const NewSchedule& schedule) {
    try {
      create(schedule);
    } catch (const Error& error) {
      return to_string(error.code());
    }
    return std::string_view("made");
  };
  auto one = hourly();
  one.cron = "61 * * * *";
  EXPECT_EQ(code(one), "invalid");
  one = hourly();
  one.priority = 11;
  EXPECT_EQ(code(one), "invalid");
  one = hourly();
  one.queue = "";
  EXPECT_EQ(code(one), "invalid");
  one = hourly();
  one.name = std::string(101, 'n');
  EXPECT_EQ(code(one), "invalid");
  create(hourly());
  EXPECT_EQ(code(hourly()), "conflict");
}

TEST_P(Schedules, OneThatCannotBeUnderstoodDoesNotHoldUpTheOthers) {
  const auto bad = create(hourly()).id;
  auto good = hourly();
  good.name = "good";
  create(good);
  static constexpr sql::Command<void(ScheduleId)> spoil{"test.spoil",
                                                        "update schedules set cron = 'nonsense' where id = $1"};
  db().write([&](Write& tx) { tx.run(spoil, bad); });
  clock().advance(1h);
  const auto fired = fire();
  EXPECT_EQ(fired.schedules, 2);
  EXPECT_EQ(fired.runs, 1);
  EXPECT_FALSE(find(bad).is_enabled);
  EXPECT_EQ(fire().schedules, 0);
}

TEST_P(Schedules, OneWhoseJobCannotBeMadeDoesNotHoldUpTheOthers) {
  auto bad = hourly();
  bad.job_config = Json{R"({"targetUrl": "https://a.example/"})"};
  const auto id = create(bad).id;
  auto good = hourly();
  good.name = "good";
  create(good);
  clock().advance(1h);
  const auto fired = fire(
      100, [](Write&, const Schedule&, Instant) -> JobId { throw Error(ErrorCode::not_found, "there is no such user"); });
  EXPECT_EQ(fired.runs, 1);
  EXPECT_FALSE(find(id).is_enabled);
}

TEST_P(Schedules, ThoseOfDeletedUsersRest) {
  const auto id = create(hourly()).id;
  clock().advance(1h);
  static constexpr sql::Command<void(Instant)> remove_users{"test.delete_users", "update users set deleted_at = $1"};
  db().write([](Write& tx) { tx.run(remove_users, tx.now()); });
  EXPECT_EQ(fire().schedules, 0);
  static constexpr sql::Command<void()> restore_users{"test.restore_users", "update users set deleted_at = null"};
  db().write([](Write& tx) { tx.run(restore_users); });
  EXPECT_EQ(fire().runs, 1) << "they wake with their user";
  EXPECT_TRUE(find(id).is_enabled);
}

TEST_P(Schedules, AJobIsMadeByWhoeverFires) {
  auto made = hourly();
  made.job_config = Json{R"({"targetUrl": "https://a.example/"})"};
  const auto id = create(made).id;
  clock().advance(1h);
  EXPECT_EQ(fire().schedules, 0) << "left alone by those who cannot";
  const auto job_id = job("made by the schedule");
  Instant for_time;
  const auto fired = fire(100, [&](Write&, const Schedule& schedule, Instant at) {
    EXPECT_EQ(schedule.id, id);
    for_time = at;
    return job_id;
  });
  EXPECT_EQ(fired.runs, 1);
  EXPECT_EQ(for_time, now());
  EXPECT_EQ(find(id).last_job_id, job_id);
  clock().advance(1h);
  EXPECT_EQ(fire(100, [&](Write&, const Schedule&, Instant) { return job_id; }).skipped, 1) << "the job is still open";
}

}  // namespace
}  // namespace quarry::test
