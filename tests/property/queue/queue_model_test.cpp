/// Random histories of the queue, step by step beside a model: the same answers and the same state, on both engines.
///
/// QUARRY_TEST_LONG=1 runs fifty times as many. A failure prints the shortest history that still fails; RC_PARAMS repeats
/// it.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/state.h>

#include <cstdlib>

#include "conformance/queue/counters.hpp"
#include "property/queue/model.hpp"
#include "property/queue/real_queue.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

/// Tasks come and go more often than anything else happens.
Verb any_verb() {
  return *rc::gen::weightedElement<Verb>({{12, Verb::enqueue},    {12, Verb::claim},       {8, Verb::finish},
                                          {5, Verb::fail},        {3, Verb::release},      {3, Verb::heartbeat},
                                          {8, Verb::advance},     {2, Verb::reap},         {1, Verb::promote},
                                          {3, Verb::cancel},      {2, Verb::retry},        {1, Verb::redrive},
                                          {1, Verb::pause_queue}, {2, Verb::resume_queue}, {1, Verb::pause_job},
                                          {2, Verb::resume_job},  {1, Verb::cancel_job},   {3, Verb::configure_host},
                                          {2, Verb::block_host},  {2, Verb::refuse_host},  {1, Verb::restart}});
}

struct Command final : rc::state::Command<Model, RealQueue> {
  Step step;

  Command() : step{any_verb(), *rc::gen::inRange(0U, 1'000U), *rc::gen::inRange(0U, 1'000U)} {}
  void apply(Model& model) const override { model.apply(step); }
  void run(const Model& before, RealQueue& real) const override {
    const auto after = nextState(before);
    RC_ASSERT(real.run(step) == after.outcome);
    RC_ASSERT(real.look() == real.look(after));
  }
  void show(std::ostream& out) const override { out << step; }
};

class QueueModel : public MigratedEngines {};
QUARRY_BOTH_ENGINES(QueueModel);

TEST_P(QueueModel, EveryHistoryGoesAsInTheModel) {
  const bool is_long = std::getenv("QUARRY_TEST_LONG") != nullptr;
  // Read by RapidCheck once, at its first property.
  setenv("RC_PARAMS", is_long ? "max_success=2500 max_size=150" : "max_success=50 max_size=60", 0);
  const bool good = rc::check("the queue does what the model does", [&] {
    RealQueue real(db(), database().clock(), [&] { database().reopen(); });
    Model model;
    model.now = TestDatabase::kStart.us;
    real.begin(model);
    rc::state::check(model, real, rc::state::gen::execOneOfWithArgs<Command>());
    expect_counters_equal_rows(db());
  });
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace quarry::test
