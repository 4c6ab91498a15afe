/// What the payment provider said, and nobody has applied yet.

#include <fmt/format.h>

#include <utility>

#include "ops/maintain/steps.hpp"
#include "quarry/billing/inbox.hpp"
#include "quarry/core/error.hpp"

namespace quarry::ops::upkeep {
namespace {

using billing::WebhookStatus;

constexpr sql::Query<std::int64_t()> count_waiting_messages{
    "maintain.count_waiting_messages", "select count(*) from webhook_events where status <> 'processed'"};

/// Nothing when its key is not there.
std::optional<WebhookStatus> apply_one(Step& step, billing::WebhookEventId id) {
  try {
    return step.transaction([&](Write& tx) { return billing::process(tx, id, step.keys()).status; });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unavailable || error.poisons_connection()) throw;
    return std::nullopt;
  }
}

}  // namespace

void apply_payments(Step& step) {
  if (step.dry_run()) return step.count("messages", step.look(count_waiting_messages));
  std::int64_t locked = 0;
  std::optional<billing::WebhookEventId> after;
  while (true) {
    const auto ids =
        step.db().read([&](Read& tx) { return billing::webhook_events_to_replay(tx, false, after, step.rows()); });
    for (const auto id : ids) {
      const auto status = apply_one(step, id);
      step.count("messages", status == WebhookStatus::processed ? 1 : 0);
      locked += status ? 0 : 1;
    }
    if (std::cmp_less(ids.size(), step.rows())) break;
    after = ids.back();
  }
  if (locked > 0)
    step.say(fmt::format("{} wait for their keys: name them (--keys, QUARRY_KEYS_FILE), or `quarry billing replay --keys`",
                         locked));
}

}  // namespace quarry::ops::upkeep
