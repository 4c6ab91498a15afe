#include "queue/release_blocked.hpp"

#include <set>

namespace quarry::queue {
namespace {

constexpr sql::Command<MovedTask(JobId, Instant)> release_tasks{
    "queue.release_blocked",
    sql::sqlite("update task_queue set status = case when scheduled_at > $2 then 'scheduled' else 'pending' end"
                " where status = 'blocked' and job_id in (select id from scraping_jobs where depends_on_job_id = $1)"
                " returning id, queue_id, host_id, job_id, status"),
    sql::postgres("update task_queue set status = case when scheduled_at > $2 then 'scheduled'::task_status else "
                  "'pending'::task_status end"
                  " where status = 'blocked' and job_id in (select id from scraping_jobs where depends_on_job_id = $1)"
                  " returning id, queue_id, host_id, job_id, status")};

}  // namespace

std::vector<MovedTask> release_jobs_that_waited_for(Write& tx, JobId ended) {
  auto tasks = tx.all(release_tasks, ended, tx.now());
  pause_with_their_jobs(tx, tasks);
  std::set<std::int64_t> to_wake;
  for (const auto& task : tasks) to_wake.insert(task.queue_id);
  for (const auto queue : to_wake) tx.notify(wake_channel({queue}));
  return tasks;
}

}  // namespace quarry::queue
