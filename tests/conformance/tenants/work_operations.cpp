/// Jobs, their children, tasks, schedules and searches.

#include <algorithm>

#include "conformance/tenants/tenants_test.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/configurations.hpp"
#include "quarry/jobs/explain.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/jobs/statistics.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/claim_gate.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/explain.hpp"
#include "quarry/queue/of_user.hpp"

namespace quarry::test {

using jobs::JobStatus;

Operations TenantStores::of_jobs() {
  const std::string table = "scraping_jobs";
  return {
      {table, "jobs::find", [&](Write& tx) { return jobs::find(tx, job_).has_value(); }},
      {table, "jobs::get", [&](Write& tx) { return jobs::get(tx, job_).id == job_; }},
      {table, "jobs::exists", [&](Write& tx) { return jobs::exists(tx, job_); }},
      {table, "jobs::list", [&](Write& tx) { return !jobs::list(tx).rows.empty(); }},
      {table, "jobs::list", [&](Write& tx) { return !jobs::list(tx, {.user_id = bob_}).rows.empty(); }},
      {table, "jobs::count", [&](Write& tx) { return jobs::count(tx) > 0; }},
      {"job_totals", "jobs::statistics", [&](Write& tx) { return jobs::statistics(tx).jobs > 0; }},
      {"job_totals", "jobs::statistics", [&](Write& tx) { return jobs::statistics(tx, bob_).jobs > 0; }},
      {table, "jobs::explain", [&](Write& tx) { return jobs::explain(tx, job_).job_id == job_; }},
      {table, "jobs::ended_before", [&](Write& tx) { return !jobs::ended_before(tx, tx.now()).empty(); }},
      {table, "jobs::deleted_before", [&](Write& tx) { return !jobs::deleted_before(tx, tx.now()).empty(); }},
      {table, "jobs::submit", [&](Write& tx) { return jobs::submit(tx, {.user_id = bob_, .title = "x"}).user_id == bob_; }},
      {table, "jobs::update", [&](Write& tx) { return jobs::update(tx, fresh_, {.title = "x"}).title == "x"; }},
      {table, "jobs::add_gain",
       [&](Write& tx) {
         jobs::add_gain(tx, job_, {.results = 5});
         const auto job = jobs::find(tx, job_);
         return job && job->results_count == 5;
       }},
      {table, "jobs::cancel", [&](Write& tx) { return jobs::cancel(tx, job_).tasks > 0; }},
      {table, "jobs::pause", [&](Write& tx) { return jobs::pause(tx, job_).tasks > 0; }},
      {table, "jobs::resume", [&](Write& tx) { return jobs::resume(tx, paused_).tasks > 0; }},
      {table, "jobs::retry", [&](Write& tx) { return jobs::retry(tx, job_).tasks > 0; }},
      {table, "jobs::change_status", [&](Write& tx) { return jobs::change_status(tx, fresh_, JobStatus::running), true; }},
      {table, "jobs::soft_delete", [&](Write& tx) { return jobs::soft_delete(tx, ended_); }},
      {table, "jobs::undelete", [&](Write& tx) { return jobs::undelete(tx, hidden_job_); }},
      {table, "jobs::purge", [&](Write& tx) { return jobs::purge(tx, ended_).done; }},
  };
}

Operations TenantStores::of_job_children() {
  const std::string settings = "job_configurations", lines = "job_logs";
  return {
      {settings, "jobs::set_configuration", [&](Write& tx) { return jobs::set_configuration(tx, job_, "k", "w"), true; }},
      {settings, "jobs::find_configuration", [&](Write& tx) { return jobs::find_configuration(tx, job_, "k").has_value(); }},
      {settings, "jobs::list_configurations", [&](Write& tx) { return !jobs::list_configurations(tx, job_).empty(); }},
      {settings, "jobs::unset_configuration", [&](Write& tx) { return jobs::unset_configuration(tx, job_, "k"); }},
      {lines, "jobs::append_log", [&](Write& tx) { return jobs::append_log(tx, job_, {.message = "x"}), true; }},
      {lines, "jobs::append_log",
       [&](Write& tx) {
         const std::vector<jobs::NewLogLine> two{{.message = "x"}, {.message = "y"}};
         return jobs::append_log(tx, job_, two), true;
       }},
      {lines, "jobs::list_log", [&](Write& tx) { return !jobs::list_log(tx, job_).empty(); }},
  };
}

Operations TenantStores::of_tasks() {
  const std::string table = "task_queue";
  return {
      {table, "jobs::add_tasks",
       [&](Write& tx) { return !jobs::add_tasks(tx, job_, queue_, std::vector<queue::NewTask>(1)).ids.empty(); }},
      {table, "queue::enqueue",
       [&](Write& tx) { return queue::enqueue(tx, queue_, queue::NewTask{}, {.user_id = bob_}).has_value(); }},
      {table, "queue::enqueue",
       [&](Write& tx) {
         return !queue::enqueue(tx, queue_, std::vector<queue::NewTask>(2), {.user_id = bob_, .job_id = job_}).ids.empty();
       }},
      {table, "queue::find_task", [&](Write& tx) { return queue::find_task(tx, task_).has_value(); }},
      {table, "queue::list_tasks",
       [&](Write& tx) { return !queue::list_tasks(tx, queue_, queue::TaskStatus::pending).empty(); }},
      {table, "queue::explain",
       [&](Write& tx) { return queue::explain(tx, task_, tx.now()).findings.front().reason != queue::Reason::not_found; }},
      {table, "queue::cancel_task",
       [&](Write& tx) { return queue::cancel_task(tx, task_) == queue::CancelOutcome::cancelled; }},
      {table, "queue::retry_task", [&](Write& tx) { return queue::retry_task(tx, failed_); }},
      {table, "queue::cancel_job", [&](Write& tx) { return queue::cancel_job(tx, job_).tasks > 0; }},
      {table, "queue::pause_job", [&](Write& tx) { return queue::pause_job(tx, job_).tasks > 0; }},
      {table, "queue::resume_job", [&](Write& tx) { return queue::resume_job(tx, paused_).tasks > 0; }},
      {table, "queue::retry_job", [&](Write& tx) { return queue::retry_job(tx, job_).tasks > 0; }},
      {table, "queue::purge_job", [&](Write& tx) { return queue::purge_job(tx, job_).tasks > 0; }},
      {table, "queue::let_go", [&](Write& tx) { return queue::let_go(tx, bob_) > 0; }},
      {"task_attempts", "queue::attempts_of", [&](Write& tx) { return !queue::attempts_of(tx, failed_).empty(); }},
      everybodys(table, "queue::set_paused", [&](Write& tx) { queue::set_paused(tx, queue_, true); }),
      everybodys(table, "queue::redrive", [&](Write& tx) { queue::redrive(tx, worked_, queue::TaskStatus::failed); }),
      everybodys(table, "queue::count_beyond_redrive",
                 [&](Write& tx) { queue::count_beyond_redrive(tx, worked_, queue::TaskStatus::failed); }),
      everybodys(table, "queue::purge_ended", [&](Write& tx) { queue::purge_ended(tx, tx.now()); }),
      everybodys(table, "queue::oldest_pending", [&](Write& tx) { queue::oldest_pending(tx, queue_); }),
      everybodys(table, "queue::remove_tasks_of_user", [&](Write& tx) { queue::remove_tasks_of_user(tx, bob_); }),
  };
}

Operations TenantStores::of_schedules() {
  const std::string table = "schedules";
  return {
      {table, "queue::create_schedule",
       [&](Write& tx) {
         return queue::create_schedule(tx, {.user_id = bob_, .name = "x", .cron = "* * * * *", .queue = "q"}).user_id ==
                bob_;
       }},
      {table, "queue::find_schedule", [&](Write& tx) { return queue::find_schedule(tx, schedule_).has_value(); }},
      {table, "queue::find_schedule", [&](Write& tx) { return queue::find_schedule(tx, bob_, "s").has_value(); }},
      {table, "queue::list_schedules", [&](Write& tx) { return !queue::list_schedules(tx, bob_).empty(); }},
      {table, "queue::update_schedule",
       [&](Write& tx) { return queue::update_schedule(tx, schedule_, {.priority = 1}).has_value(); }},
      {table, "queue::set_enabled", [&](Write& tx) { return queue::set_enabled(tx, schedule_, false); }},
      {table, "queue::delete_schedule", [&](Write& tx) { return queue::delete_schedule(tx, schedule_); }},
      everybodys(table, "queue::fire_due", [&](Write& tx) { queue::fire_due(tx); }),
      everybodys(table, "queue::next_firing", [&](Write& tx) { queue::next_firing(tx); }),
  };
}

Operations TenantStores::of_searches() {
  const std::string table = "searches", rows = "search_results";
  const auto asked = [](UserId user, const char* query) {
    return searches::NewSearch{.user_id = user, .query = query, .sources = {"s"}};
  };
  return {
      {table, "searches::create", [=](Write& tx) { return searches::create(tx, asked(bob_, "x")).user_id == bob_; }},
      {table, "searches::find", [&](Write& tx) { return searches::find(tx, search_).has_value(); }},
      {table, "searches::get", [&](Write& tx) { return searches::get(tx, search_).id == search_; }},
      {table, "searches::exists", [&](Write& tx) { return searches::exists(tx, search_); }},
      {table, "searches::find_fresh",
       [=](Write& tx) { return searches::find_fresh(tx, asked(bob_, "answered"), std::chrono::hours(1)).has_value(); }},
      {table, "searches::list", [&](Write& tx) { return !searches::list(tx).rows.empty(); }},
      {table, "searches::list", [&](Write& tx) { return !searches::list(tx, {.user_id = bob_}).rows.empty(); }},
      {table, "searches::count", [&](Write& tx) { return searches::count(tx) > 0; }},
      {table, "searches::change_status",
       [&](Write& tx) { return searches::change_status(tx, search_, searches::SearchStatus::processing), true; }},
      {table, "searches::purge", [&](Write& tx) { return searches::purge(tx, search_); }},
      {rows, "searches::find_result", [&](Write& tx) { return searches::find_result(tx, result_).has_value(); }},
      {rows, "searches::list_results", [&](Write& tx) { return !searches::list_results(tx, search_).rows.empty(); }},
      {rows, "searches::count_results", [&](Write& tx) { return searches::count_results(tx, search_) > 0; }},
      {rows, "searches::add_results",
       [&](Write& tx) {
         return searches::add_results(tx, search_, std::vector<searches::NewResult>{{.source = "s", .url = "x"}}) > 0;
       }},
      {rows, "searches::analyse",
       [&](Write& tx) {
         return searches::analyse(tx, std::vector<searches::Analysis>{{.id = result_, .sentiment_score = 1.0}}), true;
       }},
  };
}

}  // namespace quarry::test
