/// Random histories of the ledger, step by step beside a model: the same answers and the same balances, on both engines.
///
/// QUARRY_TEST_LONG=1 runs fifty times as many. A failure prints the shortest history that still fails; RC_PARAMS repeats
/// it.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/state.h>

#include <cstdlib>

#include "property/billing/model.hpp"
#include "property/billing/real_ledger.hpp"
#include "quarry/billing/usage.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

Verb any_verb() {
  return *rc::gen::weightedElement<Verb>({{10, Verb::reserve},
                                          {6, Verb::settle},
                                          {3, Verb::release},
                                          {2, Verb::expire},
                                          {2, Verb::grant},
                                          {2, Verb::adjust},
                                          {2, Verb::advance},
                                          {1, Verb::change_plan}});
}

std::map<Instant, ModelPeriod> balances_of(const Model& model) {
  auto periods = model.periods;
  for (auto& [start, row] : periods) row.allowance = 0;
  return periods;
}

struct Command final : rc::state::Command<Model, RealLedger> {
  Step step;

  Command() : step{any_verb(), *rc::gen::inRange(0U, 24U), *rc::gen::inRange(0U, 24U), *rc::gen::inRange(0U, 600U)} {}
  void apply(Model& model) const override { model.apply(step); }
  void run(const Model& before, RealLedger& real) const override {
    const auto after = nextState(before);
    RC_ASSERT(real.run(step) == after.answer);
    RC_ASSERT(real.periods() == balances_of(after));
  }
  void show(std::ostream& out) const override { out << step; }
};

class LedgerModel : public MigratedEngines {};
QUARRY_BOTH_ENGINES(LedgerModel);

TEST_P(LedgerModel, EveryHistoryGoesAsInTheModel) {
  const bool is_long = std::getenv("QUARRY_TEST_LONG") != nullptr;
  // Read by RapidCheck once, at its first property.
  setenv("RC_PARAMS", is_long ? "max_success=5000 max_size=200" : "max_success=100 max_size=80", 0);
  const bool good = rc::check("the ledger does what the model does", [&] {
    RealLedger real(database());
    Model model;
    model.now = TestDatabase::kStart;
    rc::state::check(model, real, rc::state::gen::execOneOfWithArgs<Command>());
  });
  EXPECT_TRUE(good);
  EXPECT_TRUE(db().read([](Read& tx) { return billing::check_usage(tx); }).is_good());
}

}  // namespace
}  // namespace quarry::test
