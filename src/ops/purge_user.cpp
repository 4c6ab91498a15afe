#include "quarry/ops/purge_user.hpp"

#include <fmt/format.h>

#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/queue/of_user.hpp"
#include "quarry/queue/schedules.hpp"
#include "quarry/queue/until_done.hpp"
#include "quarry/searches/search.hpp"
#include "quarry/system/audit.hpp"

namespace quarry::ops {
namespace {

// The user's row stays locked until the commit, so that nobody brings them back in between.
constexpr sql::Query<bool(UserId)> lock_deleted{
    "ops.lock_deleted_user", sql::sqlite("select deleted_at is not null from users where id = $1"),
    sql::postgres("select deleted_at is not null from users where id = $1 for no key update")};

struct JobOfUser {
  JobId id;
  jobs::JobStatus status = jobs::JobStatus::pending;
  std::int64_t open_tasks = 0;
};
BOOST_DESCRIBE_STRUCT(JobOfUser, (), (id, status, open_tasks))
constexpr sql::Query<JobOfUser(UserId, JobId, int)> jobs_of_user{
    "ops.jobs_of_user",
    "select id, status, open_tasks from scraping_jobs where user_id = $1 and id > $2 order by id limit $3"};
constexpr sql::Query<std::int64_t(JobId)> open_tasks_of_job{"ops.open_tasks_of_job",
                                                            "select open_tasks from scraping_jobs where id = $1"};

// They hold names and addresses of who paid: on subscriptions and their invoices, and on orders and licence keys, which name
// no subscription. What is said of another user's subscription stays, also when one customer pays for both.
constexpr sql::Command<void(UserId, int)> delete_messages{
    "ops.delete_messages",
    "delete from webhook_events where id in (select w.id from webhook_events w where (w.checkout_user_id = $1"
    " or exists (select 1 from user_subscriptions s where s.user_id = $1 and s.provider = w.provider"
    "  and (s.provider_subscription_id = w.subscription_id or s.provider_customer_id = w.customer_id)))"
    " and not exists (select 1 from user_subscriptions o where o.provider_subscription_id = w.subscription_id"
    "  and o.user_id <> $1) limit $2)"};
constexpr sql::Command<void(UserId, int)> delete_sessions{
    "ops.delete_sessions",
    "delete from user_sessions where id in (select id from user_sessions where user_id = $1 limit $2)"};

constexpr sql::Query<bool(UserId)> owns_rows{
    "ops.user_owns_rows",
    "select exists (select 1 from scraping_jobs where user_id = $1) or exists (select 1 from task_queue where user_id = $1)"
    " or exists (select 1 from artifacts where user_id = $1) or exists (select 1 from searches where user_id = $1)"
    " or exists (select 1 from schedules where user_id = $1)"};
// Whoever makes a row for this user waits for the commit, and then finds no user.
constexpr sql::Query<bool(UserId)> lock_last{
    "ops.lock_user_to_go", sql::sqlite("select deleted_at is not null from users where id = $1"),
    sql::postgres("select deleted_at is not null from users where id = $1 for update")};
constexpr sql::Command<void(UserId)> delete_user_row{"ops.delete_user", "delete from users where id = $1"};

constexpr sql::Query<UserId(Instant, int)> find_deleted_users{
    "ops.users_deleted_before",
    "select id from users where deleted_at is not null and deleted_at < $1 order by deleted_at, id limit $2"};

void require_deleted(UserId user, const std::optional<bool>& is_deleted) {
  if (!is_deleted) throw Error(ErrorCode::not_found, fmt::format("there is no user {}", to_string(user)));
  if (!*is_deleted)
    throw Error(ErrorCode::conflict, fmt::format("user {} is not deleted: delete them before purging", to_string(user)));
}

class UserPurger {
 public:
  UserPurger(const Database& db, UserId user, const UserPurgeOptions& options)
      : db_(db), user_(user), options_(options), rows_(options.rows_per_transaction) {}

  UserPurge run() {
    do {
      result_.running = 0;
      take_schedules();
      take_jobs();
      take_tasks();
      if (result_.running > 0) return result_;
      take_searches();
      in_batches(result_.artifacts, [&](Write& tx) { return artifacts::purge_of_user(tx, user_, rows_); });
      in_batches(result_.messages, [&](Write& tx) { return tx.run(delete_messages, user_, rows_); });
      in_batches(result_.sessions, [&](Write& tx) { return tx.run(delete_sessions, user_, rows_); });
    } while (!take_user());  // something new came in meanwhile
    return result_;
  }

 private:
  /// One transaction, for as long as the user is deleted.
  template <class F>
  auto step(F&& body) {
    auto result = db_.write([&](Write& tx) {
      require_deleted(user_, tx.one(lock_deleted, user_));
      return body(tx);
    });
    if (options_.progress) options_.progress(result_);
    return result;
  }

  /// `body` returns how many rows it took, of at most `rows_`.
  template <class F>
  void in_batches(std::int64_t& count, F&& body) {
    for (std::int64_t now = rows_; now == rows_; count += now) now = step(body);
  }

  void take_schedules() {
    in_batches(result_.schedules, [&](Write& tx) {
      const auto found = queue::list_schedules(tx, user_, {}, rows_);
      for (const auto& schedule : found) queue::delete_schedule(tx, schedule.id);
      return static_cast<std::int64_t>(found.size());
    });
  }

  void take_jobs() {
    JobId after{};
    while (true) {
      const auto found = db_.read([&](Read& tx) { return tx.all(jobs_of_user, user_, after, rows_); });
      for (const auto& job : found) take_job(job);
      if (std::cmp_less(found.size(), rows_)) return;
      after = found.back().id;
    }
  }

  void take_job(const JobOfUser& job) {
    if (jobs::is_open(job.status) || job.open_tasks > 0) {
      queue::until_done([&] { return step([&](Write& tx) { return cancel(tx, job); }); });
      const auto open = db_.read([&](Read& tx) { return tx.one(open_tasks_of_job, job.id); }).value_or(0);
      result_.running += open;
      if (open > 0) return;
    }
    result_.tasks += queue::until_done([&] { return step([&](Write& tx) { return jobs::purge(tx, job.id, rows_); }); });
    ++result_.jobs;
  }

  /// A job that has ended, or is hidden, may still have tasks that have not.
  queue::Moved cancel(Write& tx, const JobOfUser& job) const {
    if (jobs::is_open(job.status)) return jobs::cancel(tx, job.id, rows_);
    return queue::cancel_job(tx, job.id, rows_);
  }

  void take_tasks() {
    std::int64_t running = 0;
    in_batches(result_.tasks, [&](Write& tx) {
      const auto taken = queue::remove_tasks_of_user(tx, user_, rows_);
      running = taken.running;
      return taken.removed;
    });
    result_.running += running;
  }

  void take_searches() {
    in_batches(result_.searches, [&](Write& tx) {
      const auto found = searches::list(tx, {.user_id = user_}, {.limit = rows_}).rows;
      for (const auto& search : found) searches::purge(tx, search.id);
      return static_cast<std::int64_t>(found.size());
    });
  }

  bool take_user() {
    result_.done = db_.write([&](Write& tx) {
      require_deleted(user_, tx.one(lock_last, user_));
      if (tx.value(owns_rows, user_)) return false;
      tx.run(delete_user_row, user_);
      system::audit(tx, {.action = "user.purge",
                         .resource_type = "user",
                         .resource_id = user_.value,
                         .details = Json{fmt::format(R"({{"jobs":{},"tasks":{},"searches":{},"artifacts":{}}})",
                                                     result_.jobs, result_.tasks, result_.searches, result_.artifacts)}});
      return true;
    });
    return result_.done;
  }

  const Database& db_;
  UserId user_;
  const UserPurgeOptions& options_;
  int rows_;
  UserPurge result_;
};

}  // namespace

UserPurge purge_user(const Database& db, UserId user, const UserPurgeOptions& options) {
  if (options.rows_per_transaction < 1 || options.rows_per_transaction > 1'000)
    throw_invalid("1 to 1000 rows may be taken in one transaction");
  return UserPurger(db, user, options).run();
}

std::vector<UserId> users_deleted_before(Read& tx, Instant before, int limit) {
  if (!tx.actor().sees_all()) throw Error(ErrorCode::denied, "whoever was deleted is for administrators: ask one of them");
  return tx.all(find_deleted_users, before, limit);
}

}  // namespace quarry::ops
