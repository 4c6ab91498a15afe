#pragma once
/// Every kind of write that a store offers, each as one transaction on the same little world.

#include <chrono>
#include <ostream>
#include <string>
#include <vector>

#include "quarry/accounts/api_keys.hpp"
#include "quarry/accounts/sessions.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/schedules.hpp"
#include "quarry/searches/search.hpp"

namespace quarry::test {

/// What is in the database before the operation.
struct World {
  UserId user, admin, deleted_user;
  accounts::ApiKeyId key;
  accounts::SessionId session;
  queue::QueueId queue;
  JobId job, ended_job;
  std::vector<queue::ClaimedTask> claimed;  ///< five, of `job`
  TaskId pending_task = 0, dead_task = 0;
  std::int64_t host = 0;
  queue::ScheduleId schedule;
  ArtifactId artifact, deleted_artifact;
  SearchId search;

  queue::LeaseRef lease(std::size_t i) const { return {claimed.at(i).id, claimed.at(i).lease_token}; }
};

/// Fills a database that has the schema and nothing else.
World make_world(Database& db);

struct Operation {
  std::string name;
  void (*run)(Write& tx, const World& world);
  std::chrono::microseconds after = std::chrono::seconds(1);  ///< the world was made

  friend void PrintTo(const Operation& operation, std::ostream* out) { *out << operation.name; }
};

/// One line each. An operation that is added to a store is added here.
const std::vector<Operation>& operations();

}  // namespace quarry::test
