#include "quarry/store/conditions.hpp"

#include "quarry/core/error.hpp"

namespace quarry::store {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

void Conditions::append(std::string_view condition, std::span<const sql::Param> params) {
  text_ += text_.empty() ? " where " : " and ";
  std::size_t used = 0;
  while (true) {
    const auto hole = condition.find("{}");
    text_ += condition.substr(0, hole);
    if (hole == std::string_view::npos) break;
    if (used == params.size()) throw_bug("a condition has more places than values");
    text_ += place(params[used++]);
    condition.remove_prefix(hole + 2);
  }
  if (used != params.size()) throw_bug("a condition has more values than places");
}

std::string Conditions::place(const sql::Param& param) {
  params_.push_back(param);
  return "$" + std::to_string(params_.size());
}

void Conditions::owned(const Actor& actor, std::string_view column) {
  if (actor.sees_all()) return;
  const auto owner = sql::Codec<UserId>::to_param(*actor.user_id());
  append(std::string(column) + " = {}", {&owner, 1});
}

std::string like_anywhere(std::string_view text) { return '%' + escaped(text) + '%'; }
std::string like_prefix(std::string_view text) { return escaped(text) + '%'; }

}  // namespace quarry::store
