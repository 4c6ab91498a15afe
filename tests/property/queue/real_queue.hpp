#pragma once
/// The real queue, driven by the steps of the model, and looked at in the model's words.

#include <string>
#include <vector>

#include "property/queue/model.hpp"
#include "quarry/queue/claim.hpp"
#include "support/test_database.hpp"

namespace quarry::test {

class RealQueue {
 public:
  /// Deletes every task, host, job and queue of the database and begins anew.
  explicit RealQueue(TestDatabase& database);

  /// Does what `step` says; the outcome is that of `Model::apply`.
  std::vector<std::int64_t> run(const Step& step);

  /// One line for every task and host. The same text for the model says that they agree.
  std::vector<std::string> look();
  std::vector<std::string> look(const Model& model) const;

 private:
  Database& db() { return database_.db(); }
  std::vector<std::int64_t> put(const Step& step);
  std::vector<std::int64_t> take(const Step& step);
  std::vector<std::int64_t> end_lease(const Step& step);
  std::vector<std::int64_t> control(const Step& step);
  std::vector<std::int64_t> control_host(const Step& step);

  TestDatabase& database_;
  queue::QueueId queue_;
  std::vector<JobId> jobs_;
  std::vector<TaskId> ids_;  ///< by the model's number
  std::vector<queue::LeaseRef> leases_;
};

}  // namespace quarry::test
