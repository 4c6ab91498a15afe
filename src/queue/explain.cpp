#include "quarry/queue/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/queue/claim_gate.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/hosts.hpp"

namespace quarry::queue {
namespace {

constexpr sql::Query<QueueInfo(std::int64_t)> find_queue_info{"queue.explain_queue",
                                                              "select id, name, is_paused from queues where id = $1"};

struct AwaitedJob {
  std::optional<JobId> id;
  std::optional<std::string> title;
  std::optional<std::string> status;
};
BOOST_DESCRIBE_STRUCT(AwaitedJob, (), (id, title, status))

constexpr sql::Query<AwaitedJob(JobId)> find_awaited_job{"queue.explain_job",
                                                         "select other.id, other.title, other.status from scraping_jobs j "
                                                         "left join scraping_jobs other on other.id = j.depends_on_job_id"
                                                         " where j.id = $1"};

// The bound stands in the text: with a parameter PostgreSQL plans for a tenth of the table.
constexpr sql::Query<std::int64_t(std::int64_t, std::int64_t, TaskId)> count_plain_ahead{
    "queue.explain_ahead",
    "select count(*) from (select 1 from task_queue where queue_id = $1 and status = 'pending' and host_id is null"
    " and (rank, id) < ($2, $3) limit 1001) a"};
constexpr sql::Query<std::int64_t(std::int64_t, std::int64_t, std::int64_t, TaskId)> count_host_ahead{
    "queue.explain_ahead_of_host",
    "select count(*) from (select 1 from task_queue where host_id = $1 and queue_id = $2 and status = 'pending'"
    " and (rank, id) < ($3, $4) limit 1001) a"};
// Through the index of leases: there are no more of them than workers can hold.
constexpr sql::Query<Holder(std::int64_t)> find_holders{
    "queue.explain_holders",
    "select id, worker, started_at, lease_until from task_queue where status = 'processing' and host_id = $1"
    " order by lease_until limit 10"};

constexpr sql::Query<std::int64_t(TaskId)> count_attempts{"queue.count_attempts",
                                                          "select count(*) from task_attempts where task_id = $1"};

struct Explainer {
  Read& tx;
  const Task& task;
  Instant now;
  Explanation& out;

  template <class... A>
  void say(Reason reason, fmt::format_string<A...> format, A&&... args) {
    out.findings.push_back({reason, fmt::format(format, std::forward<A>(args)...)});
  }

  void ended() {
    const auto when = task.completed_at ? to_iso8601(*task.completed_at) : "an unknown time";
    const auto why = task.error_message ? fmt::format(": {}", *task.error_message) : std::string();
    if (task.status == TaskStatus::completed)
      say(Reason::ended, "it was completed at {} by {}", when, task.worker.value_or("somebody"));
    else if (task.status == TaskStatus::cancelled)
      say(Reason::ended, "it was cancelled at {}", when);
    else if (task.status == TaskStatus::failed)
      say(Reason::ended, "it failed for good at {} after {} attempts{}", when, out.attempts, why);
    else
      say(Reason::ended, "it is a dead letter since {} after {} attempts{}; retry it to give it a new budget", when,
          out.attempts, why);
  }

  void running() {
    const auto worker = task.worker.value_or("somebody");
    const auto since = to_iso8601(task.started_at.value_or(now));
    const auto until = task.lease_until.value_or(now);
    if (until < now) {
      say(Reason::lease_expired,
          "worker {} took it at {}, and its lease ran out at {}: the next claim or sweep takes it back", worker, since,
          to_iso8601(until));
      if (!task.cancel_requested) out.runs_at = now;
    } else {
      say(Reason::running, "worker {} has it since {}, its lease until {}", worker, since, to_iso8601(until));
    }
    if (task.cancel_requested)
      say(Reason::cancel_requested, "it was asked to stop: its worker learns of it with its next heartbeat");
  }

  void blocked() {
    const auto job = task.job_id ? tx.one(find_awaited_job, *task.job_id) : std::nullopt;
    if (job && job->id) {
      say(Reason::waits_for_job, "it waits for job {} ({}) to end, which is {}", to_string(*job->id),
          job->title.value_or(""), job->status.value_or(""));
    } else {
      say(Reason::waits_for_job,
          "it was put in blocked, and the job it waited for is gone: cancel it, or make its job depend on another");
    }
  }

  void scheduled() {
    out.runs_at = task.scheduled_at;
    if (task.error_message && task.error_message->starts_with(kept_back_words)) {
      say(Reason::kept_back, "it was {}; it is looked at again at {}", *task.error_message, to_iso8601(task.scheduled_at));
    } else if (task.retry_count > 0) {
      say(Reason::waits_for_retry, "attempt {} failed{}; the next of {} retries is due at {}", task.retry_count,
          task.error_message ? ": " + *task.error_message : std::string(), task.max_retries, to_iso8601(task.scheduled_at));
    } else {
      say(Reason::due_later, "it is due at {}", to_iso8601(task.scheduled_at));
    }
  }

  /// What the host has to say; true when it holds the task back.
  bool host_holds(const Host& host, std::int64_t ahead) {
    const bool busy = host.in_flight >= host.max_in_flight;
    if (busy) {
      out.holders = tx.all(find_holders, host.id);
      std::string who;
      for (const auto& one : out.holders)
        who += fmt::format("{}task {} by {}", who.empty() ? "" : ", ", one.id, one.worker.value_or("?"));
      say(Reason::host_busy, "{} has {} tasks in flight and allows {}: {}", host.host_key, host.in_flight,
          host.max_in_flight, who);
    }
    if (host.blocked_until > now)
      say(Reason::host_blocked, "{} is left alone until {}{}", host.host_key, to_iso8601(host.blocked_until),
          host.backoff_count > 0 ? fmt::format(" after {} refusals in a row", host.backoff_count) : "");
    if (host.delay_ms > 0 && host.next_at > now)
      say(Reason::host_delay, "{} may be asked again at {}: one start every {} ms", host.host_key, to_iso8601(host.next_at),
          host.delay_ms);
    const auto free_at = std::max({now, host.blocked_until, host.delay_ms > 0 ? host.next_at : now});
    if (busy)
      out.runs_at.reset();
    else
      out.runs_at = free_at + std::chrono::milliseconds(host.delay_ms * ahead);
    return busy || free_at > now;
  }

  void pending() {
    out.runs_at = now;
    const auto ahead = task.host_id ? tx.value(count_host_ahead, *task.host_id, task.queue_id, task.rank, task.id)
                                    : tx.value(count_plain_ahead, task.queue_id, task.rank, task.id);
    const auto host = task.host_id ? find_host(tx, *task.host_id) : std::nullopt;
    const bool held = host && host_holds(*host, ahead);
    if (ahead > 0) {
      say(Reason::behind_others, "{} {}{} before it",
          ahead > ahead_max ? fmt::format("more than {} tasks", ahead_max)
                            : fmt::format("{} task{}", ahead, ahead == 1 ? "" : "s"),
          host ? fmt::format("of {} ", host->host_key) : "", ahead == 1 ? "comes" : "come");
    } else if (!held) {
      say(Reason::waits_for_workers,
          "it may run now and is the next in line: no worker has asked for tasks of its queue since");
    }
  }

  void queue_paused() {
    const auto queue = tx.one(find_queue_info, task.queue_id);
    if (!queue || !queue->is_paused) return;
    out.findings.insert(out.findings.begin(),
                        {Reason::queue_paused, fmt::format("queue '{}' is paused: resume it", queue->name)});
    // The pause is what keeps the next in line, and not that nobody has asked for it.
    std::erase_if(out.findings, [](const Finding& finding) { return finding.reason == Reason::waits_for_workers; });
    out.runs_at.reset();
  }
};

}  // namespace

Explanation explain(Read& tx, TaskId id, Instant now) {
  Explanation out{.id = id, .status = {}, .findings = {}, .runs_at = {}, .holders = {}, .attempts = 0};
  const auto task = find_task(tx, id);
  if (!task) {
    out.findings.push_back(
        {Reason::not_found, fmt::format("there is no task {}: it was never put in, or its retention is over", id)});
    return out;
  }
  out.status = task->status;
  out.attempts = static_cast<int>(tx.value(count_attempts, id));
  Explainer explainer{tx, *task, now, out};
  switch (task->status) {
    case TaskStatus::scheduled:
      explainer.scheduled();
      break;
    case TaskStatus::pending:
      explainer.pending();
      break;
    case TaskStatus::blocked:
      explainer.blocked();
      break;
    case TaskStatus::paused:
      explainer.say(Reason::job_paused, "its job is paused: resume it");
      break;
    case TaskStatus::processing:
      explainer.running();
      break;
    case TaskStatus::completed:
    case TaskStatus::failed:
    case TaskStatus::cancelled:
    case TaskStatus::dead:
      explainer.ended();
      return out;
  }
  if (task->status != TaskStatus::processing || out.runs_at) explainer.queue_paused();
  return out;
}

}  // namespace quarry::queue
