#include <fmt/format.h>

#include "conformance/erasure/erasure_test.hpp"
#include "quarry/accounts/api_keys.hpp"
#include "quarry/accounts/sessions.hpp"
#include "quarry/accounts/user_change.hpp"
#include "quarry/artifacts/extractions.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/artifacts/tags.hpp"
#include "quarry/billing/inbox.hpp"
#include "quarry/billing/ledger.hpp"
#include "quarry/billing/subscriptions.hpp"
#include "quarry/jobs/configurations.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/limits/limits.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/schedules.hpp"
#include "quarry/searches/results.hpp"
#include "quarry/searches/search.hpp"
#include "quarry/system/audit.hpp"

namespace quarry::test {

void Erasure::SetUp() {
  queue_ = db().write([](Write& tx) { return queue::open_queue(tx, "crawl"); });
}

std::int64_t Erasure::count(const std::string& from) {
  const auto text = "select count(*) from " + from;
  return db().read([&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.count", text)); });
}

std::vector<std::string> Erasure::tables() {
  const auto text =
      std::string(is_sqlite() ? "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
                                " and name not like 'artifacts_fts%' and name <> 'schema_migrations'"
                              : "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                                " where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition"
                                " and c.relname <> 'schema_migrations'");
  return db().read([&](Read& tx) { return tx.all(sql::Query<std::string()>("test.tables", text)); });
}

std::map<std::string, std::int64_t> Erasure::rows_with(const std::string& text) {
  std::map<std::string, std::int64_t> found;
  for (const auto& table : tables()) {
    std::string row = table + "::text";
    if (is_sqlite()) {
      const auto columns = "select name from pragma_table_info('" + table + "')";
      row = "''";
      for (const auto& column :
           db().read([&](Read& tx) { return tx.all(sql::Query<std::string()>("test.columns", columns)); }))
        row += " || coalesce(cast(" + column + " as text), '')";
    }
    if (const auto n = count(fmt::format("{} where {} like '%{}%'", table, row, text)); n > 0) found[table] = n;
  }
  return found;
}

std::map<std::string, std::int64_t> Erasure::rows_of(UserId user) {
  std::map<std::string, std::int64_t> found;
  auto hex = to_string(user);
  std::erase(hex, '-');
  const auto id = is_sqlite() ? "x'" + hex + "'" : "'" + to_string(user) + "'";
  const auto has_owner = [&](const std::string& table) {
    return count(is_sqlite() ? "pragma_table_info('" + table + "') where name = 'user_id'"
                             : "information_schema.columns where table_schema = 'public' and column_name = 'user_id'"
                               " and table_name = '" +
                                   table + "'") > 0;
  };
  for (const auto& table : tables())
    if (has_owner(table)) found[table] = count(table + " where user_id = " + id);
  found["users"] = count("users where id = " + id);
  return found;
}

UserId Erasure::populate(const std::string& name) {
  const auto user = db().write([&](Write& tx) {
    const auto made = accounts::create_user(tx, {.username = name,
                                                 .email = name + "@example.org",
                                                 .password_hash = "!",
                                                 .google_id = "google-" + name,
                                                 .full_name = name});
    accounts::open_session(tx, made.id, {}, {.user_agent = "browser of " + name});
    const accounts::Peppers peppers;
    const auto key = accounts::create_key(tx, peppers, {.user_id = made.id, .name = "key of " + name});
    accounts::rotate_key(tx, peppers, key.key.id);
    limits::take(tx, limits::ApiCall{made.id, "GET /" + name}, {});
    system::audit(tx, {.action = "test.joined", .user_id = made.id});
    return made.id;
  });
  populate_work(user, name);
  populate_money(user, name);
  return user;
}

void Erasure::populate_work(UserId user, const std::string& name) {
  const std::string body = "a page of " + name;
  const auto blob = blobs().put(std::as_bytes(std::span(body)));
  const auto job = add_job(user, "job of " + name, 3);
  add_job(user, "second job of " + name, 2);
  db().write([&](Write& tx) {
    jobs::append_log(tx, job, {.message = "a line about " + name});
    jobs::set_configuration(tx, job, "who", name);
    artifacts::put_artifact(tx, {.user_id = user, .job_id = job, .source_url = "http://h/" + name, .blob = blob});
    const auto by_hand = artifacts::put_artifact(tx, {.user_id = user, .title = "of " + name, .blob = blob});
    const auto hidden = artifacts::put_artifact(tx, {.user_id = user, .title = "hidden of " + name, .blob = blob});
    artifacts::soft_delete(tx, user, hidden);
    const artifacts::MetadataTag tag{"keyword", "who", name};
    artifacts::put_tags(tx, user, by_hand, std::span(&tag, 1));
    artifacts::put_extraction(tx, {.user_id = user,
                                   .artifact_id = by_hand,
                                   .extraction_type = "fields",
                                   .extracted_data = {"{\"who\":\"" + name + "\"}"}});
    queue::create_schedule(tx, {.user_id = user, .name = "nightly of " + name, .cron = "0 3 * * *", .queue = "crawl"});
    const queue::NewTask later{.payload = {"{\"who\":\"" + name + "\"}"}, .host_key = "h-" + name.substr(0, 1)};
    queue::enqueue(tx, queue_, later, {.user_id = user});
    queue::enqueue(tx, queue_, {.scheduled_at = tx.now() + std::chrono::hours(1)}, {.user_id = user});
    const auto search = searches::create(tx, {.user_id = user, .query = "all about " + name, .sources = {"one"}});
    const searches::NewResult result{.source = "one", .title = name, .url = "http://r/" + name};
    searches::add_results(tx, search.id, std::span(&result, 1));
    jobs::submit(tx, {.user_id = user, .title = "ask one for " + name, .search_id = search.id, .scraper_name = "one"});
  });
}

void Erasure::populate_money(UserId user, const std::string& name) {
  const auto hook = fmt::format(
      "insert into webhook_events (id, provider, body_sha256, event_name, subscription_id, raw_body, received_at)"
      " select id, 'lemonsqueezy', {0}, 'subscription_created', 'sub-{1}', {2}, created_at from users where username = "
      "'{1}'",
      is_sqlite() ? fmt::format("x'{:062}{:02x}'", 0, static_cast<int>(name[0]))
                  : fmt::format("decode('{:062}{:02x}', 'hex')", 0, static_cast<int>(name[0])),
      name, is_sqlite() ? "cast('mail of " + name + "' as blob)" : "convert_to('mail of " + name + "', 'UTF8')");
  const auto sold = fmt::format(
      "update user_subscriptions set provider = 'lemonsqueezy', provider_subscription_id = 'sub-{0}',"
      " provider_customer_id = 'customer-{0}' where user_id = (select id from users where username = '{0}')",
      name);
  const auto order = fmt::format(R"({{"meta":{{"event_name":"order_created","custom_data":{{"user_id":"{0}"}}}},)"
                                 R"("data":{{"type":"orders","id":"1","attributes":{{"user_name":"{1}"}}}}}})",
                                 to_string(user), name);
  const auto licence = fmt::format(R"({{"meta":{{"event_name":"license_key_created"}},"data":{{"type":"license-keys",)"
                                   R"("id":"1","attributes":{{"customer_id":"customer-{0}","user_name":"{0}"}}}}}})",
                                   name);
  static constexpr sql::Command<void(Uuid, UserId)> insert_day{
      "test.day", "insert into usage_analytics (id, user_id, date) values ($1, $2, '2026-03-01')"};
  db().write([&](Write& tx) {
    tx.run(insert_day, tx.new_uuid(), user);
    billing::give_plan(tx, {.user_id = user, .plan_id = "starter"});
    billing::reserve(tx, {.user_id = user, .event_id = "work of " + name, .units = 1'000'000});
    billing::settle(tx, {.event_id = "end of " + name, .reservation = "work of " + name, .units = 500'000});
    billing::reserve(tx, {.user_id = user, .event_id = "open of " + name, .units = 1'000'000});
    tx.run(sql::Command<void()>("test.sold", sold));
    tx.run(sql::Command<void()>("test.hook", hook));
    billing::ingest_trusted(tx, {.body = order});
    billing::ingest_trusted(tx, {.body = licence});
  });
}

void Erasure::hide(UserId user) {
  db().write([&](Write& tx) { accounts::delete_user(tx, user); });
}

JobId Erasure::add_job(UserId user, const std::string& title, int tasks) {
  return db().write([&](Write& tx) {
    const auto job = jobs::submit(tx, {.user_id = user, .title = title});
    const std::vector<queue::NewTask> made(static_cast<std::size_t>(tasks), queue::NewTask{.host_key = "h"});
    jobs::add_tasks(tx, job.id, queue_, made);
    return job.id;
  });
}

std::vector<queue::ClaimedTask> Erasure::claim(int limit) {
  return db().write([&](Write& tx) { return queue::claim(tx, queue_, {.worker = "test", .limit = limit}); });
}

void Erasure::finish(const queue::ClaimedTask& task) {
  const queue::Finish done{task.id, task.lease_token};
  db().write([&](Write& tx) { queue::finish_or_throw(tx, std::span(&done, 1)); });
}

ErrorCode Erasure::refused(UserId user) {
  try {
    ops::purge_user(db(), user);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "this was not refused";
  return ErrorCode::bug;
}

}  // namespace quarry::test
