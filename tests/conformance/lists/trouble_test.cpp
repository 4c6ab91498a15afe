/// SL-1: what cannot be read is an error, in every store. It never looks as if there were nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "quarry/accounts/api_keys.hpp"
#include "quarry/accounts/sessions.hpp"
#include "quarry/accounts/user_list.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/billing/inbox.hpp"
#include "quarry/billing/plans.hpp"
#include "quarry/billing/subscriptions.hpp"
#include "quarry/billing/usage.hpp"
#include "quarry/cache/entries.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/statistics.hpp"
#include "quarry/limits/limits.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/searches/results.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/settings.hpp"
#include "support/both_engines.hpp"

namespace quarry::test {
namespace {

/// A database without any of the tables.
class Trouble : public BothEngines {};
QUARRY_BOTH_ENGINES(Trouble);

TEST_P(Trouble, IsNeverTakenForNothing) {
  using Look = std::function<void(Read&)>;
  const std::vector<std::pair<const char*, Look>> looks{
      {"find a user", [](Read& tx) { accounts::find_user(tx, UserId{}); }},
      {"find a user by name", [](Read& tx) { accounts::find_user(tx, "ada"); }},
      {"list users", [](Read& tx) { accounts::list_users(tx); }},
      {"count users", [](Read& tx) { accounts::count_users(tx); }},
      {"users in figures", [](Read& tx) { accounts::user_statistics(tx); }},
      {"list sessions", [](Read& tx) { accounts::list_sessions(tx); }},
      {"list keys", [](Read& tx) { accounts::list_keys(tx); }},
      {"find a job", [](Read& tx) { jobs::find(tx, JobId{}); }},
      {"whether there is a job", [](Read& tx) { jobs::exists(tx, JobId{}); }},
      {"list jobs", [](Read& tx) { jobs::list(tx); }},
      {"count jobs", [](Read& tx) { jobs::count(tx); }},
      {"jobs in figures", [](Read& tx) { jobs::statistics(tx); }},
      {"ended jobs", [](Read& tx) { jobs::ended_before(tx, tx.now()); }},
      {"find a search", [](Read& tx) { searches::find(tx, SearchId{}); }},
      {"list searches", [](Read& tx) { searches::list(tx); }},
      {"list results", [](Read& tx) { searches::list_results(tx, SearchId{}); }},
      {"find an artifact", [](Read& tx) { artifacts::find(tx, UserId{}, ArtifactId{}); }},
      {"whether there is an artifact", [](Read& tx) { artifacts::exists(tx, ArtifactId{}); }},
      {"list artifacts", [](Read& tx) { artifacts::list(tx); }},
      {"count artifacts", [](Read& tx) { artifacts::count(tx); }},
      {"get from the cache", [](Read& tx) { cache::get(tx, "k"); }},
      {"list the cache", [](Read& tx) { cache::list(tx); }},
      {"look at a limit", [](Read& tx) { limits::peek(tx, limits::Scraper{"s"}, {}); }},
      {"list limits", [](Read& tx) { limits::list_api(tx); }},
      {"find a plan", [](Read& tx) { billing::find_plan(tx, "free"); }},
      {"a user's usage", [](Read& tx) { billing::usage(tx, UserId{}, tx.now()); }},
      {"list the ledger", [](Read& tx) { billing::list_usage_events(tx); }},
      {"list subscriptions", [](Read& tx) { billing::list_subscriptions(tx); }},
      {"list payment events", [](Read& tx) { billing::list_webhook_events(tx); }},
      {"find a setting", [](Read& tx) { system::find(tx, "k"); }},
      {"list settings", [](Read& tx) { system::list(tx); }},
      {"list the audit log", [](Read& tx) { system::list_audit(tx); }},
      {"find a task", [](Read& tx) { queue::find_task(tx, 1); }},
  };
  for (const auto& [what, look] : looks) {
    try {
      db().read([&, &look = look](Read& tx) { look(tx); });
      ADD_FAILURE() << what << ": found nothing instead of failing";
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::not_found) << what;
      EXPECT_THAT(error.client_message(), testing::Not(testing::HasSubstr("select"))) << what;
    }
  }
}

}  // namespace
}  // namespace quarry::test
