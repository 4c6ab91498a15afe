#include "quarry/queue/enqueue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"
#include "queue/access.hpp"
#include "queue/columns.hpp"
#include "queue/effects.hpp"

namespace quarry::queue {
namespace {

constexpr sql::Query<QueueId(std::string_view)> find_by_name{"queue.find", "select id from queues where name = $1"};
constexpr sql::Command<void(std::string_view, Instant)> insert_queue{
    "queue.insert", "insert into queues (name, created_at) values ($1, $2) on conflict (name) do nothing"};

struct HostRow {
  std::int64_t id;
  std::string host_key;
};
BOOST_DESCRIBE_STRUCT(HostRow, (), (id, host_key))

constexpr sql::Query<HostRow(std::vector<std::string>)> find_hosts{
    "queue.find_hosts", sql::sqlite("select id, host_key from hosts where host_key in (select value from json_each($1))"),
    sql::postgres("select id, host_key from hosts where host_key = any($1)")};
constexpr sql::Command<void(std::vector<std::string>, Instant)> insert_hosts{
    "queue.insert_hosts",
    sql::sqlite("insert into hosts (host_key, created_at) select value, $2 from json_each($1) where true"
                " on conflict (host_key) do nothing"),
    sql::postgres("insert into hosts (host_key, created_at) select k, $2 from unnest($1::text[]) as k order by k"
                  " on conflict (host_key) do nothing")};

struct TaskRow {
  QueueId queue_id;
  std::optional<UserId> user_id;
  std::optional<JobId> job_id;
  std::string_view task_type;
  std::string_view payload;
  TaskStatus status;
  int priority;
  Instant scheduled_at;
  std::int64_t rank;
  std::optional<std::int64_t> host_id;
  std::optional<std::string_view> unique_key;
  bool unique_while_active;
  int max_retries;
  int max_stalls;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(TaskRow, (),
                      (queue_id, user_id, job_id, task_type, payload, status, priority, scheduled_at, rank, host_id,
                       unique_key, unique_while_active, max_retries, max_stalls, created_at))

constexpr sql::Command<void(TaskRow)> insert_task{
    "queue.enqueue",
    "insert into task_queue (queue_id, user_id, job_id, task_type, payload, status, priority, scheduled_at, rank, host_id,"
    " unique_key, unique_while_active, max_retries, max_stalls, created_at)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    " on conflict (queue_id, unique_key)"
    " where unique_key is not null and (not unique_while_active or completed_at is null) do nothing"};
// RETURNING would build a table of its own for every row.
constexpr sql::Query<TaskId()> last_id{"queue.last_id", sql::sqlite("select last_insert_rowid()"), sql::postgres("")};

struct InsertedTask {
  TaskId id;
  std::optional<std::int64_t> host_id;
  TaskStatus status;
};
BOOST_DESCRIBE_STRUCT(InsertedTask, (), (id, host_id, status))

// PostgreSQL takes a whole batch as arrays; nothing stands for null, as 0 or '', in those that have one.
constexpr sql::Command<InsertedTask(QueueId, std::optional<UserId>, std::optional<JobId>, Instant, std::vector<std::string>,
                                    std::vector<std::string>, std::vector<std::string>, std::vector<std::int64_t>,
                                    std::vector<Instant>, std::vector<std::int64_t>, std::vector<std::int64_t>,
                                    std::vector<std::string>, std::vector<std::int64_t>, std::vector<std::int64_t>,
                                    std::vector<std::int64_t>)>
    insert_tasks{
        "queue.enqueue_many", sql::sqlite(""),
        sql::postgres("insert into task_queue (queue_id, user_id, job_id, created_at, task_type, payload, status, priority,"
                      " scheduled_at, rank, host_id, unique_key, unique_while_active, max_retries, max_stalls)"
                      " select $1::int, $2::uuid, $3::uuid, $4::timestamptz, task_type, payload::jsonb, status::task_status,"
                      "  priority, scheduled_at, rank, nullif(host_id, 0), nullif(unique_key, ''), while_active > 0,"
                      "  max_retries, max_stalls"
                      " from unnest($5::text[], $6::text[], $7::text[], $8::bigint[], $9::timestamptz[], $10::bigint[],"
                      "  $11::bigint[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[])"
                      " as t (task_type, payload, status, priority, scheduled_at, rank, host_id, unique_key, while_active,"
                      "  max_retries, max_stalls)"
                      " on conflict (queue_id, unique_key)"
                      " where unique_key is not null and (not unique_while_active or completed_at is null) do nothing"
                      " returning id, host_id, status")};

/// Rows of one array statement: bounded memory, and far beyond where the round trip matters.
constexpr std::size_t tasks_per_statement = 5'000;

constexpr std::size_t unique_key_bytes_max = 2'600;

/// The limits of the schema, told before the engine has to.
void check(const NewTask& task) {
  if (task.priority < priority_highest || task.priority > priority_lowest)
    throw_invalid(
        fmt::format("priority {}: it must be from {} (highest) to {}", task.priority, priority_highest, priority_lowest));
  if (task.max_retries < 0 || task.max_retries > 1000)
    throw_invalid(fmt::format("max_retries {}: it must be from 0 to 1000", task.max_retries));
  if (task.max_stalls < 1 || task.max_stalls > 1000)
    throw_invalid(fmt::format("max_stalls {}: it must be from 1 to 1000", task.max_stalls));
  if (task.task_type.size() > 100) throw_invalid(fmt::format("task_type '{}': 100 characters are the most", task.task_type));
  if (task.unique_key && (task.unique_key->empty() || task.unique_key->size() > unique_key_bytes_max))
    throw_invalid(
        fmt::format("a unique_key of {} bytes: it must have 1 to {}", task.unique_key->size(), unique_key_bytes_max));
  if (task.host_key && (task.host_key->empty() || task.host_key->size() > host_key_max))
    throw_invalid(fmt::format("a host_key of {} bytes: it must have 1 to {}", task.host_key->size(), host_key_max));
  // What PostgreSQL could not store, SQLite would hand out again.
  store::check_text("task_type", task.task_type, 0, 100);
  if (task.unique_key) store::check_text("unique_key", *task.unique_key, 1, unique_key_bytes_max);
  if (task.host_key) store::check_text("host_key", *task.host_key, 1, host_key_max);
}

using HostIds = std::unordered_map<std::string, std::int64_t>;

HostIds resolve_hosts(Write& tx, std::span<const NewTask> tasks) {
  HostIds ids;
  for (const auto& task : tasks)
    if (task.host_key) ids.emplace(*task.host_key, 0);
  if (ids.empty()) return ids;
  std::vector<std::string> keys;
  for (const auto& [key, id] : ids) keys.push_back(key);
  const auto look_up = [&] {
    for (auto& row : tx.all(find_hosts, keys)) ids[row.host_key] = row.id;
    return std::erase_if(keys, [&](const auto& key) { return ids[key] != 0; });
  };
  look_up();
  if (keys.empty()) return ids;
  std::sort(keys.begin(), keys.end());
  tx.run(insert_hosts, keys, tx.now());
  look_up();
  return ids;
}

TaskRow make_row(const NewTask& task, QueueId queue, const EnqueueOptions& options, const HostIds& hosts, Instant now) {
  const auto due = std::max(task.scheduled_at.value_or(now), Instant{0});
  const auto when_free = due > now ? TaskStatus::scheduled : TaskStatus::pending;
  TaskRow row{};
  row.queue_id = queue;
  row.user_id = options.user_id;
  row.job_id = options.job_id;
  row.task_type = task.task_type;
  row.payload = task.payload.text;
  row.status = options.blocked ? TaskStatus::blocked : when_free;
  row.priority = task.priority;
  row.scheduled_at = due;
  row.rank = due.us + (task.priority - 1) * aging_step.count();
  if (task.host_key) row.host_id = hosts.at(*task.host_key);
  if (task.unique_key) row.unique_key = *task.unique_key;
  row.unique_while_active = task.unique_while_active;
  row.max_retries = task.max_retries;
  row.max_stalls = task.max_stalls;
  row.created_at = now;
  return row;
}

void insert_one_by_one(Write& tx, std::span<const TaskRow> rows, Enqueued& result, Effects& effects) {
  for (const auto& row : rows) {
    if (tx.run(insert_task, row) > 0) {
      result.ids.push_back(tx.value(last_id));
      effects.added({row.queue_id.value, row.host_id, row.job_id}, row.status);
    } else {
      ++result.duplicates;
    }
  }
}

void insert_as_arrays(Write& tx, std::span<const TaskRow> rows, Enqueued& result, Effects& effects) {
  std::vector<std::string> types, payloads, statuses, keys;
  std::vector<std::int64_t> priorities, ranks, hosts, while_active, retries, stalls;
  std::vector<Instant> due;
  for (const auto& row : rows) {
    types.emplace_back(row.task_type);
    payloads.emplace_back(row.payload);
    statuses.emplace_back(boost::describe::enum_to_string(row.status, ""));
    priorities.push_back(row.priority);
    due.push_back(row.scheduled_at);
    ranks.push_back(row.rank);
    hosts.push_back(row.host_id.value_or(0));
    keys.emplace_back(row.unique_key.value_or(""));
    while_active.push_back(row.unique_while_active);
    retries.push_back(row.max_retries);
    stalls.push_back(row.max_stalls);
  }
  const auto& common = rows.front();
  const auto inserted = tx.all(insert_tasks, common.queue_id, common.user_id, common.job_id, common.created_at, types,
                               payloads, statuses, priorities, due, ranks, hosts, keys, while_active, retries, stalls);
  for (const auto& task : inserted) {
    result.ids.push_back(task.id);
    effects.added({common.queue_id.value, task.host_id, common.job_id}, task.status);
  }
  result.duplicates += static_cast<std::int64_t>(rows.size() - inserted.size());
}

}  // namespace

QueueId open_queue(Write& tx, std::string_view name) {
  if (name.empty() || name.size() > 100)
    throw_invalid(fmt::format("the queue name '{}' must have 1 to 100 characters", name));
  store::check_text("the queue name", name, 1, 100);
  if (const auto found = tx.one(find_by_name, name)) return *found;
  tx.run(insert_queue, name, tx.now());
  return tx.value(find_by_name, name);
}

std::optional<QueueId> find_queue(Read& tx, std::string_view name) { return tx.one(find_by_name, name); }

Enqueued enqueue(Write& tx, QueueId queue, std::span<const NewTask> tasks, const EnqueueOptions& options) {
  for (const auto& task : tasks) check(task);
  Enqueued result;
  if (tasks.empty()) return result;
  if (!tx.actor().sees_all() && !(options.user_id && tx.actor().sees(*options.user_id)))
    throw Error(ErrorCode::denied, "a user puts in tasks of their own only: name the user in the options");
  if (options.job_id && !sees_job(tx, *options.job_id))
    throw Error(ErrorCode::not_found, fmt::format("there is no job {}", to_string(*options.job_id)));
  const auto hosts = resolve_hosts(tx, tasks);
  const auto now = tx.now();
  Effects effects;
  std::vector<TaskRow> rows;
  for (std::size_t done = 0; done < tasks.size(); done += rows.size()) {
    rows.clear();
    for (const auto& task : tasks.subspan(done, std::min(tasks_per_statement, tasks.size() - done)))
      rows.push_back(make_row(task, queue, options, hosts, now));
    if (tx.engine() == Engine::sqlite)
      insert_one_by_one(tx, rows, result, effects);
    else
      insert_as_arrays(tx, rows, result, effects);
  }
  effects.apply(tx);
  if (!result.ids.empty()) tx.notify(wake_channel(queue));
  return result;
}

std::optional<TaskId> enqueue(Write& tx, QueueId queue, const NewTask& task, const EnqueueOptions& options) {
  const auto result = enqueue(tx, queue, std::span(&task, 1), options);
  return result.ids.empty() ? std::nullopt : std::optional(result.ids.front());
}

std::string wake_channel(QueueId queue) { return fmt::format("quarry_queue_{}", queue.value); }

}  // namespace quarry::queue
