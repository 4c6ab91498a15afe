#include "sql/sqlite/statement.hpp"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "quarry/core/error.hpp"
#include "quarry/core/utf8.hpp"
#include "sql/sqlite/array_json.hpp"
#include "sql/sqlite/error_map.hpp"
#include "sql/sqlite/placeholders.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

/// SQLite takes any bytes for a text, and would look for, or store, what PostgreSQL refuses: both refuse it, with the same
/// words (`postgres/error_map.cpp`, 22021).
void check_text(std::string_view text) {
  if (clean_prefix(text) != text.size())
    throw Error(ErrorCode::invalid, "a text is not valid UTF-8 or holds a zero byte: clean it first");
}

}  // namespace

PreparedStatement::PreparedStatement(sqlite3* db, std::string_view sql) : db_(db) {
  const auto text = number_placeholders(sql);
  const char* rest = nullptr;
  check(db, sqlite3_prepare_v3(db, text.data(), static_cast<int>(text.size()), SQLITE_PREPARE_PERSISTENT, &stmt_, &rest),
        "prepare a statement");
  if (!stmt_) throw_bug("a statement is empty");
  if (std::string_view(rest).find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    sqlite3_finalize(stmt_);
    throw_bug("a named query holds more than one statement");
  }
  read_only_ = sqlite3_stmt_readonly(stmt_) != 0;
  param_count_ = sqlite3_bind_parameter_count(stmt_);
}

PreparedStatement::~PreparedStatement() { sqlite3_finalize(stmt_); }

void PreparedStatement::start(std::span<const Param> params, Lifetime lifetime) {
  if (in_use_) throw_bug("a statement was started again while its rows were still being read");
  if (std::cmp_not_equal(params.size(), param_count_))
    throw_bug(fmt::format("the statement takes {} parameters and was given {}", param_count_, params.size()));
  // In use from here on, so that `close` also cleans up a start that fails half-way.
  in_use_ = true;
  affected_ = 0;
  try {
    for (std::size_t i = 0; i < params.size(); ++i) bind(static_cast<int>(i) + 1, params[i], lifetime);
  } catch (...) {
    close();
    throw;
  }
}

void PreparedStatement::bind(int index, const Param& param, Lifetime lifetime) {
  const auto keep = lifetime == Lifetime::outlives ? SQLITE_STATIC : SQLITE_TRANSIENT;  // NOLINT: the macro's own cast
  // A null data pointer would bind NULL, and an empty string is not NULL.
  const auto bytes = [&] { return param.data ? static_cast<const char*>(param.data) : ""; };
  int code = SQLITE_OK;
  if (param.null) {
    code = sqlite3_bind_null(stmt_, index);
  } else {
    switch (param.kind) {
      case Kind::boolean:
      case Kind::int64:
      case Kind::instant:
        code = sqlite3_bind_int64(stmt_, index, param.integer);
        break;
      case Kind::real:
        code = sqlite3_bind_double(stmt_, index, param.real);
        break;
      case Kind::text:
      case Kind::json:
        check_text({bytes(), param.size});
        code = sqlite3_bind_text64(stmt_, index, bytes(), param.size, keep, SQLITE_UTF8);
        break;
      case Kind::bytes:
        code = sqlite3_bind_blob64(stmt_, index, bytes(), param.size, keep);
        break;
      case Kind::uuid:
        code = sqlite3_bind_blob64(stmt_, index, param.uuid().bytes.data(), 16, keep);
        break;
      case Kind::int64_array:
      case Kind::text_array:
      case Kind::uuid_array:
      case Kind::instant_array: {
        if (param.kind == Kind::text_array)
          for (std::size_t i = 0; i < param.size; ++i) check_text(static_cast<const std::string*>(param.data)[i]);
        const auto& json = arrays_.emplace_back(to_json(param));
        code = sqlite3_bind_text64(stmt_, index, json.data(), json.size(), SQLITE_STATIC, SQLITE_UTF8);
        break;
      }
    }
  }
  check(db_, code, "bind a parameter");
}

int PreparedStatement::run_to_end() noexcept {
  const int code = sqlite3_step(stmt_);
  sqlite3_reset(stmt_);
  return code;
}

bool PreparedStatement::step() {
  const int code = sqlite3_step(stmt_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) throw make_error(db_, code, "run a statement");
  if (!read_only_) affected_ = sqlite3_changes64(db_);
  return false;
}

void PreparedStatement::close() noexcept {
  // The code that reset returns repeats what step has reported.
  sqlite3_reset(stmt_);
  if (!arrays_.empty()) arrays_.clear();
  in_use_ = false;
}

std::int64_t PreparedStatement::affected_rows() const { return affected_; }

void PreparedStatement::check_column(int column, Kind) const {
  // SQLite's types belong to values: `want` looks at each. Only the column's presence can be told beforehand.
  if (column < 0 || column >= column_count()) throw_bug("the query gives fewer columns than its row type has");
}

sqlite3_value* PreparedStatement::want(int column, int type) const {
  // One look at the column instead of three. The value is "unprotected", which makes no difference on a connection that was
  // opened without a mutex (sqlite.org/c3ref/value.html).
  auto* value = sqlite3_column_value(stmt_, column);
  const int found = sqlite3_value_type(value);
  if (found == type || (found == SQLITE_INTEGER && type == SQLITE_FLOAT)) return value;
  if (found == SQLITE_NULL)
    throw_bug(fmt::format("column '{}' is null and its member is not optional", column_name(column)));
  throw_bug(fmt::format("column '{}' holds another type than its member wants", column_name(column)));
}

std::int64_t PreparedStatement::get_int64(int column) const { return sqlite3_value_int64(want(column, SQLITE_INTEGER)); }

double PreparedStatement::get_real(int column) const { return sqlite3_value_double(want(column, SQLITE_FLOAT)); }

std::string_view PreparedStatement::get_text(int column) const {
  auto* value = want(column, SQLITE_TEXT);
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

std::span<const std::byte> PreparedStatement::get_bytes(int column) const {
  auto* value = want(column, SQLITE_BLOB);
  const auto* bytes = static_cast<const std::byte*>(sqlite3_value_blob(value));
  return {bytes, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

Uuid PreparedStatement::get_uuid(int column) const {
  const auto bytes = get_bytes(column);
  Uuid id;
  if (bytes.size() != id.bytes.size())
    throw Error(ErrorCode::corrupt, fmt::format("column '{}' holds an id that is not 16 bytes long", column_name(column)));
  std::memcpy(id.bytes.data(), bytes.data(), id.bytes.size());
  return id;
}

std::vector<std::int64_t> PreparedStatement::get_int64_array(int column) const { return int64_array(get_text(column)); }
std::vector<std::string> PreparedStatement::get_text_array(int column) const { return text_array(get_text(column)); }

PreparedStatement& StatementCache::get(std::string_view sql, bool is_static) {
  ++uses_;
  Entry* entry = nullptr;
  if (is_static) {
    const auto found = by_address_.find(sql.data());
    entry = found != by_address_.end() ? &found->second : nullptr;
  } else {
    const auto found = by_text_.find(std::string(sql));
    entry = found != by_text_.end() ? &found->second : nullptr;
  }
  if (!entry) {
    make_room();
    entry = is_static ? &by_address_.emplace(sql.data(), make_entry(sql)).first->second
                      : &by_text_.emplace(sql, make_entry(sql)).first->second;
  }
  entry->last_used = uses_;
  return *entry->statement;
}

StatementCache::Entry StatementCache::make_entry(std::string_view sql) {
  return {std::make_unique<PreparedStatement>(db_, sql), uses_};
}

void StatementCache::make_room() {
  if (by_address_.size() + by_text_.size() < limit_) return;
  // A scan, but only when the cache is full: a program has fewer statements than the limit.
  auto oldest_address = by_address_.end();
  auto oldest_text = by_text_.end();
  std::uint64_t oldest = uses_ + 1;
  for (auto it = by_address_.begin(); it != by_address_.end(); ++it)
    if (!it->second.statement->in_use() && it->second.last_used < oldest) oldest = it->second.last_used, oldest_address = it;
  for (auto it = by_text_.begin(); it != by_text_.end(); ++it)
    if (!it->second.statement->in_use() && it->second.last_used < oldest) oldest = it->second.last_used, oldest_text = it;
  if (oldest_text != by_text_.end())
    by_text_.erase(oldest_text);
  else if (oldest_address != by_address_.end())
    by_address_.erase(oldest_address);
}

}  // namespace quarry::sql::sqlite_driver
