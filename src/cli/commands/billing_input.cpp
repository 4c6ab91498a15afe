#include "cli/commands/billing_input.hpp"

#include <fmt/format.h>

#include <charconv>

#include "quarry/billing/inbox.hpp"
#include "quarry/billing/units.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {

Replayed replay_events(const Database& db, bool everything, const system::KeyRing* ring) {
  Replayed done;
  std::optional<billing::WebhookEventId> after;
  for (;;) {
    const auto page = db.read([&](Read& tx) { return billing::webhook_events_to_replay(tx, everything, after); });
    if (page.empty()) return done;
    for (const auto& id : page) {
      const auto event = db.write([&](Write& tx) { return billing::process(tx, id, ring); });
      ++done.events;
      done.processed += event.status == billing::WebhookStatus::processed;
      done.parked += event.status == billing::WebhookStatus::parked;
      done.failed += event.status == billing::WebhookStatus::failed;
    }
    after = page.back();
  }
}

std::int64_t parse_units(const std::string& text) {
  const bool negative = text.starts_with('-');
  const auto digits = std::string_view(text).substr(negative ? 1 : 0);
  const auto point = digits.find('.');
  const auto whole = digits.substr(0, point);
  std::string fraction(point == std::string_view::npos ? std::string_view("0") : digits.substr(point + 1));
  const auto is_number = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!is_number(whole) || whole.size() > 10 || !is_number(fraction) || fraction.size() > 6)
    throw_invalid(fmt::format("'{}' is no number of units: write it like 12 or 0.5", text.substr(0, 40)));
  fraction.resize(6, '0');
  std::int64_t units = 0;
  std::int64_t micro = 0;
  std::from_chars(whole.data(), whole.data() + whole.size(), units);
  std::from_chars(fraction.data(), fraction.data() + fraction.size(), micro);
  const auto all = units * billing::micro_per_unit + micro;
  return negative ? -all : all;
}

}  // namespace quarry::cli
