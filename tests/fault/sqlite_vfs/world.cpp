#include "fault/sqlite_vfs/operations.hpp"
#include "quarry/accounts/user_change.hpp"
#include "quarry/billing/ledger.hpp"
#include "quarry/billing/plans.hpp"
#include "quarry/cache/entries.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/configurations.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/limits/limits.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/hosts.hpp"
#include "quarry/queue/schedules.hpp"
#include "quarry/searches/results.hpp"
#include "quarry/system/settings.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

void add_people(Write& tx, World& world) {
  world.user = accounts::create_user(tx, {.username = "ada", .email = "ada@example.org", .google_id = "1"}).id;
  world.admin = accounts::create_user(
                    tx, {.username = "root", .email = "root@example.org", .google_id = "2", .role = accounts::Role::admin})
                    .id;
  world.deleted_user = accounts::create_user(tx, {.username = "gone", .email = "gone@example.org", .google_id = "3"}).id;
  accounts::delete_user(tx, world.deleted_user);
  world.key = accounts::create_key(tx, {}, {.user_id = world.user, .name = "one", .scopes = {"jobs:read"}}).key.id;
  world.session = accounts::open_session(tx, world.user).session.id;
}

void add_work(Write& tx, World& world) {
  world.queue = queue::open_queue(tx, "crawl");
  world.job = jobs::submit(tx, {.user_id = world.user, .title = "Lithium", .keywords = {"lithium"}}).id;
  std::vector<queue::NewTask> tasks(7, queue::NewTask{.task_type = "fetch", .host_key = "example.org"});
  jobs::add_tasks(tx, world.job, world.queue, tasks);
  world.host = queue::configure_host(tx, "example.org", {.delay_ms = 0, .max_in_flight = 100}).id;
  world.claimed = queue::claim(tx, world.queue, {.worker = "w", .limit = 6, .lease = 1min});
  const auto last = world.lease(5);
  queue::fail(tx, {{{.id = last.id, .lease_token = last.lease_token, .error = "no", .permanent = true}}});
  world.dead_task = last.id;
  world.claimed.pop_back();
  world.pending_task = queue::list_tasks(tx, world.queue, queue::TaskStatus::pending).at(0).id;
  world.ended_job = jobs::submit(tx, {.user_id = world.user, .title = "Done"}).id;
  jobs::add_tasks(tx, world.ended_job, queue::open_queue(tx, "other"), tasks);
  jobs::cancel(tx, world.ended_job);
  jobs::set_configuration(tx, world.job, "depth", "3");
  world.schedule =
      queue::create_schedule(tx, {.user_id = world.user, .name = "hourly", .cron = "0 * * * *", .queue = "crawl"}).id;
}

artifacts::NewArtifact page(const World& world, const std::string& url) {
  const std::string body = "the body of " + url;
  return {.user_id = world.user,
          .job_id = world.job,
          .source_url = url,
          .title = "A page",
          .content_text = "lithium in brine " + url,
          .blob = {.hash = artifacts::hash_of(std::as_bytes(std::span(body))), .size_bytes = 10, .stored_bytes = 10},
          .keywords = {"lithium"}};
}

void add_content(Write& tx, World& world) {
  world.artifact = artifacts::put_artifact(tx, page(world, "https://example.org/1"));
  world.deleted_artifact = artifacts::put_artifact(tx, page(world, "https://example.org/2"));
  artifacts::soft_delete(tx, world.user, world.deleted_artifact);
  world.search = searches::create(tx, {.user_id = world.user, .query = "lithium", .sources = {"web"}}).id;
  searches::add_results(tx, world.search,
                        {{{.source = "web", .title = "One", .url = "https://example.org/1", .position = 1}}});
  cache::set(tx, "page:1", "one", 1min);
  cache::set(tx, "page:2", "two", std::nullopt);
  limits::take(tx, limits::Scraper{"web"}, {.requests = 10});
  billing::create_plan(tx, {.id = "team", .name = "Team", .compute_units_per_month = 100});
  billing::grant(tx, {.user_id = world.user, .event_id = "grant-1", .units = 50'000'000});
  billing::reserve(tx, {.user_id = world.user, .event_id = "reserve-1", .units = 1'000'000});
  system::set(tx, {.key = "crawl.depth", .value = "3"});
}

}  // namespace

World make_world(Database& db) {
  World world;
  db.write([&](Write& tx) { add_people(tx, world); });
  db.write([&](Write& tx) { add_work(tx, world); });
  db.write([&](Write& tx) { add_content(tx, world); });
  return world;
}

}  // namespace quarry::test
