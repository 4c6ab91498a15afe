/// What StratLogic's repositories do: make, get, change named fields, list page by page, search, count, statistics, retry,
/// clean up.
#include <fmt/format.h>

#include "open.hpp"

using namespace quarry;

int main(int argc, char** argv) {
  const auto db = open_example(argc, argv);
  const auto user = db.write([](Write& tx) {
    return accounts::create_user(
        tx, {.username = "testuser", .email = "test@example.org", .google_id = "1234", .full_name = "A tester"});
  });
  db.write([&](Write& tx) {
    for (int i = 1; i <= 5; ++i)
      jobs::submit(tx, {.user_id = user.id, .job_type = "web", .title = fmt::format("Job {}", i), .keywords = {"lithium"}});
  });

  PageRequest page{.limit = 2, .with_total = true};  // by key: right while jobs come and go
  for (;;) {
    const auto rows = db.read([&](Read& tx) { return jobs::list(tx, {.user_id = user.id}, page); });
    for (const auto& job : rows.rows) fmt::print("{}  {}\n", job.title, jobs::to_string(job.status));
    if (!rows.next) break;
    page.after = *rows.next;
  }

  const auto found = db.read([](Read& tx) { return jobs::list(tx, {.text = "job 3"}).rows.at(0); });
  db.write([&](Write& tx) { jobs::update(tx, found.id, {.title = "The third", .unchanged_since = found.updated_at}); });
  try {  // somebody who read it before that change
    db.write([&](Write& tx) { jobs::update(tx, found.id, {.title = "Mine", .unchanged_since = found.updated_at}); });
  } catch (const Error& error) {
    fmt::print("{}: {}\n", to_string(error.code()), error.client_message());
  }

  db.write([&](Write& tx) {
    jobs::cancel(tx, found.id);
    jobs::soft_delete(tx, found.id);
    accounts::deactivate_user(tx, user.id);
  });
  const auto figures = db.read([&](Read& tx) { return jobs::statistics(tx, user.id); });
  fmt::print("{} jobs are left\n", figures.jobs);
  for (const auto job : db.read([](Read& tx) { return jobs::deleted_before(tx, tx.now() + std::chrono::hours(1)); }))
    while (!db.write([&](Write& tx) { return jobs::purge(tx, job); }).done) {
    }
  fmt::print("{} deleted jobs\n", db.read([](Read& tx) { return jobs::count(tx, {.deleted = true}); }));
}
