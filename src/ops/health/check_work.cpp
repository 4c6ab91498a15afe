/// Does somebody do the work? Tasks, schedules and payment events that wait for longer than they should.

#include "ops/health/checks.hpp"
#include "quarry/queue/control.hpp"

namespace quarry::ops::health {
namespace {

/// Hosts that rest for longer than this are told of.
constexpr std::chrono::microseconds host_rest_long = std::chrono::hours(1);
constexpr std::chrono::microseconds webhook_wait_max = std::chrono::hours(1);
/// Queues looked at closely: those with the most that waits.
constexpr int queues_max = 16;

struct Overdue {
  std::int64_t n;
  std::optional<Instant> oldest;
};
BOOST_DESCRIBE_STRUCT(Overdue, (), (n, oldest))

constexpr sql::Query<Overdue(Instant, int)> expired_leases{
    "health.expired_leases",
    "select count(*) as n, min(lease_until) as oldest from (select lease_until from task_queue"
    " where status = 'processing' and lease_until < $1 order by lease_until limit $2) o"};
constexpr sql::Query<Overdue(Instant, int)> overdue_tasks{
    "health.overdue_tasks",
    "select count(*) as n, min(scheduled_at) as oldest from (select scheduled_at from task_queue"
    " where status = 'scheduled' and scheduled_at < $1 order by scheduled_at limit $2) o"};
constexpr sql::Query<Overdue(Instant, int)> overdue_schedules{
    "health.overdue_schedules",
    "select count(*) as n, min(next_run_at) as oldest from (select next_run_at from schedules"
    " where is_enabled and next_run_at < $1 order by next_run_at limit $2) o"};
constexpr sql::Query<Overdue(int)> waiting_webhooks{
    "health.waiting_webhooks",
    "select count(*) as n, min(received_at) as oldest from (select received_at from webhook_events"
    " where status <> 'processed' order by received_at limit $1) o"};

struct QueueSums {
  queue::QueueId id;
  std::string name;
  bool is_paused;
  std::int64_t pending;
  std::int64_t processing;
  std::int64_t dead;
};
BOOST_DESCRIBE_STRUCT(QueueSums, (), (id, name, is_paused, pending, processing, dead))
constexpr sql::Query<QueueSums(int)> queue_sums{
    "health.queues",
    sql::sqlite(
        "select q.id, q.name, q.is_paused, coalesce(sum(case when c.status = 'pending' then c.n end), 0) as pending,"
        " coalesce(sum(case when c.status = 'processing' then c.n end), 0) as processing,"
        " coalesce(sum(case when c.status = 'dead' then c.n end), 0) as dead"
        " from queues q join queue_counts c on c.queue_id = q.id group by q.id order by pending desc, q.id limit $1"),
    sql::postgres("select q.id::bigint as id, q.name, q.is_paused,"
                  " coalesce(sum(c.n) filter (where c.status = 'pending'), 0)::bigint as pending,"
                  " coalesce(sum(c.n) filter (where c.status = 'processing'), 0)::bigint as processing,"
                  " coalesce(sum(c.n) filter (where c.status = 'dead'), 0)::bigint as dead"
                  " from queues q join queue_counts c on c.queue_id = q.id group by q.id order by 4 desc, 1 limit $1")};

struct Resting {
  std::int64_t hosts;
  std::int64_t tasks;
};
BOOST_DESCRIBE_STRUCT(Resting, (), (hosts, tasks))
constexpr sql::Query<Resting(Instant, int)> resting_hosts{
    "health.resting_hosts",
    sql::sqlite("select count(*) as hosts, coalesce(sum(pending), 0) as tasks from (select pending from hosts"
                " where due_at is not null and due_at > $1 order by due_at limit $2) h"),
    sql::postgres("select count(*) as hosts, coalesce(sum(pending), 0)::bigint as tasks from (select pending from hosts"
                  " where due_at is not null and due_at > $1 order by due_at limit $2) h")};

std::string counted(std::int64_t n, std::string_view one) { return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s"); }

void judge_queue(Read& tx, const QueueSums& sums, std::chrono::microseconds stuck_after, Findings& found) {
  if (sums.dead > 0)
    found.add(CheckState::notice, fmt::format("queue '{}' has {}", sums.name, counted(sums.dead, "dead letter")),
              fmt::format("quarry queue tasks {} --status dead", sums.name));
  if (sums.pending <= 0) return;
  if (sums.is_paused)
    return found.add(CheckState::notice,
                     fmt::format("queue '{}' is paused with {}", sums.name, counted(sums.pending, "task")),
                     fmt::format("quarry queue resume {}", sums.name));
  if (sums.processing > 0) return;
  const auto oldest = queue::oldest_pending(tx, sums.id);
  if (!oldest || tx.now() - *oldest < stuck_after) return;
  found.add(CheckState::warning,
            fmt::format("nobody takes the {} of queue '{}', of which one has been due for {}", counted(sums.pending, "task"),
                        sums.name, in_words(tx.now() - *oldest)),
            "start a worker: quarry work");
}

void tell_overdue(const Overdue& overdue, Instant now, std::string_view of_one, std::string_view of_many,
                  std::string_view remedy, Findings& found) {
  if (overdue.n == 0 || !overdue.oldest) return;
  found.add(CheckState::warning,
            fmt::format("{}{} for {}", count_in_words(overdue.n, of_one, of_many), overdue.n == 1 ? "," : ", one of them",
                        in_words(now - *overdue.oldest)),
            std::string(remedy));
}

}  // namespace

Findings check_tasks(const Asked& asked) {
  const auto stuck_after = asked.options.stuck_after;
  return asked.read([&](Read& tx) {
    Findings found;
    const auto now = tx.now();
    tell_overdue(tx.value(expired_leases, now - stuck_after, count_max + 1), now,
                 "lease has run out and nobody takes it back", "leases have run out and nobody takes them back",
                 "start a worker: quarry work", found);
    tell_overdue(tx.value(overdue_tasks, now - stuck_after, count_max + 1), now,
                 "task has fallen due and nobody makes it ready", "tasks have fallen due and nobody makes them ready",
                 "start a worker: quarry work", found);
    std::int64_t pending = 0;
    std::int64_t processing = 0;
    for (const auto& sums : tx.all(queue_sums, queues_max)) {
      judge_queue(tx, sums, stuck_after, found);
      pending += sums.pending;
      processing += sums.processing;
    }
    if (const auto resting = tx.value(resting_hosts, now + host_rest_long, count_max + 1); resting.hosts > 0)
      found.add(CheckState::notice,
                fmt::format("{} for over an hour, with {}", count_in_words(resting.hosts, "host rests", "hosts rest"),
                            counted(resting.tasks, "task")),
                "quarry queue hosts");
    found.say(fmt::format("{} pending, {} under way", pending, processing));
    return found;
  });
}

Findings check_schedules(const Asked& asked) {
  return asked.read([&](Read& tx) {
    Findings found;
    const auto now = tx.now();
    tell_overdue(tx.value(overdue_schedules, now - asked.options.stuck_after, count_max + 1), now,
                 "schedule is due and nobody fires it", "schedules are due and nobody fires them",
                 "start a worker: quarry work", found);
    if (found.state() == CheckState::ok) found.say("none is overdue");
    return found;
  });
}

Findings check_webhooks(const Asked& asked) {
  return asked.read([](Read& tx) {
    Findings found;
    const auto waiting = tx.value(waiting_webhooks, count_max + 1);
    const auto now = tx.now();
    if (waiting.oldest && now - *waiting.oldest > webhook_wait_max)
      tell_overdue(waiting, now, "payment event has not been applied", "payment events have not been applied",
                   "quarry billing events, quarry billing replay", found);
    else
      found.say(count_in_words(waiting.n, "payment event waits", "payment events wait"));
    return found;
  });
}

}  // namespace quarry::ops::health
