/// What Selextract's usage section does: a user, a task with its config, compute units that are reserved and settled.
#include <fmt/format.h>

#include "open.hpp"

using namespace quarry;

int main(int argc, char** argv) {
  const auto db = open_example(argc, argv);
  const auto user = db.write([](Write& tx) {
    return accounts::create_user(tx, {.username = "user", .email = "user@example.com", .google_id = "123456789"});
  });
  const auto job = db.write([&](Write& tx) {
    return jobs::submit(tx, {.user_id = user.id,
                             .title = "Scrape E-commerce Site",
                             .config = {R"({"targetUrl": "https://example.com", "containerSelector": ".product",
                                            "fields": {"title": {"type": "text", "selector": "h2"},
                                                       "price": {"type": "text", "selector": ".price"}}})"}});
  });

  // Before the work: five minutes are set aside, if the plan of the user has as many left.
  const auto reserved = db.write([&](Write& tx) {
    return billing::reserve(
        tx, {.user_id = user.id, .event_id = "run-1", .units = 5 * billing::micro_per_unit, .job_id = job.id});
  });
  if (!reserved.event) return fmt::print("the plan is used up\n"), 1;

  // Afterwards: what it did cost. Twice the same event counts once.
  for (int i = 0; i < 2; ++i)
    db.write([&](Write& tx) {
      billing::settle(
          tx, {.event_id = "run-1-done", .reservation = "run-1", .units = billing::cost_of(std::chrono::seconds(130))});
    });
  const auto usage = db.read([&](Read& tx) { return billing::usage(tx, user.id, tx.now()); });
  fmt::print("{} of {} units used\n", billing::units_text(usage.balance.used), billing::units_text(usage.balance.granted));
  for (const auto& plan : db.read([](Read& tx) { return billing::list_plans(tx); }))
    fmt::print("{:13} {:6} units {:3} tasks ${:.2f}\n", plan.id, plan.compute_units_per_month, plan.max_concurrent_tasks,
               plan.price_cents / 100.0);
  fmt::print("balance equals ledger: {}\n", db.read([](Read& tx) { return billing::check_usage(tx); }).differences.empty());
}
