#include "queue/release_blocked.hpp"

#include "queue/transition.hpp"

namespace quarry::queue {
namespace {

constexpr sql::Command<MovedTask(JobId, Instant)> release_tasks{
    "queue.release_blocked",
    sql::sqlite("update task_queue set status = case when scheduled_at > $2 then 'scheduled' else 'pending' end"
                " where status = 'blocked' and job_id in (select id from scraping_jobs where depends_on_job_id = $1)"
                " returning id, queue_id, host_id, job_id, status"),
    sql::postgres("update task_queue set status = case when scheduled_at > $2 then 'scheduled'::task_status else 'pending'::task_status end"
                  " where status = 'blocked' and job_id in (select id from scraping_jobs where depends_on_job_id = $1)"
                  " returning id, queue_id, host_id, job_id, status")};

}  // namespace

void release_jobs_that_waited_for(Write& tx, JobId ended) {
  settle(tx, tx.all(release_tasks, ended, tx.now()), TaskStatus::blocked);
}

}  // namespace quarry::queue
