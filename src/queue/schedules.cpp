#include "quarry/queue/schedules.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"
#include "quarry/queue/cron.hpp"
#include "quarry/store/checks.hpp"
#include "queue/access.hpp"
#include "queue/columns.hpp"

namespace quarry::queue {
namespace {

constexpr sql::Query<Schedule(ScheduleId)> schedule_by_id{"schedules.get",
                                                          "select " QUARRY_SCHEDULE_COLUMNS " from schedules where id = $1"};
constexpr sql::Query<Schedule(ScheduleId)> lock_by_id{
    "schedules.lock", sql::sqlite("select " QUARRY_SCHEDULE_COLUMNS " from schedules where id = $1"),
    sql::postgres("select " QUARRY_SCHEDULE_COLUMNS " from schedules where id = $1 for update")};
constexpr sql::Query<Schedule(UserId, std::string_view)> find_by_name{
    "schedules.find", "select " QUARRY_SCHEDULE_COLUMNS " from schedules where user_id = $1 and name = $2"};
constexpr sql::Query<Schedule(UserId, std::string_view, int)> list_by_name{
    "schedules.list",
    "select " QUARRY_SCHEDULE_COLUMNS " from schedules where user_id = $1 and name > $2 order by name limit $3"};

struct Row {
  ScheduleId id;
  UserId user_id;
  std::string_view name;
  std::string_view cron;
  std::string_view queue;
  std::string_view task_type;
  Json payload;
  std::optional<Json> job_config;
  int priority;
  bool is_enabled;
  OverlapPolicy overlap_policy;
  MisfirePolicy misfire_policy;
  std::optional<Instant> next_run_at;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(Row, (),
                      (id, user_id, name, cron, queue, task_type, payload, job_config, priority, is_enabled, overlap_policy,
                       misfire_policy, next_run_at, now))

constexpr sql::Command<void(Row)> insert{
    "schedules.insert",
    "insert into schedules (id, user_id, name, cron, queue, task_type, payload, job_config, priority, is_enabled, "
    "overlap_policy,"
    " misfire_policy, next_run_at, created_at, updated_at)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14) on conflict (user_id, name) do nothing"};

struct ChangedRow {
  ScheduleId id;
  std::string_view cron;
  std::string_view queue;
  std::string_view task_type;
  Json payload;
  int priority;
  OverlapPolicy overlap_policy;
  MisfirePolicy misfire_policy;
  std::optional<Instant> next_run_at;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(ChangedRow, (),
                      (id, cron, queue, task_type, payload, priority, overlap_policy, misfire_policy, next_run_at, now))

constexpr sql::Command<void(ChangedRow)> change_row{"schedules.update",
                                                    "update schedules set cron = $2, queue = $3, task_type = $4, payload = "
                                                    "$5, priority = $6, overlap_policy = $7, misfire_policy = $8,"
                                                    " next_run_at = $9, updated_at = $10 where id = $1"};
constexpr sql::Command<void(ScheduleId, bool, std::optional<Instant>, Instant)> enable{
    "schedules.set_enabled", "update schedules set is_enabled = $2, next_run_at = $3, updated_at = $4 where id = $1"};
constexpr sql::Command<void(ScheduleId)> remove{"schedules.delete", "delete from schedules where id = $1"};
constexpr sql::Query<std::optional<Instant>()> next_due{"schedules.next_firing",
                                                        "select min(next_run_at) from schedules where is_enabled"};

void check_length(std::string_view what, std::string_view text, std::size_t least, std::size_t most) {
  if (text.size() < least || text.size() > most)
    throw_invalid(fmt::format("the schedule's {} has {} bytes: it must have {} to {}", what, text.size(), least, most));
  store::check_text(fmt::format("the schedule's {}", what), text, least, most);
}

void check_task(std::string_view queue, std::string_view task_type, int priority) {
  check_length("queue", queue, 1, 100);
  check_length("task_type", task_type, 0, 100);
  if (priority < priority_highest || priority > priority_lowest)
    throw_invalid(
        fmt::format("priority {}: it must be from {} (highest) to {}", priority, priority_highest, priority_lowest));
}

}  // namespace

Schedule create_schedule(Write& tx, const NewSchedule& schedule) {
  if (!tx.actor().sees(schedule.user_id))
    throw Error(ErrorCode::not_found, fmt::format("there is no user {}", to_string(schedule.user_id)));
  check_length("name", schedule.name, 1, 100);
  check_task(schedule.queue, schedule.task_type, schedule.priority);
  const auto next = Cron::parse(schedule.cron).next_after(tx.now());
  const auto id = tx.new_id<ScheduleId>();
  const auto inserted =
      tx.run(insert, {id, schedule.user_id, schedule.name, schedule.cron, schedule.queue, schedule.task_type,
                      schedule.payload, schedule.job_config, schedule.priority, schedule.is_enabled, schedule.overlap_policy,
                      schedule.misfire_policy, next, tx.now()});
  if (inserted == 0)
    throw Error(ErrorCode::conflict,
                fmt::format("there is a schedule '{}' already: change that one, or choose another name", schedule.name));
  return tx.value(schedule_by_id, id);
}

std::optional<Schedule> update_schedule(Write& tx, ScheduleId id, const ScheduleChange& change) {
  auto is = tx.one(lock_by_id, id);
  if (!is || !tx.actor().sees(is->user_id)) return std::nullopt;
  if (change.queue) is->queue = *change.queue;
  if (change.task_type) is->task_type = *change.task_type;
  if (change.payload) is->payload = *change.payload;
  is->priority = change.priority.value_or(is->priority);
  is->overlap_policy = change.overlap_policy.value_or(is->overlap_policy);
  is->misfire_policy = change.misfire_policy.value_or(is->misfire_policy);
  check_task(is->queue, is->task_type, is->priority);
  if (change.cron && *change.cron != is->cron) {
    is->cron = *change.cron;
    is->next_run_at = Cron::parse(is->cron).next_after(tx.now());
  }
  tx.run(change_row, {id, is->cron, is->queue, is->task_type, is->payload, is->priority, is->overlap_policy,
                      is->misfire_policy, is->next_run_at, tx.now()});
  return is;
}

bool set_enabled(Write& tx, ScheduleId id, bool enabled) {
  const auto is = tx.one(lock_by_id, id);
  if (!is || !tx.actor().sees(is->user_id) || is->is_enabled == enabled) return false;
  const auto next = enabled ? Cron::parse(is->cron).next_after(tx.now()) : is->next_run_at;
  return tx.run(enable, id, enabled, next, tx.now()) > 0;
}

bool delete_schedule(Write& tx, ScheduleId id) { return find_schedule(tx, id) && tx.run(remove, id) > 0; }

std::optional<Schedule> find_schedule(Read& tx, ScheduleId id) {
  auto found = tx.one(schedule_by_id, id);
  if (found && !tx.actor().sees(found->user_id)) found.reset();
  return found;
}
std::optional<Schedule> find_schedule(Read& tx, UserId user, std::string_view name) {
  return tx.actor().sees(user) ? tx.one(find_by_name, user, name) : std::nullopt;
}
std::vector<Schedule> list_schedules(Read& tx, UserId user, std::string_view after, int limit) {
  return tx.actor().sees(user) ? tx.all(list_by_name, user, after, limit) : std::vector<Schedule>{};
}
std::optional<Instant> next_firing(Read& tx) {
  require_sees_all(tx, "firing what is due");
  return tx.value(next_due);
}

}  // namespace quarry::queue
