#include "quarry/jobs/explain.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"
#include "quarry/jobs/find.hpp"

namespace quarry::jobs {
namespace {

constexpr sql::Query<TaskCount(JobId)> count_tasks{
    "jobs.count_tasks", "select status, count(*) as n from task_queue where job_id = $1 group by status order by status"};
constexpr sql::Query<std::optional<Instant>(JobId)> find_next_due{
    "jobs.next_due", "select min(scheduled_at) from task_queue where job_id = $1 and status = 'scheduled'"};
constexpr sql::Query<WaitingHost(JobId)> count_hosts{
    "jobs.waiting_hosts",
    sql::sqlite(
        "select h.host_key, w.tasks, h.in_flight, h.max_in_flight, h.delay_ms, h.backoff_count,"
        " max(h.next_at, h.blocked_until) as free_at"
        " from (select host_id, count(*) as tasks from task_queue where job_id = $1 and status = 'pending'"
        "  and host_id is not null group by host_id) w join hosts h on h.id = w.host_id order by w.tasks desc, h.id"),
    sql::postgres(
        "select h.host_key, w.tasks, h.in_flight, h.max_in_flight, h.delay_ms, h.backoff_count,"
        " greatest(h.next_at, h.blocked_until) as free_at"
        " from (select host_id, count(*) as tasks from task_queue where job_id = $1 and status = 'pending'"
        "  and host_id is not null group by host_id) w join hosts h on h.id = w.host_id order by w.tasks desc, h.id")};
constexpr sql::Query<std::string(JobId)> find_paused_queues{
    "jobs.paused_queues",
    "select name from queues where is_paused and id in"
    " (select queue_id from task_queue where job_id = $1 and (status = 'pending' or status = 'scheduled')) order by name"};

constexpr sql::Query<bool(JobId)> has_open_queue{
    "jobs.has_open_queue",
    "select exists (select 1 from queues where not is_paused and id in"
    " (select queue_id from task_queue where job_id = $1 and status = 'pending'))"};
constexpr sql::Query<std::int64_t(JobId, Instant)> count_expired{
    "jobs.count_expired",
    "select count(*) from task_queue where job_id = $1 and status = 'processing' and lease_until < $2"};

constexpr std::size_t hosts_shown = 10;

std::int64_t of(const std::vector<TaskCount>& counts, queue::TaskStatus status) {
  for (const auto& count : counts)
    if (count.status == status) return count.n;
  return 0;
}

std::string tasks(std::int64_t n) { return n == 1 ? "1 task" : fmt::format("{} tasks", n); }

bool is_free(const WaitingHost& host, Instant now) { return host.free_at <= now && host.in_flight < host.max_in_flight; }

std::string why_not(const WaitingHost& host, Instant now) {
  if (host.free_at > now && host.backoff_count > 0)
    return fmt::format("{} refused {} and is left alone until {}", host.host_key,
                       host.backoff_count == 1 ? "once" : fmt::format("{} times in a row", host.backoff_count),
                       to_iso8601(host.free_at));
  if (host.free_at > now)
    return fmt::format("{} is left alone until {}{}", host.host_key, to_iso8601(host.free_at),
                       host.delay_ms > 0 ? fmt::format(" (its delay is {} ms)", host.delay_ms) : "");
  return fmt::format("{} has {} in flight, which is its limit", host.host_key, tasks(host.in_flight));
}

/// What keeps the tasks back that are pending.
void explain_pending(Explanation& result, std::int64_t pending, Instant now) {
  std::int64_t held = 0;
  for (const auto& host : result.hosts)
    if (!is_free(host, now)) held += host.tasks;
  if (pending > held)
    result.findings.push_back(
        {Reason::waits_for_workers, fmt::format("{} may run now and {} for a worker: start one with `quarry work`",
                                                tasks(pending - held), pending - held == 1 ? "waits" : "wait")});
  std::size_t told = 0;
  for (const auto& host : result.hosts)
    if (!is_free(host, now) && told++ < 3)
      result.findings.push_back({Reason::waits_for_hosts,
                                 fmt::format("{} for a host: {}", tasks(host.tasks) + (host.tasks == 1 ? " waits" : " wait"),
                                             why_not(host, now))});
}

void explain_ended(Explanation& result, const Job& job) {
  auto message =
      fmt::format("the job is {}: {} completed, {} failed", to_string(job.status), job.processed_items, job.failed_items);
  if (job.error_message) message += fmt::format(" ({})", *job.error_message);
  if (job.failed_items > 0 && job.status != JobStatus::cancelled)
    message += fmt::format("; `quarry job retry {}` tries those that failed again", to_string(job.id));
  result.findings.push_back({Reason::ended, std::move(message)});
}

void explain_open(Read& tx, Explanation& result, const Job& job) {
  using queue::TaskStatus;
  const auto add = [&](Reason reason, std::string message) { result.findings.push_back({reason, std::move(message)}); };
  if (job.is_paused) add(Reason::paused, fmt::format("the job is paused: `quarry job resume {}`", to_string(job.id)));
  const auto paused_queues = tx.all(find_paused_queues, job.id);
  for (const auto& name : paused_queues)
    add(Reason::queue_paused, fmt::format("the queue '{0}' is paused: `quarry queue resume {0}`", name));
  if (result.tasks.empty()) add(Reason::no_tasks, "the job has no tasks yet");
  if (const auto n = of(result.tasks, TaskStatus::processing)) {
    const auto lost = tx.value(count_expired, job.id, tx.now());
    if (n > lost) add(Reason::working, tasks(n - lost) + " being worked on");
    if (lost > 0)
      add(Reason::workers_lost,
          fmt::format("the workers of {} have not been heard of: the next worker takes them back", tasks(lost)));
  }
  if (const auto n = of(result.tasks, TaskStatus::blocked); n > 0 && job.depends_on_job_id)
    add(Reason::waits_for_job, fmt::format("{} until job {} has ended", tasks(n) + (n == 1 ? " waits" : " wait"),
                                           to_string(*job.depends_on_job_id)));
  // Behind a queue that is paused neither a worker nor a host would help.
  if (const auto n = of(result.tasks, TaskStatus::pending);
      n > 0 && (paused_queues.empty() || tx.value(has_open_queue, job.id)))
    explain_pending(result, n, tx.now());
  if (const auto n = of(result.tasks, TaskStatus::scheduled); n > 0 && result.next_due)
    add(Reason::waits_for_time,
        fmt::format("{} due later, the next one at {}", tasks(n) + (n == 1 ? " is" : " are"), to_iso8601(*result.next_due)));
  if (result.findings.empty())
    add(Reason::waits_for_workers, "its tasks have ended, and the job ends with the next one that is added");
}

}  // namespace

Explanation explain(Read& tx, JobId id) {
  const auto job = get(tx, id);
  Explanation result{
      .job_id = id, .status = job.status, .findings = {}, .tasks = tx.all(count_tasks, id), .hosts = {}, .next_due = {}};
  if (is_open(job.status)) {
    result.next_due = tx.value(find_next_due, id);
    result.hosts = tx.all(count_hosts, id);
    explain_open(tx, result, job);
    if (result.hosts.size() > hosts_shown) result.hosts.resize(hosts_shown);
  } else {
    explain_ended(result, job);
  }
  return result;
}

}  // namespace quarry::jobs
