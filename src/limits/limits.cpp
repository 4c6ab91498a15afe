#include "quarry/limits/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "limits/rows.hpp"
#include "quarry/core/error.hpp"

namespace quarry::limits {
namespace {

/// Thrown inside of a savepoint, to undo what was taken before one was denied.
struct Denied {};

}  // namespace

void require_system(const Actor& actor, std::string_view what) {
  if (!actor.sees_all()) throw Error(ErrorCode::denied, fmt::format("{} are for the system and for admins", what));
}

bool comes_before(const Key& a, const Key& b) {
  if (a.index() != b.index()) return a.index() < b.index();
  if (const auto* call = std::get_if<ApiCall>(&a)) {
    const auto& other = std::get<ApiCall>(b);
    return std::tie(call->user_id, call->endpoint) < std::tie(other.user_id, other.endpoint);
  }
  return std::get<Scraper>(a).name < std::get<Scraper>(b).name;
}

namespace {

Decision denied(Write& tx, const Key& key, const Limit& limit, std::int64_t cost, Instant now) {
  auto decision = std::visit([&](const auto& name) { return not_taken(limit, cost, now, tat_of(tx, name)); }, key);
  decision.admitted = false;  // even if room was made between the two statements: nothing was taken
  return decision;
}

}  // namespace

Decision take(Write& tx, const Key& key, const Limit& limit, std::int64_t cost) {
  const auto at = arrival(limit, cost, tx.now());
  if (cost == 0) return peek(tx, key, limit, 0);
  const auto tat = std::visit(
      [&](const auto& name) {
        check_key(tx.actor(), name);
        return take_row(tx, name, limit, at, cost);
      },
      key);
  return tat ? admitted(limit, at.now, *tat) : denied(tx, key, limit, cost, at.now);
}

std::vector<Decision> take_each(Write& tx, std::span<const Take* const> takes) {
  const auto now = tx.now();
  std::vector<std::unique_ptr<PreparedTake>> prepared;
  std::vector<std::optional<Instant>> tats(takes.size());
  std::vector<sql::PipelineItem> items;
  for (const auto* each : takes) {
    const auto at = arrival(each->limit, each->cost, now);
    std::visit(
        [&](const auto& name) {
          check_key(tx.actor(), name);
          prepared.push_back(prepare_take(tx, name, each->limit, at, each->cost));
        },
        each->key);
    items.push_back(prepared.back()->item);
    items.back().consume = [&tat = tats[items.size() - 1]](sql::Cursor& cursor) {
      if (cursor.step()) tat = sql::read_row<Instant>(cursor);
    };
  }
  tx.session().pipeline(items);
  std::vector<Decision> decisions;
  for (std::size_t i = 0; i < takes.size(); ++i)
    decisions.push_back(tats[i] ? admitted(takes[i]->limit, now, *tats[i])
                                : denied(tx, takes[i]->key, takes[i]->limit, takes[i]->cost, now));
  return decisions;
}

Decision take_now(const Database& db, const Key& key, const Limit& limit, std::int64_t cost) {
  return db.write([&](Write& tx) { return take(tx, key, limit, cost); });
}

Decision peek(Read& tx, const Key& key, const Limit& limit, std::int64_t cost) {
  const auto now = tx.now();
  arrival(limit, cost, now);
  return std::visit(
      [&](const auto& name) {
        check_key(tx.actor(), name);
        return not_taken(limit, cost, now, tat_of(tx, name));
      },
      key);
}

std::vector<Decision> take_all(Write& tx, std::span<const Take> takes) {
  std::vector<std::size_t> order(takes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return comes_before(takes[a].key, takes[b].key); });
  std::vector<Decision> decisions(takes.size());
  try {
    tx.attempt([&] {
      bool all = true;
      for (const auto i : order) {
        decisions[i] = take(tx, takes[i].key, takes[i].limit, takes[i].cost);
        all &= decisions[i].admitted;
      }
      if (!all) throw Denied{};
    });
  } catch (const Denied&) {
    for (std::size_t i = 0; i < takes.size(); ++i) {
      if (decisions[i].admitted) decisions[i] = peek(tx, takes[i].key, takes[i].limit, takes[i].cost);
      decisions[i].admitted = false;
    }
  }
  return decisions;
}

bool reset(Write& tx, const Key& key) {
  // Whoever is held back does not let themself go.
  require_system(tx.actor(), "resets of limits");
  return std::visit(
      [&](const auto& name) {
        check_key(tx.actor(), name);
        return delete_row(tx, name);
      },
      key);
}

std::int64_t sweep(Write& tx, std::chrono::microseconds idle, int limit) {
  require_system(tx.actor(), "sweeps of limits");
  const auto now = tx.now();
  return sweep_api(tx, now, now - idle, limit) + sweep_scrapers(tx, now, now - idle, limit);
}

}  // namespace quarry::limits
