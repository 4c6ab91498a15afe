#include "conformance/queue/queue_test.hpp"

namespace quarry::test {
namespace {

constexpr sql::Command<void(UserId)> insert_user{
    "test.insert_user",
    "insert into users (id, username, email, google_id) values ($1, 'ada', 'ada@example.org', 'ada at the provider')"};
constexpr sql::Command<void(JobId, UserId, std::string_view, std::optional<JobId>)> insert_job{
    "test.insert_job",
    "insert into scraping_jobs (id, user_id, job_type, title, depends_on_job_id) values ($1, $2, 'crawl', $3, $4)"};
constexpr sql::Query<JobRow(JobId)> find_job{
    "test.find_job",
    "select status, progress, total_items, open_tasks, processed_items, failed_items, started_at, completed_at"
    " from scraping_jobs where id = $1"};

}  // namespace

UserId QueueTest::user() {
  if (!user_) {
    user_ = db().write([](Write& tx) {
      const auto id = tx.new_id<UserId>();
      tx.run(insert_user, id);
      return id;
    });
  }
  return *user_;
}

JobId QueueTest::job(std::string_view title, std::optional<JobId> depends_on) {
  const auto owner = user();
  return db().write([&](Write& tx) {
    const auto id = tx.new_id<JobId>();
    tx.run(insert_job, id, owner, title, depends_on);
    return id;
  });
}

JobRow QueueTest::job_row(JobId id) {
  return db().read([&](Read& tx) { return tx.value(find_job, id); });
}

std::vector<TaskId> ids_of(const std::vector<ClaimedTask>& tasks) {
  std::vector<TaskId> ids;
  for (const auto& task : tasks) ids.push_back(task.id);
  return ids;
}

}  // namespace quarry::test
