#pragma once
/// The real queue, driven by the steps of the model, and looked at in the model's words.

#include <functional>
#include <string>
#include <vector>

#include "property/queue/model.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::test {

class RealQueue {
 public:
  /// `reopen` closes `db` and opens it again, in the same place.
  RealQueue(Database& db, ManualClock& clock, std::function<void()> reopen)
      : db_(db), clock_(clock), reopen_(std::move(reopen)) {}

  /// Deletes every task, host, job and queue of the database and begins anew, at the model's time.
  void begin(const Model& model);
  /// Goes on with what another process has left, which is known to be as in the model.
  void resume(const Model& model);
  /// For `look` alone: what tasks there are by now.
  void find_tasks();

  /// Does what `step` says; the outcome is that of `Model::apply`.
  std::vector<std::int64_t> run(const Step& step);

  /// One line for every task and host. The same text for the model says that they agree.
  std::vector<std::string> look();
  std::vector<std::string> look(const Model& model) const;

 private:
  Database& db() { return db_; }
  std::vector<std::int64_t> put(const Step& step);
  std::vector<std::int64_t> take(const Step& step);
  std::vector<std::int64_t> end_lease(const Step& step);
  std::vector<std::int64_t> control(const Step& step);
  std::vector<std::int64_t> control_host(const Step& step);

  Database& db_;
  ManualClock& clock_;
  std::function<void()> reopen_;
  queue::QueueId queue_;
  std::vector<JobId> jobs_;
  std::vector<TaskId> ids_;  ///< by the model's number
  std::vector<queue::LeaseRef> leases_;
};

}  // namespace quarry::test
