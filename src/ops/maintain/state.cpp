#include "ops/maintain/state.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace quarry::ops::upkeep {
namespace {

constexpr std::string_view state_key = "maintain.state";

constexpr sql::Query<std::string(std::string_view)> find_state{"maintain.find_state",
                                                               "select value from system_config where key = $1"};
constexpr sql::Command<void(Uuid, std::string_view, std::string_view, Instant)> put_state{
    "maintain.put_state",
    "insert into system_config (id, key, value, type, description, created_at, updated_at)"
    " values ($1, $2, $3, 'json', 'Written by quarry maintain', $4, $4)"
    " on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at"};

/// What people have done to the row costs no more than the memory of the last run.
boost::json::object parse_state(const std::optional<std::string>& text) {
  boost::json::error_code error;
  const auto value = boost::json::parse(text.value_or("{}"), error);
  return !error && value.is_object() ? value.get_object() : boost::json::object{};
}

std::optional<Instant> moment_in(const boost::json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  if (!value || !value->is_string()) return std::nullopt;
  try {
    return parse_iso8601(std::string_view(value->get_string()));
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

MaintainState read_state(Read& tx) {
  const auto object = parse_state(tx.one(find_state, state_key));
  return {moment_in(object, "finished_at"), moment_in(object, "rolled_up_until")};
}

void write_state(Write& tx, const MaintainState& change) {
  auto object = parse_state(tx.one(find_state, state_key));
  const auto put = [&](const char* name, const std::optional<Instant>& at) {
    if (at) object[name] = to_iso8601(*at);
  };
  put("finished_at", change.finished_at);
  put("rolled_up_until", change.rolled_up_until);
  tx.run(put_state, tx.new_uuid(), state_key, boost::json::serialize(object), tx.now());
}

}  // namespace quarry::ops::upkeep
