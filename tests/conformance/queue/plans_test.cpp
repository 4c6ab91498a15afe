/// Q12 of the field's known defects: every statement of the queue finds its rows by an index, when the tables are empty and
/// when they are full of tasks that may not run.

#include <map>
#include <sstream>

#include "conformance/queue/explaining_session.hpp"
#include "conformance/queue/queue_test.hpp"
#include "quarry/queue/explain.hpp"
#include "quarry/queue/schedules.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::test {
namespace {

using Plans = std::map<std::string, std::string>;

class QueuePlans : public QueueTest {
 protected:
  /// Everything that can be done to a queue, once, in a transaction that is undone.
  /// `natural`: as the planner likes it. Else PostgreSQL reads a whole table only where no index serves.
  Plans plans(bool natural = false) {
    struct Undo {};
    Plans plans;
    const auto job_id = job("explained " + std::to_string(++jobs_));
    const auto of = queue();
    put();
    take_one(100ms);
    clock().advance(1s);
    try {
      db().write([&](Write& tx) {
        if (is_postgres() && !natural) tx.session().run_script("test.no_scan", "set local enable_seqscan = off");
        ExplainingSession session(tx.session());
        Write explained(session);
        do_everything(explained, of, job_id);
        plans = session.plans();
        throw Undo{};
      });
    } catch (const Undo&) {
    }
    return plans;
  }

  static void do_everything(Write& tx, QueueId of, JobId job_id) {
    const Instant now = tx.now();
    const std::vector<NewTask> tasks(40, NewTask{.priority = 1});
    enqueue(tx, of, tasks, {.job_id = job_id});
    enqueue(tx, of, std::vector(40, NewTask{.priority = 1, .host_key = "free.example"}), {.job_id = job_id});
    enqueue(tx, of, NewTask{.scheduled_at = now + 1h, .unique_key = "k", .unique_while_active = true},
            {.job_id = job_id, .blocked = true});
    const auto claimed = claim(tx, of, {.worker = "test", .limit = 60});
    const auto at = [&](std::size_t i) { return LeaseRef{claimed.at(i).id, claimed.at(i).lease_token}; };
    const std::vector leases{at(0), at(1), at(2), at(3)};
    hold(tx, leases);
    heartbeat(tx, leases, kLease);
    cancel_requests(tx, leases);
    finish(tx, std::vector{Finish{at(0).id, at(0).lease_token, {}}});
    fail(tx, std::vector{Failure{at(1).id, at(1).lease_token, "it broke", false, {}}});
    fail(tx, std::vector{Failure{at(2).id, at(2).lease_token, "it broke", true, {}}});
    release(tx, std::vector{at(3)});
    cancel_task(tx, at(3).id);
    retry_task(tx, at(2).id);
    pause_job(tx, job_id, 10);
    resume_job(tx, job_id, 10);
    retry_job(tx, job_id, 10);
    cancel_job(tx, job_id, 10);
    promote_due(tx);
    reap_expired(tx);
    purge_ended(tx, now, 10);
    next_event(tx);
    next_firing(tx);
    fire_due(tx);
    oldest_pending(tx, of);
    counts(tx, of);
    const auto host = find_host(tx, "free.example").value();
    host_refused(tx, host.id, now, {});
    block_host(tx, host.id, now);
    for (const auto& task : claimed) explain(tx, task.id, now);
    for (const auto status : {TaskStatus::pending, TaskStatus::blocked})
      for (const auto& task : list_tasks(tx, of, status, 0, 3)) explain(tx, task.id, now);
    attempts_of(tx, at(1).id);
  }

  /// Four parts of a blocked host, two due later, four that have ended.
  void fill(int part) {
    put_many(4 * part, {.priority = 1, .host_key = "blocked.example"});
    const auto id = host("blocked.example").id;
    db().write([&](Write& tx) { block_host(tx, id, tx.now() + 1h); });
    put_many(2 * part, {.priority = 1, .scheduled_at = now() + 1h});
    put_many(4 * part);
    for (auto tasks = take(5'000); !tasks.empty(); tasks = take(5'000)) end_all(tasks);
    ASSERT_EQ(count(TaskStatus::completed), 4 * part);
  }

 private:
  int jobs_ = 0;
};
QUARRY_BOTH_ENGINES(QueuePlans);

/// Which indexes a statement must use.
const std::map<std::string, std::vector<std::string>>& wanted(Engine engine) {
  static const std::map<std::string, std::vector<std::string>> both{
      {"queue.promote_due", {"idx_task_queue_scheduled"}}, {"queue.reap_expired", {"idx_task_queue_lease"}},
      {"queue.purge_ended", {"idx_task_queue_finished"}},  {"queue.next_scheduled", {"idx_task_queue_scheduled"}},
      {"queue.next_lease_end", {"idx_task_queue_lease"}},  {"queue.next_host", {"idx_hosts_due"}},
      {"queue.move_job", {"idx_task_queue_job"}},          {"queue.ended_of_job", {"idx_task_queue_job"}}};
  static const auto sqlite = [] {
    auto all = both;
    all.insert({{"queue.claim_plain", {"idx_task_queue_ready"}},
                {"queue.claim_hosts", {"idx_hosts_due"}},
                {"queue.claim_hosted", {"idx_task_queue_host_ready"}},
                {"queue.any_expired", {"idx_task_queue_lease"}}});
    return all;
  }();
  static const auto postgres = [] {
    auto all = both;
    all.insert({{"queue.claim", {"idx_task_queue_ready", "idx_hosts_due", "idx_task_queue_host_ready"}}});
    return all;
  }();
  return engine == Engine::sqlite ? sqlite : postgres;
}

/// Those that grow with the tasks in other states, for people and not for workers; and on SQLite the check of a foreign key
/// that stands in the plan and is passed over, because a new host has no tasks yet.
bool may_read_it_all(const std::string& name, Engine engine) {
  return name == "queue.list_tasks" || (engine == Engine::sqlite && name == "queue.insert_hosts");
}

/// A line of a plan that reads a whole table. A scan of a partial index is none: it holds what may run.
bool reads_it_all(const std::string& line, Engine engine, bool natural) {
  const auto has = [&](std::string_view text) { return line.find(text) != std::string::npos; };
  // Small tables are rightly read whole.
  if (engine == Engine::postgres) return natural ? has("Seq Scan on task_queue") : has("Seq Scan on");
  const bool scan =
      has("SCAN task_queue") || has("SCAN t ") || line == "SCAN t" || has("SCAN hosts") || has("SCAN task_attempts");
  return scan && !has("USING");
}

void check(const Plans& plans, Engine engine, bool natural, std::string_view when) {
  for (const auto& [name, plan] : plans) {
    if (may_read_it_all(name, engine)) continue;
    std::istringstream lines(plan);
    bool reads_all = false;
    for (std::string line; std::getline(lines, line);) reads_all |= reads_it_all(line, engine, natural);
    if (reads_all) ADD_FAILURE() << name << " reads a whole table when " << when << ":\n" << plan.substr(0, 2'000);
  }
  if (natural) return;
  for (const auto& [name, indexes] : wanted(engine)) {
    const auto found = plans.find(name);
    ASSERT_NE(found, plans.end()) << name << " was not run";
    const auto plan = found->second.substr(0, 2'000);
    for (const auto& index : indexes)
      EXPECT_NE(plan.find(index), std::string::npos) << name << " when " << when << ":\n" << plan;
    // Sorting what was found means that the limit came too late. What was lost in a job is sorted, and little.
    const bool sorts =
        engine == Engine::sqlite && name != "queue.ended_of_job" && plan.find("TEMP B-TREE") != std::string::npos;
    EXPECT_FALSE(sorts) << name << " when " << when << ":\n" << plan;
  }
}

TEST_P(QueuePlans, Q12_EveryStatementUsesItsIndexWhenTablesAreEmpty) {
  check(plans(), GetParam(), false, "the tables are empty");
}

TEST_P(QueuePlans, Q12_EveryStatementUsesItsIndexAmongAHundredThousandTasks) {
  fill(10'000);
  check(plans(), GetParam(), false, "the tables are full");
  db().backend().run_outside_transaction("test.analyze", "analyze");
  database().reopen();
  check(plans(), GetParam(), false, "the tables are full and analyzed");
  check(plans(true), GetParam(), true, "the tables are full and analyzed");
}

TEST_P(QueuePlans, Q7_AFullQueueIsReopenedAtItsHead) {
  fill(3'000);
  const auto ready = put_many(5);
  database().reopen();
  EXPECT_EQ(ids_of(take()), ready);
}

TEST_P(QueuePlans, Q11_TasksBehindABlockedHostAreNeverLookedAt) {
  fill(3'000);
  // Of the worst priority: whoever scanned by rank would meet twelve thousand blocked ones first.
  const auto ready = put_many(1'000, {.priority = 10});
  std::vector<TaskId> taken;
  for (auto tasks = take(); !tasks.empty(); tasks = take())
    for (const auto id : ids_of(tasks)) taken.push_back(id);
  EXPECT_EQ(taken, ready);
}

}  // namespace
}  // namespace quarry::test
