#include "quarry/store/conditions.hpp"

#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::store {
namespace {

std::string escaped(std::string_view text) {
  // SQLite would look for what stands before a zero byte.
  if (!count_characters(text)) throw_invalid("the text to look for is not UTF-8, or has a zero byte in it");
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
  std::string first;
  while (true) {
    const auto hole = condition.find('{');
    text_ += condition.substr(0, hole);
    if (hole == std::string_view::npos) break;
    condition.remove_prefix(hole);
    const bool again = condition.starts_with("{0}");
    condition.remove_prefix(again ? 3 : 2);
    if (again && used > 0) {
      text_ += first;
      continue;
    }
    if (used == params.size()) throw_bug("a condition has more places than values");
    const auto named = place(params[used]);
    if (used++ == 0) first = named;
    text_ += named;
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
