#pragma once
/// The WHERE clause of a list, put together from the filters that were given. `{}` stands for each value in turn, `{0}` for
/// the first one once more:
///
///     Conditions where("deleted_at is null");
///     if (filter.status) where.add("status = {}", *filter.status);
///     where.owned(tx.actor(), "user_id");
///
/// Refers to the values: they must outlive it. Column names come from the program, values never stand in the text.
///
/// Errors: `invalid` for a pattern that is no text; `bug` for a condition with another number of values. Thread safety:
/// values.

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/sql/actor.hpp"
#include "quarry/sql/codec.hpp"

namespace quarry::store {

class Conditions {
 public:
  Conditions() = default;
  /// A condition without values that always holds for the list.
  explicit Conditions(std::string_view always) { append(always, {}); }

  /// One more condition, joined by `and`.
  template <class... T>
  void add(std::string_view condition, const T&... values) {
    const std::array<sql::Param, sizeof...(T)> params{sql::Codec<T>::to_param(values)...};
    append(condition, params);
  }
  /// The same with values that were made into parameters.
  void add_params(std::string_view condition, std::span<const sql::Param> params) { append(condition, params); }
  /// What the actor sees of rows whose owner stands in `column`.
  void owned(const Actor& actor, std::string_view column);

  /// ` where ... and ...`, or nothing.
  const std::string& text() const noexcept { return text_; }
  /// In the order of their places.
  const std::vector<sql::Param>& params() const noexcept { return params_; }
  /// `$n` for a value that stands elsewhere in the statement.
  std::string place(const sql::Param& param);

 private:
  void append(std::string_view condition, std::span<const sql::Param> params);

  std::string text_;
  std::vector<sql::Param> params_;
};

/// `text` as a pattern for LIKE with a backslash as its escape, that finds it anywhere, whatever characters it has. Throws
/// `invalid` for what is not UTF-8 or has a zero byte.
std::string like_anywhere(std::string_view text);
/// Likewise, at the start.
std::string like_prefix(std::string_view text);

}  // namespace quarry::store
