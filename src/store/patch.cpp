#include "quarry/store/patch.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"
#include "quarry/store/conditions.hpp"

namespace quarry::store {
namespace {

/// The row's version, locked until the transaction ends: nobody changes it between the look and the change.
std::optional<Instant> version_of(Write& tx, std::string_view query, std::string_view table, const Conditions& where) {
  const std::string text = fmt::format("select updated_at from {}{}{}", table, where.text(),
                                       tx.engine() == Engine::postgres ? " for no key update" : "");
  const sql::Statement statement{query, text, text, false};
  sql::OpenCursor cursor(tx.session().execute(statement, where.params()));
  if (!cursor->step()) return std::nullopt;
  return sql::Codec<Instant>::read(*cursor, 0);
}

}  // namespace

void Patch::add(std::string_view column, const sql::Param& param) {
  params_.push_back(param);
  assignments_ += fmt::format("{} = ${}, ", column, params_.size());
}

void Patch::apply(Write& tx, std::string_view query, std::string_view what, const Uuid& id, std::string_view owner_column,
                  const Rules& rules) const {
  Conditions where;
  const auto id_param = sql::Codec<Uuid>::to_param(id);
  where.add_params("id = {}", std::span(&id_param, 1));
  if (!rules.also.empty()) where.add(rules.also);
  where.owned(tx.actor(), owner_column);
  try {
    const auto before = version_of(tx, query, table_, where);
    if (!before) throw Error(ErrorCode::not_found, fmt::format("there is no {} {}", what, to_string(id)));
    if (rules.unchanged_since && *before != *rules.unchanged_since)
      throw Error(ErrorCode::conflict, fmt::format("{} {} has changed at {}, after you read it: read it again", what,
                                                   to_string(id), to_iso8601(*before)));
    if (empty()) return;
    const Instant moved = std::max(tx.now(), *before + std::chrono::microseconds(1));
    auto params = params_;
    params.push_back(sql::Codec<Instant>::to_param(moved));
    params.push_back(id_param);
    const std::string text = fmt::format("update {} set {}updated_at = ${} where id = ${}", table_, assignments_,
                                         params.size() - 1, params.size());
    const sql::Statement statement{query, text, text, false};
    sql::OpenCursor cursor(tx.session().execute(statement, params));
    while (cursor->step()) {
    }
  } catch (Error& error) {
    error.add_query(query);
    throw;
  }
}

}  // namespace quarry::store
