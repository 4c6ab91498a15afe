#pragma once
/// Changes of named fields, and of nothing else:
///
///     Patch patch("users");
///     patch.set("email", changes.email).set("full_name", changes.full_name);   // std::optional: nothing leaves it alone
///     patch.apply(tx, "accounts.update_user", "user", id, {.unchanged_since = changes.unchanged_since});
///
/// A field that may be null is an optional of an optional: `std::optional<std::optional<std::string>>`, whose inner nothing
/// makes it null. `updated_at` moves forward with every change, also when the clock does not.
///
/// Errors: `not_found`, `conflict`, from `apply` alone. Thread safety: that of the transaction.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/sql/transaction.hpp"

namespace quarry::store {

class Patch {
 public:
  explicit Patch(std::string_view table) : table_(table) {}

  /// Refers to the value, which must outlive it. Column names come from the program.
  template <class T>
  Patch& set(std::string_view column, const std::optional<T>& value) {
    if (value) add(column, sql::Codec<T>::to_param(*value));
    return *this;
  }
  /// Sets a column, in any case.
  template <class T>
  Patch& set_to(std::string_view column, const T& value) {
    add(column, sql::Codec<T>::to_param(value));
    return *this;
  }
  /// Whether nothing is set.
  bool empty() const noexcept { return params_.empty(); }

  struct Rules {
    /// What the caller last saw in `updated_at`: when the row has changed since, this is a `conflict`.
    std::optional<Instant> unchanged_since{};
    /// More that must hold of the row, such as `deleted_at is null`; a row of which it does not hold is not there.
    std::string_view also{};
  };
  /// Changes the row with this id, if the actor sees it. `owner_column` names the column with its owner. Without any field
  /// set it still checks that the row is there and unchanged. Throws `not_found` and `conflict`, naming `what` and the id.
  void apply(Write& tx, std::string_view query, std::string_view what, const Uuid& id, std::string_view owner_column,
             const Rules& rules) const;

 private:
  void add(std::string_view column, const sql::Param& param);

  std::string_view table_;
  std::string assignments_;
  std::vector<sql::Param> params_;
};

}  // namespace quarry::store
