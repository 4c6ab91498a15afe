#include "billing/rules.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"

namespace quarry::billing {

void require_admin(Read& tx, std::string_view what) {
  if (!tx.actor().sees_all()) throw Error(ErrorCode::denied, fmt::format("{} is for administrators: ask one of them", what));
}

void require_seen(Read& tx, UserId user) {
  if (!tx.actor().sees(user)) throw_no_user(user);
}

void throw_no_user(UserId user) { throw Error(ErrorCode::not_found, fmt::format("there is no user {}", to_string(user))); }

}  // namespace quarry::billing
