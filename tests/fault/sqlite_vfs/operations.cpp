#include "fault/sqlite_vfs/operations.hpp"

#include <algorithm>
#include <iterator>

#include "quarry/accounts/login.hpp"
#include "quarry/accounts/user_change.hpp"
#include "quarry/artifacts/extractions.hpp"
#include "quarry/artifacts/tags.hpp"
#include "quarry/billing/analytics.hpp"
#include "quarry/billing/inbox.hpp"
#include "quarry/billing/ledger.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/billing/plans.hpp"
#include "quarry/billing/subscriptions.hpp"
#include "quarry/cache/entries.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/configurations.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/limits/limits.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/hosts.hpp"
#include "quarry/queue/maintain.hpp"
#include "quarry/queue/schedules.hpp"
#include "quarry/searches/results.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/settings.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

artifacts::NewArtifact new_page(const World& world, const std::string& text) {
  return {.user_id = world.user,
          .job_id = world.job,
          .source_url = "https://example.org/new/" + text,
          .content_text = text,
          .blob = {.hash = artifacts::hash_of(std::as_bytes(std::span(text))), .size_bytes = 1, .stored_bytes = 1},
          .keywords = {"brine"}};
}

/// What a worker does at the end of a page: everything in one transaction.
void finish_a_page(Write& tx, const World& world) {
  artifacts::put_artifact(tx, new_page(world, "found"));
  jobs::add_tasks(tx, world.job, world.queue,
                  {{{.task_type = "fetch", .host_key = "example.org"}, {.host_key = "b.example.org"}}});
  jobs::add_gain(tx, world.job, {.results = 1, .bytes = 5});
  jobs::append_log(tx, world.job, {.message = "fetched"});
  billing::finish_or_throw(tx,
                           {{{.id = world.lease(0).id, .lease_token = world.lease(0).lease_token, .result = Json{"{}"}}}});
}

queue::Failure failure(const queue::LeaseRef& lease) {
  return {.id = lease.id, .lease_token = lease.lease_token, .error = "no answer"};
}

// NOLINTBEGIN(readability-identifier-length): one line each
using W = const World&;

std::vector<Operation> of_accounts() {
  return {
      {"accounts_create_user",
       [](Write& tx, W) { accounts::create_user(tx, {.username = "bob", .email = "b@example.org", .google_id = "9"}); }},
      {"accounts_update_user",
       [](Write& tx, W w) { accounts::update_user(tx, w.user, {.username = "ada2", .full_name = "Ada L"}); }},
      {"accounts_deactivate_user", [](Write& tx, W w) { accounts::deactivate_user(tx, w.user); }},
      {"accounts_delete_user", [](Write& tx, W w) { accounts::delete_user(tx, w.user); }},
      {"accounts_undelete_user", [](Write& tx, W w) { accounts::undelete_user(tx, w.deleted_user); }},
      {"accounts_create_key", [](Write& tx, W w) { accounts::create_key(tx, {}, {.user_id = w.user, .name = "two"}); }},
      {"accounts_revoke_key", [](Write& tx, W w) { accounts::revoke_key(tx, w.key); }},
      {"accounts_open_session", [](Write& tx, W w) { accounts::open_session(tx, w.user); }},
      {"accounts_revoke_sessions", [](Write& tx, W w) { accounts::revoke_sessions(tx, w.user); }},
      {"accounts_login_with_google", [](Write& tx, W) { accounts::login_with_google(tx, "1"); }},
  };
}

std::vector<Operation> of_jobs() {
  return {
      {"jobs_submit",
       [](Write& tx, W w) {
         jobs::submit(tx, {.user_id = w.user, .title = "New", .keywords = {"a", "b"}});
       }},
      {"jobs_update", [](Write& tx, W w) { jobs::update(tx, w.job, {.title = "Other"}); }},
      {"jobs_pause", [](Write& tx, W w) { jobs::pause(tx, w.job); }},
      {"jobs_cancel", [](Write& tx, W w) { jobs::cancel(tx, w.job); }},
      {"jobs_soft_delete", [](Write& tx, W w) { jobs::soft_delete(tx, w.ended_job); }},
      {"jobs_purge", [](Write& tx, W w) { jobs::purge(tx, w.ended_job); }},
      {"jobs_append_log", [](Write& tx, W w) { jobs::append_log(tx, w.job, {.message = "line"}); }},
      {"jobs_set_configuration", [](Write& tx, W w) { jobs::set_configuration(tx, w.job, "depth", "4"); }},
  };
}

std::vector<Operation> of_queue() {
  return {
      {"queue_retry_job", [](Write& tx, W w) { queue::retry_job(tx, w.job); }},
      {"queue_open_queue", [](Write& tx, W) { queue::open_queue(tx, "second"); }},
      {"queue_enqueue",
       [](Write& tx, W w) { queue::enqueue(tx, w.queue, std::vector<queue::NewTask>(20, {.host_key = "c.example.org"})); }},
      {"queue_claim", [](Write& tx, W w) { queue::claim(tx, w.queue, {.worker = "w", .limit = 5}); }},
      {"queue_heartbeat",
       [](Write& tx, W w) {
         queue::heartbeat(tx, {{w.lease(0), w.lease(1)}}, 2min);
       }},
      {"queue_finish",
       [](Write& tx, W w) {
         queue::finish_or_throw(tx, {{{w.lease(0).id, w.lease(0).lease_token, Json{"{}"}}}});
       }},
      {"queue_fail",
       [](Write& tx, W w) {
         queue::fail(tx, {{failure(w.lease(0)), failure(w.lease(1))}});
       }},
      {"queue_release",
       [](Write& tx, W w) {
         queue::release(tx, {{w.lease(0), w.lease(1)}});
       }},
      {"queue_reap_expired", [](Write& tx, W) { queue::reap_expired(tx); }, 1h},
      {"queue_promote_due", [](Write& tx, W w) { queue::retry_task(tx, w.dead_task); }},
      {"queue_cancel_task", [](Write& tx, W w) { queue::cancel_task(tx, w.pending_task); }},
      {"queue_redrive", [](Write& tx, W w) { queue::redrive(tx, w.queue, queue::TaskStatus::failed); }},
      {"queue_purge_ended", [](Write& tx, W) { queue::purge_ended(tx, tx.now()); }, 1h},
      {"queue_set_paused", [](Write& tx, W w) { queue::set_paused(tx, w.queue, true); }},
      {"queue_configure_host", [](Write& tx, W) { queue::configure_host(tx, "d.example.org", {.delay_ms = 5}); }},
      {"queue_host_refused", [](Write& tx, W w) { queue::host_refused(tx, w.host, tx.now(), 1min); }},
      {"queue_store_robots",
       [](Write& tx, W w) {
         queue::store_robots(tx, w.host, {"User-agent: *", tx.now(), 200});
       }},
      {"queue_create_schedule",
       [](Write& tx, W w) {
         queue::create_schedule(tx, {.user_id = w.user, .name = "x", .cron = "5 * * * *", .queue = "q"});
       }},
      {"queue_fire_due", [](Write& tx, W) { queue::fire_due(tx); }, 2h},
  };
}

std::vector<Operation> of_content() {
  return {
      {"artifacts_put", [](Write& tx, W w) { artifacts::put_artifact(tx, new_page(w, "text")); }},
      {"artifacts_put_many",
       [](Write& tx, W w) {
         artifacts::put_artifacts(tx, std::vector{new_page(w, "a"), new_page(w, "b")});
       }},
      {"artifacts_update",
       [](Write& tx, W w) { artifacts::update(tx, w.user, w.artifact, {.title = "Renamed", .tags = {{"t"}}}); }},
      {"artifacts_soft_delete", [](Write& tx, W w) { artifacts::soft_delete(tx, w.user, w.artifact); }},
      {"artifacts_restore", [](Write& tx, W w) { artifacts::restore(tx, w.user, w.deleted_artifact); }},
      {"artifacts_purge", [](Write& tx, W w) { artifacts::purge(tx, w.user, w.deleted_artifact); }},
      {"artifacts_put_tags",
       [](Write& tx, W w) {
         artifacts::put_tags(tx, w.user, w.artifact, {{{"user", "key", "value"}}});
       }},
      {"artifacts_put_extraction",
       [](Write& tx, W w) {
         artifacts::put_extraction(tx, {w.user, w.artifact, "fields", Json{"{}"}, 0.5});
       }},
      {"searches_create",
       [](Write& tx, W w) { searches::create(tx, {.user_id = w.user, .query = "cobalt", .sources = {"web"}}); }},
      {"searches_change_status",
       [](Write& tx, W w) { searches::change_status(tx, w.search, searches::SearchStatus::processing); }},
      {"searches_add_results",
       [](Write& tx, W w) { searches::add_results(tx, w.search, {{{.source = "web", .url = "https://b.example.org"}}}); }},
      {"searches_purge", [](Write& tx, W w) { searches::purge(tx, w.search); }},
  };
}

std::vector<Operation> of_upkeep() {
  return {
      {"cache_set", [](Write& tx, W) { cache::set(tx, "page:1", std::string(10'000, 'x'), 1min); }},
      {"cache_remove_prefix", [](Write& tx, W) { cache::remove_prefix(tx, "page:"); }},
      {"cache_purge_expired", [](Write& tx, W) { cache::purge_expired(tx); }, 1h},
      {"limits_take",
       [](Write& tx, W w) {
         limits::take(tx, limits::ApiCall{w.user, "jobs"}, {});
       }},
      {"limits_take_all",
       [](Write& tx, W w) {
         limits::take_all(tx, {{{limits::Scraper{"web"}, {}}, {limits::ApiCall{w.user, "jobs"}, {}}}});
       }},
      {"limits_reset", [](Write& tx, W) { limits::reset(tx, limits::Scraper{"web"}); }},
      {"system_set", [](Write& tx, W) { system::set(tx, {.key = "crawl.depth", .value = "4"}); }},
      {"system_unset", [](Write& tx, W) { system::unset(tx, "crawl.depth"); }},
      {"system_audit",
       [](Write& tx, W w) {
         system::audit(tx, {.action = "job.cancel", .resource_type = "job", .resource_id = w.job.value});
       }},
      {"a_page_is_finished", finish_a_page},
  };
}

std::vector<Operation> of_billing() {
  return {
      {"billing_create_plan", [](Write& tx, W) { billing::create_plan(tx, {.id = "new", .name = "New"}); }},
      {"billing_update_plan", [](Write& tx, W) { billing::update_plan(tx, "team", {.name = "Teams"}); }},
      {"billing_give_plan", [](Write& tx, W w) { billing::give_plan(tx, {.user_id = w.user, .plan_id = "team"}); }},
      {"billing_reserve", [](Write& tx, W w) { billing::reserve(tx, {.user_id = w.user, .event_id = "r2", .units = 5}); }},
      {"billing_settle",
       [](Write& tx, W) { billing::settle(tx, {.event_id = "s1", .reservation = "reserve-1", .units = 7}); }},
      {"billing_release", [](Write& tx, W) { billing::release(tx, {.event_id = "e1", .reservation = "reserve-1"}); }},
      {"billing_grant", [](Write& tx, W w) { billing::grant(tx, {.user_id = w.user, .event_id = "g2", .units = 5}); }},
      {"billing_count_api_calls", [](Write& tx, W w) { billing::count_api_calls(tx, w.user); }},
      {"billing_ingest",
       [](Write& tx, W) { billing::ingest_trusted(tx, {.body = R"({"meta":{"event_name":"x"},"data":{"id":"1"}})"}); }},
      {"billing_set_enforced", [](Write& tx, W) { billing::set_enforced(tx, true); }},
  };
}

// NOLINTEND(readability-identifier-length)

}  // namespace

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> list;
    for (const auto part : {of_accounts, of_jobs, of_queue, of_content, of_upkeep, of_billing}) {
      auto operations = part();
      std::move(operations.begin(), operations.end(), std::back_inserter(list));
    }
    return list;
  }();
  return all;
}

}  // namespace quarry::test
