/// The stores' half of the promise, on both engines: each public operation of a store, done by Ada to what is Bob's, finds
/// and changes nothing; done by an admin, it does. What concerns everybody is denied to users. Every tenant table has its
/// operations, and every public function of a store is tried or excused: a new one without either fails.

#include <set>

#include "conformance/tenants/public_calls.hpp"
#include "conformance/tenants/tenants_test.hpp"
#include "quarry/accounts/user_change.hpp"
#include "quarry/artifacts/extractions.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/artifacts/tags.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/as_one.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "support/error_of.hpp"

namespace quarry::test {
namespace {

/// Parts whose functions are not a store's.
const std::map<std::string, std::string> other_parts{
    {"backup", "whole databases, for operators"},
    {"crawl", "works through the stores"},
    {"ops", "for operators, and works through the stores"},
    {"schema", "tables, not rows"},
    {"sql", "what the stores stand on"},
    {"store", "what the stores are made of"},
    {"cache", "belongs to nobody; conformance_cache has it denied to users"},
};

/// Functions of stores that touch no tenant's row, or that another one of the walk does the work of.
const std::map<std::string, std::string> excused{
    {"system::record_owned", "in the actor's own name; the owner stands in the details alone"},
    {"accounts::login_with_google", "for whoever has not been told apart yet; sees whom find_user_by_google_id sees"},
    {"billing::find_plan", "plans are for all to see"},
    {"billing::find_plan_of_variant", "plans are for all to see"},
    {"billing::find_webhook_event", "the inbox belongs to nobody; conformance_billing has it denied to users"},
    {"billing::get_plan", "plans are for all to see"},
    {"billing::ingest", "the inbox belongs to nobody; conformance_billing has it denied to users"},
    {"billing::ingest_trusted", "the inbox belongs to nobody; conformance_billing has it denied to users"},
    {"billing::is_enforced", "reads one switch"},
    {"billing::judge", "asked by claim, with the tasks that it took"},
    {"billing::list_plans", "plans are for all to see"},
    {"billing::process", "the inbox belongs to nobody; conformance_billing has it denied to users"},
    {"billing::seal_webhook_bodies", "the inbox belongs to nobody; conformance_billing has it denied to users"},
    {"queue::as_one", "runs what it is given, for the same actor"},
    {"queue::counts", "sums of a queue, which all work has in common"},
    {"queue::find_host", "hosts are what all work has in common"},
    {"queue::find_queue", "queues are what all work has in common"},
    {"queue::find_robots", "hosts are what all work has in common"},
    {"queue::judge", "asked by claim, with the tasks that it took"},
    {"queue::list_hosts", "hosts are what all work has in common"},
    {"queue::list_queues", "queues are what all work has in common"},
    {"queue::lock_jobs", "waits for rows, and neither shows nor changes them"},
    {"queue::open_queue", "queues are what all work has in common"},
    {"system::check_keys", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::count", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::exists", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::find", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::get", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::get_boolean", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::get_integer", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::get_json", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::get_string", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::list", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::reveal", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::rotate_keys", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::set", "settings belong to nobody; conformance_system has them denied to users"},
    {"system::unset", "settings belong to nobody; conformance_system has them denied to users"},
};

QUARRY_BOTH_ENGINES(TenantStores);

TEST_P(TenantStores, TouchNothingOfAnothers) {
  std::set<std::string> walked;
  for (const auto& operation : all()) {
    walked.insert(operation.table);
    const auto what = operation.table + ", " + operation.call;
    EXPECT_FALSE(has_effect(Actor::user(ada_), operation)) << what << ", by another user";
    EXPECT_EQ(has_effect(Actor::user(bob_), operation), operation.whose == Whose::theirs) << what << ", by their owner";
    EXPECT_TRUE(has_effect(Actor::admin(ada_), operation)) << what << ", by an admin";
    EXPECT_TRUE(has_effect(Actor::system(), operation)) << what << ", by the system";
  }
  for (const auto& table : tables_with_an_owner())
    EXPECT_TRUE(walked.contains(table)) << table << " belongs to users, and no operation on it is tried: add them";
}

struct Standing {
  std::string role;
  bool is_active = false;
  bool is_verified = false;
  std::optional<std::string> google_id;
  std::string plan_id;
};
BOOST_DESCRIBE_STRUCT(Standing, (), (role, is_active, is_verified, google_id, plan_id))
constexpr sql::Query<Standing(UserId)> find_standing{
    "test.find_standing",
    sql::sqlite("select role, is_active, is_verified, google_id,"
                " (select group_concat(plan_id) from user_subscriptions where user_id = users.id) as plan_id"
                " from users where id = $1"),
    sql::postgres("select role::text as role, is_active, is_verified, google_id,"
                  " (select string_agg(plan_id, ',') from user_subscriptions where user_id = users.id) as plan_id"
                  " from users where id = $1")};

/// Whatever a user calls, what they may do stays as it was: no operation raises it.
TEST_P(TenantStores, NobodyRaisesWhatTheyAre) {
  for (const auto& operation : all()) {
    std::optional<Standing> after;
    struct Undo {};
    try {
      db().write({.actor = Actor::user(bob_)}, [&](Write& tx) {
        try {
          tx.attempt([&] { operation.run(tx); });
        } catch (const Error&) {
        }
        after = tx.one(find_standing, bob_);
        throw Undo{};
      });
    } catch (const Undo&) {
    }
    ASSERT_TRUE(after) << operation.call << " took the user away";
    EXPECT_EQ(after->role, "user") << operation.call;
    EXPECT_TRUE(after->is_active) << operation.call;
    EXPECT_FALSE(after->is_verified) << operation.call;
    EXPECT_EQ(after->google_id, "bob") << operation.call;
    EXPECT_EQ(after->plan_id, "starter") << operation.call;
  }
}

/// Nor by the words that they may change.
TEST_P(TenantStores, ANewAddressIsNotVerified) {
  db().write([&](Write& tx) { accounts::verify_user(tx, bob_); });
  const auto changed = db().write({.actor = Actor::user(bob_)}, [&](Write& tx) {
    return accounts::update_user(tx, bob_, {.email = "bob@example.com", .full_name = "Bob"});
  });
  EXPECT_FALSE(changed.is_verified);
  EXPECT_EQ(changed.role, accounts::Role::user);
  EXPECT_EQ(code_of([&] {
              db().write({.actor = Actor::user(bob_)}, [&](Write& tx) {
                accounts::update_user(tx, bob_, {.google_id = std::optional<std::string>("x")});
              });
            }),
            ErrorCode::denied);
}

/// A row of Ada's own may not hang on what is Bob's either: it would count there, and end with it.
TEST_P(TenantStores, NothingHangsOnWhatIsAnothers) {
  const auto as_ada = [&](const char* what, auto body) {
    try {
      db().write({.actor = Actor::user(ada_)}, body);
      ADD_FAILURE() << what << " was accepted";
    } catch (const Error& error) {
      EXPECT_THAT(error.code(), testing::AnyOf(ErrorCode::not_found, ErrorCode::denied, ErrorCode::constraint)) << what;
    }
  };
  as_ada("a task of his job",
         [&](Write& tx) { queue::enqueue(tx, queue_, queue::NewTask{}, {.user_id = ada_, .job_id = job_}); });
  as_ada("a job after his",
         [&](Write& tx) { jobs::submit(tx, {.user_id = ada_, .title = "x", .depends_on_job_id = job_}); });
  as_ada("a job of his search", [&](Write& tx) { jobs::submit(tx, {.user_id = ada_, .title = "x", .search_id = search_}); });
  as_ada("an artifact of his job", [&](Write& tx) {
    artifacts::put_artifact(tx, {.user_id = ada_, .job_id = job_, .source_url = "http://x/", .blob = blob_});
  });
  as_ada("a tag of his artifact", [&](Write& tx) {
    artifacts::put_tags(tx, ada_, artifact_, std::vector<artifacts::MetadataTag>{{"t", "k", "v"}});
  });
  as_ada("an extraction from his artifact", [&](Write& tx) {
    artifacts::put_extraction(tx, {ada_, artifact_, "x", Json{"[]"}, {}});
  });
}

/// What runs within `as_one` runs for whoever called it.
TEST_P(TenantStores, AsOneKeepsTheActor) {
  const Operation cancel{"task_queue", "queue::as_one", [&](Write& tx) {
                           bool cancelled = false;
                           queue::as_one(tx, [&](Write& unit) {
                             EXPECT_EQ(unit.actor(), tx.actor());
                             cancelled = queue::cancel_task(unit, task_) == queue::CancelOutcome::cancelled;
                           });
                           return cancelled;
                         }};
  EXPECT_FALSE(has_effect(Actor::user(ada_), cancel));
  EXPECT_TRUE(has_effect(Actor::user(bob_), cancel));
}

class TenantCalls : public TenantStores {};
INSTANTIATE_TEST_SUITE_P(, TenantCalls, testing::Values(Engine::sqlite), engine_name);

TEST_P(TenantCalls, EveryPublicFunctionOfAStoreIsTriedOrExcused) {
  std::map<std::string, int> tried;
  for (const auto& operation : all()) ++tried[operation.call];
  const auto calls = public_calls(std::filesystem::path(QUARRY_SOURCE_DIR) / "include" / "quarry");
  EXPECT_GT(calls.size(), 150U) << "the headers were not read";
  for (const auto& [call, overloads] : calls) {
    const auto part = call.substr(0, call.find(':'));
    if (part == call || other_parts.contains(part) || excused.contains(call)) continue;
    EXPECT_GE(tried[call], overloads) << call << " takes a transaction, and nobody has tried it as another user: add it to"
                                      << " the operations here, or to the excused ones with the reason";
  }
  for (const auto& [call, times] : tried) EXPECT_TRUE(calls.contains(call)) << call << " is not in the headers";
  for (const auto& [call, reason] : excused) EXPECT_TRUE(calls.contains(call)) << call << " is not in the headers";
}

TEST(PublicCalls, AreFoundWhereverTheTransactionStands) {
  const auto calls = public_calls_of(R"(
namespace quarry::jobs {
/// Not this: f(Read& tx)
Job find(Read& tx, JobId job);
Page<Job> list(Read& tx, const Filter& filter = {}, int limit = f(1));
Page<Job> list(Read& tx,
               int a);
bool last(const std::vector<int>& ids, int limit = f(2), Write& tx);
using Submit = std::function<JobId(Write& tx, int a)>;
void run(const Database& db, const std::function<void(Write& unit)>& body);
void check(const Read& tx);
}
)");
  const std::map<std::string, int> wanted{{"jobs::find", 1}, {"jobs::list", 2}, {"jobs::last", 1}, {"jobs::check", 1}};
  EXPECT_EQ(calls, wanted);
}

}  // namespace

Operations TenantStores::all() {
  Operations all;
  for (auto& part : {of_jobs(), of_job_children(), of_tasks(), of_schedules(), of_workers(), of_searches(), of_artifacts(),
                     of_artifact_children(), of_users(), of_credentials(), of_limits(), of_billing(),
                     of_plans_and_metering(), of_audit()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace quarry::test
