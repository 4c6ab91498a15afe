/// Random histories of one job beside a model of its state machine: the same states, the same refusals, the same figures.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>

#include "conformance/queue/counters.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/finish.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

using jobs::JobStatus;

enum class Verb { add, claim, finish, fail, cancel, pause, resume, retry, remove, undelete };

struct Step {
  Verb verb;
  int amount;
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr const char* names[] = {"add",   "claim",  "finish", "fail",   "cancel",
                                   "pause", "resume", "retry",  "delete", "undelete"};
  return out << names[static_cast<int>(step.verb)] << " " << step.amount;
}

/// What becomes of a job, by the page on jobs (docs/jobs.md), with its tasks as mere numbers.
struct Model {
  JobStatus status = JobStatus::pending;
  bool is_paused = false;
  bool is_deleted = false;
  int waiting = 0, working = 0, asked_to_stop = 0, done = 0, lost = 0, cancelled = 0;

  int total() const { return waiting + working + asked_to_stop + done + lost + cancelled; }
  int open() const { return waiting + working + asked_to_stop; }
  void end_if_over() {
    if (status != JobStatus::running || open() > 0) return;
    status = done == 0 && lost > 0 ? JobStatus::failed : JobStatus::completed;
    is_paused = false;
  }
};

class JobModel : public MigratedEngines {
 protected:
  void SetUp() override {
    db().write([&](Write& tx) { user_ = accounts::ensure_local_user(tx); });
  }

  /// Whether the job took it, or refused it as a `conflict` or as not there.
  template <class F>
  bool takes(F&& body) {
    try {
      db().write([&](Write& tx) { body(tx); });
      return true;
    } catch (const Error& error) {
      RC_ASSERT(error.code() == ErrorCode::conflict || error.code() == ErrorCode::not_found);
      return false;
    }
  }
  void end_one(const queue::ClaimedTask& task, bool well) {
    db().write([&](Write& tx) {
      const queue::Finish done{task.id, task.lease_token, {}};
      const queue::Failure failure{.id = task.id, .lease_token = task.lease_token, .error = "no", .permanent = true};
      if (well)
        queue::finish_or_throw(tx, std::span(&done, 1));
      else
        queue::fail(tx, std::span(&failure, 1));
    });
  }
  void run(const std::vector<Step>& steps);
  void step(JobId job, const Step& step, Model& model, std::vector<queue::ClaimedTask>& held);
  void move(JobId job, Verb verb, Model& model);
  void compare(JobId job, const Model& model);

  UserId user_;
  queue::QueueId queue_;
  int histories_ = 0;
};
QUARRY_BOTH_ENGINES(JobModel);

void JobModel::move(JobId job, Verb verb, Model& model) {
  const bool is_open = jobs::is_open(model.status);
  switch (verb) {
    case Verb::cancel: {
      const bool may = !model.is_deleted && (is_open || model.status == JobStatus::cancelled);
      RC_ASSERT(takes([&](Write& tx) { jobs::cancel(tx, job); }) == may);
      if (!may) return;
      model.status = JobStatus::cancelled;
      model.is_paused = false;
      model.cancelled += std::exchange(model.waiting, 0);
      model.asked_to_stop += std::exchange(model.working, 0);
      return;
    }
    case Verb::pause:
    case Verb::resume: {
      const bool may = !model.is_deleted && is_open;
      const auto go = verb == Verb::pause ? jobs::pause : jobs::resume;
      RC_ASSERT(takes([&](Write& tx) { go(tx, job, queue::move_limit); }) == may);
      if (may) model.is_paused = verb == Verb::pause;
      return;
    }
    case Verb::retry: {
      const bool may = !model.is_deleted && model.status != JobStatus::cancelled && (is_open || model.lost > 0);
      RC_ASSERT(takes([&](Write& tx) { jobs::retry(tx, job); }) == may);
      if (!may) return;
      if (!is_open) model.is_paused = false;
      if (!is_open) model.status = JobStatus::running;
      model.waiting += std::exchange(model.lost, 0);
      return;
    }
    case Verb::remove:
      RC_ASSERT(takes([&](Write& tx) { jobs::soft_delete(tx, job); }) == !is_open);
      if (!is_open) model.is_deleted = true;
      return;
    default:
      RC_ASSERT(takes([&](Write& tx) { jobs::undelete(tx, job); }));
      model.is_deleted = false;
  }
}

void JobModel::step(JobId job, const Step& step, Model& model, std::vector<queue::ClaimedTask>& held) {
  if (step.verb == Verb::add) {
    const std::vector<queue::NewTask> tasks(static_cast<std::size_t>(step.amount));
    const bool may = !model.is_deleted && model.status != JobStatus::completed && model.status != JobStatus::failed;
    RC_ASSERT(takes([&](Write& tx) { jobs::add_tasks(tx, job, queue_, tasks); }) == may);
    if (!may) return;
    if (model.status == JobStatus::cancelled)
      model.cancelled += step.amount;
    else
      model.waiting += step.amount;
  } else if (step.verb == Verb::claim) {
    const auto tasks =
        db().write([&](Write& tx) { return queue::claim(tx, queue_, {.worker = "model", .limit = step.amount}); });
    const int expected = model.is_paused ? 0 : std::min(step.amount, model.waiting);
    RC_ASSERT(std::cmp_equal(tasks.size(), expected));
    model.waiting -= expected;
    model.working += expected;
    if (expected > 0 && model.status == JobStatus::pending) model.status = JobStatus::running;
    held.insert(held.end(), tasks.begin(), tasks.end());
  } else if (step.verb == Verb::finish || step.verb == Verb::fail) {
    if (held.empty()) return;
    const auto task = held.back();
    held.pop_back();
    const bool well = step.verb == Verb::finish;
    end_one(task, well);
    const bool stops = model.asked_to_stop > 0;
    --(stops ? model.asked_to_stop : model.working);
    ++(well ? model.done : stops ? model.cancelled : model.lost);
    model.end_if_over();
  } else {
    move(job, step.verb, model);
  }
}

void JobModel::compare(JobId job, const Model& model) {
  const auto rows =
      db().read([&](Read& tx) { return jobs::list(tx, {.deleted = model.is_deleted}, {.limit = 1'000}).rows; });
  const auto is = std::ranges::find(rows, job, &jobs::Job::id);
  RC_ASSERT(is != rows.end());
  RC_ASSERT(is->status == model.status);
  RC_ASSERT(is->is_paused == model.is_paused);
  RC_ASSERT(is->total_items == model.total());
  RC_ASSERT(is->open_tasks == model.open());
  RC_ASSERT(is->processed_items == model.done);
  RC_ASSERT(is->failed_items == model.lost);
  RC_ASSERT(is->completed_at.has_value() == !jobs::is_open(model.status));
}

void JobModel::run(const std::vector<Step>& steps) {
  const auto job = db().write([&](Write& tx) {
    // A queue of its own, so that no history claims what another has left.
    queue_ = queue::open_queue(tx, "model " + std::to_string(++histories_));
    return jobs::submit(tx, {.user_id = user_, .title = "model"}).id;
  });
  Model model;
  std::vector<queue::ClaimedTask> held;
  for (const auto& one : steps) {
    step(job, one, model, held);
    compare(job, model);
  }
}

TEST_P(JobModel, EveryHistoryGoesAsInTheModel) {
  const bool is_long = std::getenv("QUARRY_TEST_LONG") != nullptr;
  setenv("RC_PARAMS", is_long ? "max_success=2000 max_size=120" : "max_success=60 max_size=60", 0);
  const bool good = rc::check("a job does what its state machine says", [&] {
    run(*rc::gen::container<std::vector<Step>>(
        rc::gen::construct<Step>(rc::gen::weightedElement<Verb>({{6, Verb::add},
                                                                 {8, Verb::claim},
                                                                 {8, Verb::finish},
                                                                 {5, Verb::fail},
                                                                 {1, Verb::cancel},
                                                                 {2, Verb::pause},
                                                                 {4, Verb::resume},
                                                                 {3, Verb::retry},
                                                                 {2, Verb::remove},
                                                                 {3, Verb::undelete}}),
                                 rc::gen::inRange(1, 4))));
    expect_counters_equal_rows(db());
  });
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace quarry::test
