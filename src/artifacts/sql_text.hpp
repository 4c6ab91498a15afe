#pragma once
/// SQL with as many conditions as a filter has, and their parameters. The values must outlive the statement.

#include <string>
#include <string_view>
#include <vector>

#include "quarry/sql/transaction.hpp"

namespace quarry::artifacts {

class SqlText {
 public:
  SqlText& operator<<(std::string_view piece) {
    text_ += piece;
    return *this;
  }
  /// Appends `$n` for the value.
  template <class T>
  SqlText& bind(const T& value) {
    params_.push_back(sql::Codec<T>::to_param(value));
    text_ += "$" + std::to_string(params_.size());
    return *this;
  }

  /// Makes the values `$1`, `$2`, ... ahead of everything that is bound; the caller's SQL names them.
  void reserve(const std::vector<std::string>& values) {
    for (const auto& value : values) params_.push_back(sql::Codec<std::string>::to_param(value));
  }

  template <class R>
  std::vector<R> all(Read& tx, std::string_view name) const {
    const sql::Statement statement{name, text_, text_, false};
    try {
      const sql::OpenCursor cursor(tx.session().execute(statement, params_));
      std::vector<R> rows;
      sql::detail::collect(*cursor, rows);
      return rows;
    } catch (Error& error) {
      error.add_query(name);
      throw;
    }
  }

 private:
  std::string text_;
  std::vector<sql::Param> params_;
};

}  // namespace quarry::artifacts
