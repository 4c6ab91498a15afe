/// What workers do, which act as the system: leases, hosts and time.

#include "conformance/tenants/tenants_test.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/hosts.hpp"
#include "quarry/queue/maintain.hpp"
#include "quarry/queue/move_to_host.hpp"

namespace quarry::test {

Operations TenantStores::of_workers() {
  const std::string table = "task_queue", events = "usage_events";
  const auto leases = [this] { return std::vector{lease_}; };
  const auto finishes = [this] { return std::vector<queue::Finish>{{lease_.id, lease_.lease_token, {}}}; };
  const auto failures = [this] { return std::vector<queue::Failure>{{lease_.id, lease_.lease_token, "x", false, {}}}; };
  const queue::ClaimOptions wish{.worker = "w", .limit = 10};
  return {
      everybodys(table, "queue::claim", [=, this](Write& tx) { queue::claim(tx, queue_, wish); }),
      everybodys(table, "queue::heartbeat", [=](Write& tx) { queue::heartbeat(tx, leases(), std::chrono::seconds(30)); }),
      everybodys(table, "queue::cancel_requests", [=](Write& tx) { queue::cancel_requests(tx, leases()); }),
      everybodys(table, "queue::hold", [=](Write& tx) { queue::hold(tx, leases()); }),
      everybodys(table, "queue::finish", [=](Write& tx) { queue::finish(tx, finishes()); }),
      everybodys(table, "queue::finish_or_throw", [=](Write& tx) { queue::finish_or_throw(tx, finishes()); }),
      everybodys(table, "queue::fail", [=](Write& tx) { queue::fail(tx, failures()); }),
      everybodys(table, "queue::release", [=](Write& tx) { queue::release(tx, leases()); }),
      everybodys(table, "queue::move_to_host",
                 [this](Write& tx) {
                   const queue::HostMove move{lease_.id, lease_.lease_token, host_, Json{"{}"}};
                   queue::move_to_host(tx, std::span(&move, 1));
                 }),
      everybodys(table, "queue::promote_due", [](Write& tx) { queue::promote_due(tx); }),
      everybodys(table, "queue::reap_expired", [](Write& tx) { queue::reap_expired(tx); }),
      everybodys(table, "queue::next_event", [](Write& tx) { queue::next_event(tx); }),
      everybodys(table, "queue::configure_host", [](Write& tx) { queue::configure_host(tx, "h", {.delay_ms = 5}); }),
      everybodys(table, "queue::block_host", [this](Write& tx) { queue::block_host(tx, host_, tx.now()); }),
      everybodys(table, "queue::host_refused", [this](Write& tx) { queue::host_refused(tx, host_, tx.now(), {}); }),
      everybodys(table, "queue::host_answered", [this](Write& tx) { queue::host_answered(tx, host_); }),
      everybodys(table, "queue::store_robots", [this](Write& tx) { queue::store_robots(tx, host_, {}); }),
      everybodys(events, "billing::claim", [=, this](Write& tx) { billing::claim(tx, queue_, wish); }),
      everybodys(events, "billing::finish", [=](Write& tx) { billing::finish(tx, finishes()); }),
      everybodys(events, "billing::finish_or_throw", [=](Write& tx) { billing::finish_or_throw(tx, finishes()); }),
      everybodys(events, "billing::fail", [=](Write& tx) { billing::fail(tx, failures()); }),
      everybodys(events, "billing::release", [=](Write& tx) { billing::release(tx, leases()); }),
      everybodys(events, "billing::reap_expired", [](Write& tx) { billing::reap_expired(tx); }),
      everybodys(events, "billing::settle_finished", [=](Write& tx) { billing::settle_finished(tx, leases()); }),
      everybodys(events, "billing::settle_unfinished", [=](Write& tx) { billing::settle_unfinished(tx, leases()); }),
      everybodys(events, "billing::expire_lost", [](Write& tx) { billing::expire_lost(tx); }),
  };
}

}  // namespace quarry::test
