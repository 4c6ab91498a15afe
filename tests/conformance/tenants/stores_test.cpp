/// The stores' half of the promise, on both engines: each store operation that names or lists rows, done by Ada to what is
/// Bob's, finds and changes nothing; done by an admin, it does. Every tenant table has its operations here, and a table
/// without any fails.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "quarry/accounts/api_keys.hpp"
#include "quarry/accounts/sessions.hpp"
#include "quarry/accounts/user_change.hpp"
#include "quarry/accounts/user_list.hpp"
#include "quarry/artifacts/extractions.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/search.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/artifacts/tags.hpp"
#include "quarry/billing/analytics.hpp"
#include "quarry/billing/ledger.hpp"
#include "quarry/billing/subscriptions.hpp"
#include "quarry/billing/usage.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/configurations.hpp"
#include "quarry/jobs/explain.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/jobs/statistics.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/limits/limits.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/explain.hpp"
#include "quarry/queue/schedules.hpp"
#include "quarry/schema/model.hpp"
#include "quarry/searches/results.hpp"
#include "quarry/system/audit.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

using jobs::JobStatus;

constexpr sql::Command<void(UserId, std::string_view, std::string_view)> insert_user{
    "test.insert_user", "insert into users (id, username, email, google_id) values ($1, $2, $3, $2)"};

/// Whether the operation had an effect, or showed a row. Refusing (`not_found`, `denied`) is no effect.
using Operation = std::function<bool(Write&)>;

class TenantStores : public MigratedEngines {
 protected:
  void SetUp() override {
    blobs_ = std::make_unique<artifacts::FileBlobStore>(database().folder() / "blobs");
    const std::string body = "a page";
    blob_ = blobs_->put(std::as_bytes(std::span(body)));
    db().write([&](Write& tx) {
      for (const auto& [user, name] : {std::pair{ada_, "ada"}, std::pair{bob_, "bob"}})
        tx.run(insert_user, user, name, std::string(name) + "@example.org");
      job_ = jobs::submit(tx, {.user_id = bob_, .title = "Bob's"}).id;
      ended_ = jobs::submit(tx, {.user_id = bob_, .title = "Bob's old one"}).id;
      jobs::change_status(tx, ended_, JobStatus::running);
      jobs::change_status(tx, ended_, JobStatus::failed);
      queue_ = queue::open_queue(tx, "crawl");
      const std::vector<queue::NewTask> tasks(1);
      task_ = jobs::add_tasks(tx, job_, queue_, tasks).ids.at(0);
      jobs::append_log(tx, job_, {.message = "a line"});
      jobs::set_configuration(tx, job_, "k", "v");
      search_ = searches::create(tx, {.user_id = bob_, .query = "q", .sources = {"s"}}).id;
      searches::add_results(tx, search_, std::vector<searches::NewResult>{{.source = "s", .url = "http://h/"}});
      result_ = searches::list_results(tx, search_).rows.at(0).id;
      artifact_ = artifacts::put_artifact(
          tx, {.user_id = bob_, .source_url = "http://h/", .title = "lithium", .content_text = "lithium", .blob = blob_});
      artifacts::put_tags(tx, bob_, artifact_, std::vector<artifacts::MetadataTag>{{"type", "key", "value"}});
      artifacts::put_extraction(tx, {bob_, artifact_, "fields", Json{"[]"}, {}});
      schedule_ = queue::create_schedule(tx, {.user_id = bob_, .name = "s", .cron = "* * * * *", .queue = "q"}).id;
      limits::take(tx, limits::ApiCall{bob_, "e"}, {});
      accounts::open_session(tx, bob_);
      key_ =
          accounts::create_key(tx, accounts::Peppers(Secret(std::string(32, 'p'))), {.user_id = bob_, .name = "k"}).key.id;
      billing::give_plan(tx, {.user_id = bob_, .plan_id = "starter"});
      billing::reserve(tx, {.user_id = bob_, .event_id = "e", .units = 1});
      billing::count_api_calls(tx, bob_);
      system::audit(tx, {.action = "bob.did", .user_id = bob_});
    });
  }

  bool has_effect(const Actor& actor, const Operation& operation) {
    struct Undo {};
    bool effect = false;
    try {
      db().write({.actor = actor}, [&](Write& tx) {
        effect = operation(tx);
        throw Undo{};
      });
    } catch (const Undo&) {
    } catch (const Error& error) {
      EXPECT_THAT(error.code(), testing::AnyOf(ErrorCode::not_found, ErrorCode::denied)) << error.what();
      return false;
    }
    return effect;
  }

  using Operations = std::multimap<std::string, std::pair<std::string, Operation>>;
  Operations of_jobs() {
    return {
        {"scraping_jobs", {"find", [&](Write& tx) { return jobs::find(tx, job_).has_value(); }}},
        {"scraping_jobs", {"list", [&](Write& tx) { return !jobs::list(tx).rows.empty(); }}},
        {"scraping_jobs", {"list his", [&](Write& tx) { return !jobs::list(tx, {.user_id = bob_}).rows.empty(); }}},
        {"scraping_jobs", {"count", [&](Write& tx) { return jobs::count(tx) > 0; }}},
        {"scraping_jobs", {"statistics", [&](Write& tx) { return jobs::statistics(tx, bob_).jobs > 0; }}},
        {"scraping_jobs",
         {"submit", [&](Write& tx) { return jobs::submit(tx, {.user_id = bob_, .title = "x"}).user_id == bob_; }}},
        {"scraping_jobs", {"update", [&](Write& tx) { return jobs::update(tx, job_, {.title = "x"}).title == "x"; }}},
        {"scraping_jobs", {"cancel", [&](Write& tx) { return jobs::cancel(tx, job_).tasks > 0; }}},
        {"scraping_jobs", {"pause", [&](Write& tx) { return jobs::pause(tx, job_).tasks > 0; }}},
        {"scraping_jobs", {"explain", [&](Write& tx) { return jobs::explain(tx, job_).job_id == job_; }}},
        {"scraping_jobs", {"delete", [&](Write& tx) { return jobs::soft_delete(tx, ended_); }}},
        {"scraping_jobs", {"purge", [&](Write& tx) { return jobs::purge(tx, ended_).done; }}},
        {"scraping_jobs",
         {"change status", [&](Write& tx) { return jobs::change_status(tx, job_, JobStatus::running), true; }}},
    };
  }
  Operations of_job_children() {
    return {
        {"job_configurations", {"set", [&](Write& tx) { return jobs::set_configuration(tx, job_, "k", "w"), true; }}},
        {"job_configurations", {"find", [&](Write& tx) { return jobs::find_configuration(tx, job_, "k").has_value(); }}},
        {"job_configurations", {"list", [&](Write& tx) { return !jobs::list_configurations(tx, job_).empty(); }}},
        {"job_configurations", {"unset", [&](Write& tx) { return jobs::unset_configuration(tx, job_, "k"); }}},
        {"job_logs", {"append", [&](Write& tx) { return jobs::append_log(tx, job_, {.message = "x"}), true; }}},
        {"job_logs", {"list", [&](Write& tx) { return !jobs::list_log(tx, job_).empty(); }}},
    };
  }
  Operations of_queue() {
    return {
        {"task_queue",
         {"add",
          [&](Write& tx) {
            const std::vector<queue::NewTask> tasks(1);
            return !jobs::add_tasks(tx, job_, queue_, tasks).ids.empty();
          }}},
        {"task_queue", {"find", [&](Write& tx) { return queue::find_task(tx, task_).has_value(); }}},
        {"task_queue",
         {"list", [&](Write& tx) { return !queue::list_tasks(tx, queue_, queue::TaskStatus::pending).empty(); }}},
        {"task_queue",
         {"cancel", [&](Write& tx) { return queue::cancel_task(tx, task_) == queue::CancelOutcome::cancelled; }}},
        {"task_queue",
         {"explain",
          [&](Write& tx) {
            return queue::explain(tx, task_, tx.now()).findings.front().reason != queue::Reason::not_found;
          }}},
        {"task_attempts",
         {"list",
          [&](Write& tx) {
            queue::cancel_task(tx, task_);
            return queue::find_task(tx, task_).has_value() && queue::attempts_of(tx, task_).empty();
          }}},
        {"schedules",
         {"create",
          [&](Write& tx) {
            return queue::create_schedule(tx, {.user_id = bob_, .name = "x", .cron = "* * * * *", .queue = "q"}).user_id ==
                   bob_;
          }}},
        {"schedules", {"find", [&](Write& tx) { return queue::find_schedule(tx, schedule_).has_value(); }}},
        {"schedules", {"list", [&](Write& tx) { return !queue::list_schedules(tx, bob_).empty(); }}},
        {"schedules",
         {"update", [&](Write& tx) { return queue::update_schedule(tx, schedule_, {.priority = 1}).has_value(); }}},
        {"schedules", {"disable", [&](Write& tx) { return queue::set_enabled(tx, schedule_, false); }}},
        {"schedules", {"delete", [&](Write& tx) { return queue::delete_schedule(tx, schedule_); }}},
        {"task_queue",
         {"enqueue",
          [&](Write& tx) { return queue::enqueue(tx, queue_, queue::NewTask{}, {.user_id = bob_}).has_value(); }}},
        {"task_queue", {"cancel job", [&](Write& tx) { return queue::cancel_job(tx, job_).tasks > 0; }}},
        {"task_queue", {"pause job", [&](Write& tx) { return queue::pause_job(tx, job_).tasks > 0; }}},
    };
  }
  Operations of_searches() {
    return {
        {"searches", {"find", [&](Write& tx) { return searches::find(tx, search_).has_value(); }}},
        {"searches", {"list", [&](Write& tx) { return !searches::list(tx).rows.empty(); }}},
        {"searches",
         {"create",
          [&](Write& tx) {
            return searches::create(tx, {.user_id = bob_, .query = "x", .sources = {"s"}}).user_id == bob_;
          }}},
        {"searches",
         {"change status",
          [&](Write& tx) { return searches::change_status(tx, search_, searches::SearchStatus::processing), true; }}},
        {"searches", {"settle", [&](Write& tx) { return searches::settle(tx, search_), true; }}},
        {"searches", {"purge", [&](Write& tx) { return searches::purge(tx, search_); }}},
        {"search_results", {"find", [&](Write& tx) { return searches::find_result(tx, result_).has_value(); }}},
        {"search_results", {"list", [&](Write& tx) { return !searches::list_results(tx, search_).rows.empty(); }}},
        {"search_results",
         {"add",
          [&](Write& tx) {
            return searches::add_results(tx, search_, std::vector<searches::NewResult>{{.source = "s", .url = "x"}}) > 0;
          }}},
        {"search_results",
         {"analyse",
          [&](Write& tx) {
            return searches::analyse(tx, std::vector<searches::Analysis>{{.id = result_, .sentiment_score = 1.0}}), true;
          }}},
    };
  }
  Operations of_artifacts() {
    return {
        {"artifacts", {"find", [&](Write& tx) { return artifacts::find(tx, artifact_).has_value(); }}},
        {"artifacts", {"find his", [&](Write& tx) { return artifacts::find(tx, bob_, artifact_).has_value(); }}},
        {"artifacts", {"list", [&](Write& tx) { return !artifacts::list(tx, {}).items.empty(); }}},
        {"artifacts", {"list his", [&](Write& tx) { return !artifacts::list(tx, {.user_id = bob_}).items.empty(); }}},
        {"artifacts", {"count", [&](Write& tx) { return artifacts::count(tx, {}) > 0; }}},
        {"artifacts", {"text", [&](Write& tx) { return artifacts::read_text(tx, bob_, artifact_).has_value(); }}},
        {"artifacts", {"update", [&](Write& tx) { return artifacts::update(tx, bob_, artifact_, {.title = "x"}); }}},
        {"artifacts", {"delete", [&](Write& tx) { return artifacts::soft_delete(tx, bob_, artifact_); }}},
        {"artifacts", {"purge", [&](Write& tx) { return artifacts::purge(tx, bob_, artifact_); }}},
        {"artifacts", {"search", [&](Write& tx) { return !artifacts::search(tx, {.query = "lithium"}).items.empty(); }}},
        {"artifacts",
         {"put",
          [&](Write& tx) {
            return artifacts::put_artifact(tx, {.user_id = bob_, .source_url = "http://x/", .blob = blob_}) != ArtifactId{};
          }}},
    };
  }
  Operations of_artifact_children() {
    return {
        {"metadata_tags",
         {"put",
          [&](Write& tx) {
            return artifacts::put_tags(tx, bob_, artifact_, std::vector<artifacts::MetadataTag>{{"t", "k", "v"}}), true;
          }}},
        {"metadata_tags", {"list", [&](Write& tx) { return !artifacts::list_tags(tx, bob_, artifact_).empty(); }}},
        {"metadata_tags", {"find", [&](Write& tx) { return !artifacts::find_tagged(tx, bob_, "type", "key").empty(); }}},
        {"metadata_tags", {"remove", [&](Write& tx) { return artifacts::remove_tag(tx, bob_, artifact_, "type", "key"); }}},
        {"content_extractions",
         {"put",
          [&](Write& tx) {
            return artifacts::put_extraction(tx, {bob_, artifact_, "x", Json{"[]"}, {}}), true;
          }}},
        {"content_extractions",
         {"list", [&](Write& tx) { return !artifacts::list_extractions(tx, bob_, artifact_).empty(); }}},
    };
  }
  Operations of_limits() {
    return {
        {"api_rate_limits",
         {"take",
          [&](Write& tx) {
            return limits::take(tx, limits::ApiCall{bob_, "e"}, {}).admitted;
          }}},
        {"api_rate_limits",
         {"peek",
          [&](Write& tx) {
            return limits::peek(tx, limits::ApiCall{bob_, "e"}, {}).admitted;
          }}},
        {"api_rate_limits", {"list", [&](Write& tx) { return !limits::list_api(tx).rows.empty(); }}},
    };
  }
  Operations of_accounts() {
    return {
        {"users", {"find", [&](Write& tx) { return accounts::find_user(tx, bob_).has_value(); }}},
        {"users", {"find by name", [&](Write& tx) { return accounts::find_user(tx, "bob").has_value(); }}},
        {"users",
         {"list",
          [&](Write& tx) {
            const auto rows = accounts::list_users(tx).rows;
            return std::ranges::any_of(rows, [](const auto& user) { return user.id == bob_; });
          }}},
        {"users",
         {"update", [&](Write& tx) { return accounts::update_user(tx, bob_, {.full_name = "Bob"}).full_name == "Bob"; }}},
        {"user_sessions", {"list", [&](Write& tx) { return !accounts::list_sessions(tx, bob_).rows.empty(); }}},
        {"user_sessions", {"revoke", [&](Write& tx) { return accounts::revoke_sessions(tx, bob_) > 0; }}},
        {"api_keys", {"list", [&](Write& tx) { return !accounts::list_keys(tx, bob_).rows.empty(); }}},
        {"api_keys", {"find", [&](Write& tx) { return accounts::find_key(tx, key_).has_value(); }}},
        {"api_keys", {"revoke", [&](Write& tx) { return accounts::revoke_key(tx, key_); }}},
    };
  }
  Operations of_billing() {
    return {
        {"user_subscriptions", {"list", [&](Write& tx) { return !billing::subscriptions_of(tx, bob_).empty(); }}},
        {"usage_periods", {"usage", [&](Write& tx) { return billing::usage(tx, bob_, tx.now()).balance.granted > 0; }}},
        {"usage_periods", {"list", [&](Write& tx) { return !billing::periods_of(tx, bob_).empty(); }}},
        {"usage_events",
         {"list", [&](Write& tx) { return !billing::list_usage_events(tx, {.user_id = bob_}).rows.empty(); }}},
        {"usage_analytics", {"list", [&](Write& tx) { return !billing::daily_usage(tx, {.user_id = bob_}).empty(); }}},
        {"audit_logs", {"list", [&](Write& tx) { return !system::list_audit(tx, {.user_id = bob_}).rows.empty(); }}},
    };
  }
  std::vector<std::string> tables_with_an_owner() {
    std::vector<std::string> tables{"users"};
    for (const auto& object : db().read([](Read& tx) { return schema::introspect(tx); }).objects)
      if (object.type == schema::ObjectType::column && object.name == "user_id" && !object.table.starts_with("audit_logs_"))
        tables.push_back(object.table);
    return tables;
  }

  static inline const UserId ada_{parse_uuid("00000000-0000-7000-8000-000000000001")};
  static inline const UserId bob_{parse_uuid("00000000-0000-7000-8000-000000000002")};
  std::unique_ptr<artifacts::FileBlobStore> blobs_;
  queue::QueueId queue_;
  JobId job_, ended_;
  TaskId task_ = 0;
  SearchId search_;
  searches::SearchResultId result_;
  ArtifactId artifact_;
  artifacts::StagedBlob blob_;
  queue::ScheduleId schedule_;
  accounts::ApiKeyId key_;
};
QUARRY_BOTH_ENGINES(TenantStores);

TEST_P(TenantStores, TouchNothingOfAnothers) {
  std::set<std::string> walked;
  for (const auto& part : {of_jobs(), of_job_children(), of_queue(), of_searches(), of_artifacts(), of_artifact_children(),
                           of_limits(), of_accounts(), of_billing()})
    for (const auto& [table, operation] : part) {
      const auto& [verb, run] = operation;
      walked.insert(table);
      EXPECT_FALSE(has_effect(Actor::user(ada_), run)) << table << ", " << verb << ", by another user";
      EXPECT_TRUE(has_effect(Actor::user(bob_), run)) << table << ", " << verb << ", by their owner";
      EXPECT_TRUE(has_effect(Actor::admin(ada_), run)) << table << ", " << verb << ", by an admin";
    }
  for (const auto& table : tables_with_an_owner())
    EXPECT_TRUE(walked.contains(table)) << table
                                        << " belongs to users, and no operation on it is tried: add one to a list above";
}

}  // namespace
}  // namespace quarry::test
