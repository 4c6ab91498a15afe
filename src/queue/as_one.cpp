#include "quarry/queue/as_one.hpp"

#include <vector>

#include "queue/deferring_session.hpp"

namespace quarry::queue {
namespace {

constexpr sql::Query<JobId(std::vector<Uuid>)> lock_in_order{
    "queue.lock_jobs", sql::sqlite(""),
    sql::postgres("select id from scraping_jobs where id = any($1) order by id for no key update")};

}  // namespace

void as_one(Write& tx, const std::function<void(Write& unit)>& body) {
  DeferringSession session(tx.session());
  Write unit(session);
  body(unit);
  session.effects().apply(tx);
}

void lock_jobs(Write& tx, std::span<const JobId> jobs) {
  if (jobs.empty() || tx.engine() == Engine::sqlite) return;
  std::vector<Uuid> ids;
  for (const auto& job : jobs) ids.push_back(job.value);
  tx.all(lock_in_order, ids);
}

}  // namespace quarry::queue
