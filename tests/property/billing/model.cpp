#include "property/billing/model.hpp"

#include <algorithm>
#include <ostream>

namespace quarry::test {

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << boost::describe::enum_to_string(step.verb, "?") << '(' << step.id << ", " << step.reservation << ", "
             << step.amount << ')';
}

std::string event_id_of(unsigned id) { return "event " + std::to_string(id); }

std::int64_t units_of(const Step& step) {
  const auto size = 1 + static_cast<std::int64_t>(step.amount % 60) * billing::micro_per_unit;
  return step.verb == Verb::adjust && step.amount % 2 ? -size : size;
}

billing::OverReserve over_of(const Step& step) {
  return step.amount % 3 == 0 ? billing::OverReserve::cap : billing::OverReserve::charge;
}

std::chrono::microseconds time_of(const Step& step) { return std::chrono::hours(step.amount % 500); }

std::optional<std::string> plan_of(const Step& step) {
  if (step.amount % 3 == 0) return std::nullopt;
  return step.amount % 3 == 1 ? "starter" : "professional";
}

Instant Model::period() const { return billing::period_at(plan ? plan_anchor : free_anchor, now).start; }

std::int64_t Model::plan_units() const {
  return (plan == "starter" ? 1'000 : plan == "professional" ? 5'000 : 100) * billing::micro_per_unit;
}

ModelPeriod& Model::open() {
  const auto [place, is_new] = periods.try_emplace(period());
  if (is_new) place->second.granted = place->second.allowance = plan_units();
  return place->second;
}

void Model::sync() {
  const auto found = periods.find(period());
  if (found == periods.end()) return;
  found->second.granted += plan_units() - found->second.allowance;
  found->second.allowance = plan_units();
}

std::optional<Answer> Model::repeated(const Step& step, const std::string& content) const {
  const auto found = events.find(step.id);
  if (found == events.end()) return std::nullopt;
  return found->second.content == content ? Answer::repeated : Answer::conflict;
}

Answer Model::reserve(const Step& step) {
  const auto content = "reserve " + std::to_string(units_of(step));
  if (const auto known = repeated(step, content)) return *known;
  auto& row = open();
  if (row.used + row.reserved + units_of(step) > row.granted) return Answer::exhausted;
  row.reserved += units_of(step);
  events[step.id] = {content, Verb::reserve, units_of(step), period(), {}};
  return Answer::recorded;
}

Answer Model::end(const Step& step) {
  const auto reservation = events.find(step.reservation);
  if (reservation == events.end() || reservation->second.verb != Verb::reserve) return Answer::not_found;
  const bool is_settled = step.verb == Verb::settle;
  const bool is_capped = over_of(step) == billing::OverReserve::cap;
  const auto charged = is_capped ? std::min(units_of(step), reservation->second.units) : units_of(step);
  const auto content = std::to_string(static_cast<int>(step.verb)) + " of " + std::to_string(step.reservation) +
                       (is_settled ? " for " + std::to_string(charged) : "");
  if (const auto known = repeated(step, content)) return *known;
  auto& reserved = reservation->second;
  if (reserved.ended_by) return Answer::already_ended;
  reserved.ended_by = step.id;
  auto& row = periods.at(reserved.period);
  row.reserved -= reserved.units;
  if (is_settled) row.used += charged;
  events[step.id] = {content, step.verb, 0, reserved.period, {}};
  return Answer::recorded;
}

Answer Model::change_granted(const Step& step) {
  const auto content = std::to_string(static_cast<int>(step.verb)) + " " + std::to_string(units_of(step));
  if (const auto known = repeated(step, content)) return *known;
  open().granted += units_of(step);
  events[step.id] = {content, step.verb, units_of(step), period(), {}};
  return Answer::recorded;
}

void Model::apply(const Step& step) {
  answer = Answer::done;
  switch (step.verb) {
    case Verb::reserve:
      answer = reserve(step);
      return;
    case Verb::settle:
    case Verb::release:
    case Verb::expire:
      answer = end(step);
      return;
    case Verb::grant:
    case Verb::adjust:
      answer = change_granted(step);
      return;
    case Verb::advance:
      now = now + time_of(step);
      return;
    case Verb::change_plan:
      // The one before is ended first, and its period goes back to what is free.
      if (plan) {
        plan.reset();
        sync();
      }
      plan = plan_of(step);
      plan_anchor = billing::day_of_month(now);
      if (plan) sync();
  }
}

}  // namespace quarry::test
