#pragma once
/// The statements of one kind of key. Both kinds have the same shape: one row per key, and one upsert that takes.

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "quarry/limits/limits.hpp"

namespace quarry::limits {

/// The row's `tat` after the take; nothing when the limit does not admit it.
std::optional<Instant> take_row(Write& tx, const ApiCall& key, const Limit& limit, const Arrival& at, std::int64_t cost);
std::optional<Instant> take_row(Write& tx, const Scraper& key, const Limit& limit, const Arrival& at, std::int64_t cost);

/// A take that is yet to be sent, with others. The key must outlive it.
struct PreparedTake {
  virtual ~PreparedTake() = default;
  /// Its statement; the row that it gives, if any, is the `tat` that `take_row` returns.
  sql::PipelineItem item{};
};
std::unique_ptr<PreparedTake> prepare_take(Write& tx, const ApiCall& key, const Limit& limit, const Arrival& at,
                                           std::int64_t cost);
std::unique_ptr<PreparedTake> prepare_take(Write& tx, const Scraper& key, const Limit& limit, const Arrival& at,
                                           std::int64_t cost);

/// A row of the statement's parameters that stays where it is.
template <class Row>
struct PreparedRow final : PreparedTake {
  PreparedRow(const sql::Statement& statement, Row made) : row(std::move(made)), params(sql::make_params<Row>(row)) {
    item = {&statement, params, {}};
  }
  Row row;
  std::array<sql::Param, sql::width_of<Row>()> params;
};

/// The row's `tat`; nothing without a row.
std::optional<Instant> tat_of(Read& tx, const ApiCall& key);
std::optional<Instant> tat_of(Read& tx, const Scraper& key);

bool delete_row(Write& tx, const ApiCall& key);
bool delete_row(Write& tx, const Scraper& key);

std::int64_t sweep_api(Write& tx, Instant now, Instant idle_since, int limit);
std::int64_t sweep_scrapers(Write& tx, Instant now, Instant idle_since, int limit);

/// Throws `denied` for whoever acts as a user alone.
void require_system(const Actor& actor, std::string_view what);

/// Throws `invalid` for a name out of its bounds, `not_found` for a user whom the actor does not see; `denied` for a scraper
/// on behalf of a user.
void check_key(const Actor& actor, const ApiCall& key);
void check_key(const Actor& actor, const Scraper& key);

/// Each by itself, and all in one round trip, in the order given. A cost is at least 1. Errors are those of `take`; then
/// nothing is taken.
std::vector<Decision> take_each(Write& tx, std::span<const Take* const> takes);

/// An order of keys that everybody keeps to who takes from several: nobody waits in a circle.
bool comes_before(const Key& a, const Key& b);

}  // namespace quarry::limits
