#pragma once
/// The real ledger, driven by the steps of the model.

#include "property/billing/model.hpp"
#include "quarry/billing/subscriptions.hpp"
#include "support/test_database.hpp"

namespace quarry::test {

class RealLedger {
 public:
  /// Makes a user who has used nothing, and sets the clock back.
  explicit RealLedger(TestDatabase& database);

  Answer run(const Step& step);
  /// The user's periods, after the proof that each is the sum of its events.
  std::map<Instant, ModelPeriod> periods();

 private:
  Answer record(const Step& step);
  void change_plan(const Step& step);
  std::string id(unsigned number) const;

  TestDatabase& database_;
  UserId user_;
  std::optional<billing::SubscriptionId> given_;
};

}  // namespace quarry::test
