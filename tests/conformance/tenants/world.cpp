#include <algorithm>

#include "conformance/tenants/tenants_test.hpp"
#include "quarry/artifacts/extractions.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/artifacts/tags.hpp"
#include "quarry/billing/analytics.hpp"
#include "quarry/billing/ledger.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/configurations.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/limits/limits.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/hosts.hpp"
#include "quarry/schema/model.hpp"
#include "quarry/system/audit.hpp"

namespace quarry::test {
namespace {

using jobs::JobStatus;
using namespace std::chrono_literals;

constexpr sql::Command<void(UserId, std::string_view, std::string_view)> insert_user{
    "test.insert_user", "insert into users (id, username, email, google_id) values ($1, $2, $3, $2)"};
constexpr sql::Command<void(std::string_view)> name_subscription{
    "test.name_subscription", "update user_subscriptions set provider_subscription_id = $1"};
constexpr sql::Command<void(TaskId)> mark_kept_back{
    "test.mark_kept_back", "update task_queue set error_message = 'kept back: as many run as may' where id = $1"};
constexpr sql::Query<std::int64_t()> count_changes{"test.count_changes", "select total_changes()"};

}  // namespace

void TenantStores::SetUp() {
  blobs_ = std::make_unique<artifacts::FileBlobStore>(database().folder() / "blobs");
  const std::string body = "a page";
  blob_ = blobs_->put(std::as_bytes(std::span(body)));
  db().write([&](Write& tx) {
    for (const auto& [user, name] : {std::pair{ada_, "ada"}, std::pair{bob_, "bob"}})
      tx.run(insert_user, user, name, std::string(name) + "@example.org");
    make_accounts(tx);
    make_jobs(tx);
    make_tasks(tx);
    make_searches_and_artifacts(tx);
    system::audit(tx, {.action = "bob.did", .user_id = bob_});
  });
  clock().advance(2min);  // what was short is over, and what was due soon is due
}

void TenantStores::make_accounts(Write& tx) {
  auto opened = accounts::open_session(tx, bob_);
  session_ = opened.session.id;
  token_ = std::string(opened.token.reveal());
  auto made = accounts::create_key(tx, peppers_, {.user_id = bob_, .name = "k"});
  key_ = made.key.id;
  key_id_ = made.key.key_id;
  key_text_ = std::string(made.text.reveal());
  subscription_ = billing::give_plan(tx, {.user_id = bob_, .plan_id = "starter"}).id;
  tx.run(name_subscription, "bought");
  billing::reserve(tx, {.user_id = bob_, .event_id = "e", .units = 1});
  billing::count_api_calls(tx, bob_);
  limits::take(tx, limits::ApiCall{bob_, "e"}, {});
  schedule_ = queue::create_schedule(tx, {.user_id = bob_, .name = "s", .cron = "* * * * *", .queue = "q"}).id;
}

void TenantStores::make_jobs(Write& tx) {
  const auto submit = [&](const char* title) { return jobs::submit(tx, {.user_id = bob_, .title = title}).id; };
  job_ = submit("Bob's");
  fresh_ = submit("Bob's next one");
  paused_ = submit("Bob's paused one");
  ended_ = submit("Bob's old one");
  hidden_job_ = submit("Bob's deleted one");
  for (const auto job : {ended_, hidden_job_}) {
    jobs::change_status(tx, job, JobStatus::running);
    jobs::change_status(tx, job, JobStatus::failed);
  }
  jobs::soft_delete(tx, hidden_job_);
  jobs::append_log(tx, job_, {.message = "a line"});
  jobs::set_configuration(tx, job_, "k", "v");
}

/// One that waits, one that failed, one under a lease, one whose lease is over, two for later, of which one is held back by
/// the plan, and one of a paused job.
void TenantStores::make_tasks(Write& tx) {
  queue_ = queue::open_queue(tx, "crawl");
  worked_ = queue::open_queue(tx, "worked");
  host_ = queue::configure_host(tx, "h", {.delay_ms = 1}).id;
  const auto add = [&](JobId job, queue::QueueId queue, queue::NewTask task) {
    return jobs::add_tasks(tx, job, queue, std::span(&task, 1)).ids.at(0);
  };
  const auto take = [&](std::chrono::milliseconds lease) {
    const auto task = billing::claim(tx, worked_, {.worker = "w", .limit = 1, .lease = lease, .maintain = false}).at(0);
    return queue::LeaseRef{task.id, task.lease_token};
  };
  task_ = add(job_, queue_, {});
  failed_ = add(job_, worked_, {});
  const queue::Failure failure{failed_, take(1h).lease_token, "broken", true, {}};
  queue::fail(tx, std::span(&failure, 1));  // and not `billing::fail`: its reservation is lost
  add(job_, worked_, {});
  take(1s);
  add(job_, worked_, {});
  lease_ = take(1h);
  add(job_, queue_, {.scheduled_at = tx.now() + 1min});
  tx.run(mark_kept_back, add(job_, queue_, {.scheduled_at = tx.now() + 1h}));
  add(paused_, queue_, {});
  jobs::pause(tx, paused_);
}

void TenantStores::make_searches_and_artifacts(Write& tx) {
  const auto create = [&](const char* query) {
    return searches::create(tx, {.user_id = bob_, .query = query, .sources = {"s"}}).id;
  };
  search_ = create("q");
  answered_ = create("answered");
  searches::change_status(tx, answered_, searches::SearchStatus::processing);
  searches::change_status(tx, answered_, searches::SearchStatus::completed);
  searches::add_results(tx, search_, std::vector<searches::NewResult>{{.source = "s", .url = "http://h/"}});
  result_ = searches::list_results(tx, search_).rows.at(0).id;
  const auto put = [&](const char* url) {
    return artifacts::put_artifact(
        tx,
        {.user_id = bob_, .job_id = job_, .source_url = url, .title = "lithium", .content_text = "lithium", .blob = blob_});
  };
  artifact_ = put("http://h/");
  hidden_ = put("http://h/hidden");
  artifacts::soft_delete(tx, bob_, hidden_);
  artifacts::put_tags(tx, bob_, artifact_, std::vector<artifacts::MetadataTag>{{"type", "key", "value"}});
  artifacts::put_extraction(tx, {bob_, artifact_, "fields", Json{"[]"}, {}});
}

bool TenantStores::has_effect(const Actor& actor, const Operation& operation) {
  struct Undo {};
  bool effect = false;
  try {
    db().write({.actor = actor}, [&](Write& tx) {
      const auto before = is_sqlite() ? tx.value(count_changes) : 0;
      effect = operation.run(tx);
      // Whatever it says: where the stores are the only guard, it must not have touched a row.
      if (!effect && is_sqlite()) {
        EXPECT_EQ(tx.value(count_changes), before) << operation.call << " changed rows and says that it did not";
      }
      throw Undo{};
    });
  } catch (const Undo&) {
  } catch (const Error& error) {
    const bool is_refusal =
        error.code() == ErrorCode::denied || (error.code() == ErrorCode::not_found && operation.whose == Whose::theirs);
    EXPECT_TRUE(is_refusal) << operation.call << ": " << error.what();
    return false;
  }
  return effect;
}

std::vector<std::string> TenantStores::tables_with_an_owner() {
  std::vector<std::string> tables{"users"};
  for (const auto& object : db().read([](Read& tx) { return schema::introspect(tx); }).objects)
    if (object.type == schema::ObjectType::column && object.name == "user_id" && !object.table.starts_with("audit_logs_"))
      tables.push_back(object.table);
  return tables;
}

}  // namespace quarry::test
