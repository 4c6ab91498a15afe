#pragma once
/// `Read` and `Write`: what a closure is handed by `Database::read` and `Database::write`.
///
/// They are different types, so that the compiler keeps writes away from replicas and from SQLite's readers: a function that
/// takes `Read&` cannot write, and every `Write` can be used as a `Read`.
///
/// Exceptions: every function throws `Error` with the query's name when the engine refuses. The transaction is then lost,
/// unless the statement stood inside `Write::attempt`. Thread safety: none; a transaction belongs to the closure's thread
/// and must not outlive it.

#include <array>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "quarry/sql/row.hpp"
#include "quarry/sql/session.hpp"

namespace quarry {

using sql::Engine;

namespace sql {

/// Rows of a stream, for a range-based `for`. Single pass; keeps its statement open until it ends.
template <class R>
class RowStream {
 public:
  RowStream(Cursor& cursor) : cursor_(cursor) {}

  struct End {};
  class Iterator {
   public:
    explicit Iterator(Cursor& cursor) : cursor_(&cursor) { ++*this; }
    Iterator& operator++() {
      if (cursor_->step())
        row_.emplace(read_row<R>(*cursor_));
      else
        row_.reset();
      return *this;
    }
    R& operator*() { return *row_; }
    bool operator==(End) const { return !row_; }

   private:
    Cursor* cursor_;
    std::optional<R> row_;
  };
  /// The first row.
  Iterator begin() & { return Iterator(*cursor_); }
  Iterator begin() && = delete;
  /// Behind the last.
  End end() { return {}; }

 private:
  OpenCursor cursor_;
};

/// Rows of a span, as a source for bulk verbs.
template <class Row>
class SpanSource final : public RowSource {
 public:
  explicit SpanSource(std::span<const Row> rows) : rows_(rows) {}
  std::size_t size() const override { return rows_.size(); }
  void fill(std::size_t index, Param* out) const override { put_params<Row>(rows_[index], out); }

 private:
  std::span<const Row> rows_;
};

/// A table as the target of `insert_all`: the described members of `Row` are its columns.
template <DescribedStruct Row>
struct Table {
  std::string_view name;
  consteval explicit Table(const char* table) : name(table) {}
};

template <class Row>
struct Columns {
  std::array<std::string_view, member_count<Row>> names;
  std::array<Kind, member_count<Row>> kinds;
};

/// The columns of a described struct: their names and kinds. Never fails.
template <class Row>
const Columns<Row>& columns_of() {
  static const auto columns = [] {
    Columns<Row> made;
    std::size_t i = 0;
    boost::mp11::mp_for_each<MembersOf<Row>>([&](auto member) {
      made.names[i] = member.name;
      made.kinds[i++] = Codec<std::remove_cvref_t<decltype(std::declval<Row>().*member.pointer)>>::kind;
    });
    return made;
  }();
  return columns;
}

/// A statement with its arguments, for `together`. Refers to the arguments: use it in the same expression.
template <class Result, class... A>
struct Bound {
  const Statement* statement;
  std::array<Param, (width_of<A>() + ... + 0)> params;
  Result result{};
};

/// A query for at most one row, for `Read::together`.
template <class R, class... A>
auto one(const Query<R(A...)>& query, const std::type_identity_t<A>&... args) {
  return Bound<std::optional<R>, A...>{&query.statement, make_params<A...>(args...)};
}
/// A query for any number of rows, for `Read::together`.
template <class R, class... A>
auto all(const Query<R(A...)>& query, const std::type_identity_t<A>&... args) {
  return Bound<std::vector<R>, A...>{&query.statement, make_params<A...>(args...)};
}

namespace detail {
template <class R>
void collect(Cursor& cursor, std::optional<R>& into) {
  if (!cursor.step()) return;
  into.emplace(read_row<R>(cursor));
  if (cursor.step()) throw_bug("the query gives several rows where at most one is wanted");
}
template <class R>
void collect(Cursor& cursor, std::vector<R>& into) {
  while (cursor.step()) into.push_back(read_row<R>(cursor));
}
}  // namespace detail
}  // namespace sql

class Read {
 public:
  explicit Read(sql::Session& session) : session_(&session) {}
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;

  Engine engine() const noexcept { return session_->engine(); }
  /// The current time; see `sql::Session::now`.
  Instant now() const { return session_->now(); }
  /// On whose behalf this runs. Stores neither show nor change what the actor does not see.
  const Actor& actor() const noexcept { return session_->actor(); }

  /// At most one row; several are a `bug`.
  template <class R, class... A>
  std::optional<R> one(const sql::Query<R(A...)>& query, const std::type_identity_t<A>&... args) {
    return fetch<std::optional<R>, A...>(query.statement, args...);
  }
  /// All rows.
  template <class R, class... A>
  std::vector<R> all(const sql::Query<R(A...)>& query, const std::type_identity_t<A>&... args) {
    return fetch<std::vector<R>, A...>(query.statement, args...);
  }
  /// Exactly one row (counts, sums); none is a `bug`.
  template <class R, class... A>
  R value(const sql::Query<R(A...)>& query, const std::type_identity_t<A>&... args) {
    return only(one(query, args...), query.statement);
  }
  /// A long result, row by row, in bounded memory:
  ///     auto rows = tx.stream(all_pages);
  ///     for (Page& page : rows) ...
  /// Other statements may run while the stream is open, but not the same one.
  template <class R, class... A>
  sql::RowStream<R> stream(const sql::Query<R(A...)>& query, const std::type_identity_t<A>&... args) {
    const auto params = sql::make_params<A...>(args...);
    return {session_->stream(query.statement, params, 1000)};
  }
  /// Several queries in one round trip (PostgreSQL) or in sequence (SQLite):
  ///     auto [user, jobs] = tx.together(sql::one(get_user, id), sql::all(jobs_of, id));
  template <class... Results, class... Bounds>
  auto together(Bounds... bound) {
    std::array<sql::PipelineItem, sizeof...(Bounds)> items{sql::PipelineItem{
        bound.statement, bound.params, [&bound](sql::Cursor& c) { sql::detail::collect(c, bound.result); }}...};
    session_->pipeline(items);
    return std::make_tuple(std::move(bound.result)...);
  }

  /// The driver line below, for tools that do not know their queries beforehand.
  sql::Session& session() noexcept { return *session_; }

 protected:
  template <class Result, class... A>
  Result fetch(const sql::Statement& statement, const A&... args) {
    const auto params = sql::make_params<A...>(args...);
    try {
      sql::OpenCursor cursor(session_->execute(statement, params));
      Result result{};
      sql::detail::collect(*cursor, result);
      return result;
    } catch (Error& error) {
      error.add_query(statement.name);
      throw;
    }
  }
  template <class R>
  static R only(std::optional<R>&& row, const sql::Statement& statement) {
    if (!row) throw Error(ErrorCode::bug, "a query that always gives a row gave none").add_query(statement.name);
    return *std::move(row);
  }

  sql::Session* session_;
};

class Write : public Read {
 public:
  using Read::all;
  using Read::one;
  using Read::Read;
  using Read::value;

  /// A new time-ordered id.
  Uuid new_uuid() { return make_uuid_v7(session_->now(), session_->random()); }
  /// A new time-ordered id of a table.
  template <class I>
  I new_id() {
    return I{new_uuid()};
  }
  /// The database's source of randomness.
  Random& random() noexcept { return session_->random(); }

  /// Runs a command and returns the number of rows it touched.
  template <class R, class... A>
  std::int64_t run(const sql::Command<R(A...)>& command, const std::type_identity_t<A>&... args) {
    const auto params = sql::make_params<A...>(args...);
    try {
      sql::OpenCursor cursor(session_->execute(command.statement, params));
      while (cursor->step()) {
      }
      return cursor->affected_rows();
    } catch (Error& error) {
      error.add_query(command.statement.name);
      throw;
    }
  }
  /// For commands with RETURNING.
  template <class R, class... A>
  std::optional<R> one(const sql::Command<R(A...)>& command, const std::type_identity_t<A>&... args) {
    return fetch<std::optional<R>, A...>(command.statement, args...);
  }
  /// All rows of a command with RETURNING.
  template <class R, class... A>
  std::vector<R> all(const sql::Command<R(A...)>& command, const std::type_identity_t<A>&... args) {
    return fetch<std::vector<R>, A...>(command.statement, args...);
  }
  /// Exactly one row of a command with RETURNING; none is a `bug`.
  template <class R, class... A>
  R value(const sql::Command<R(A...)>& command, const std::type_identity_t<A>&... args) {
    return only(one(command, args...), command.statement);
  }

  /// The same command for every row (a described struct whose members are `$1`, `$2`, ...). Returns the rows touched in all.
  template <class R, class Row>
  std::int64_t run_each(const sql::Command<R(Row)>& command, std::type_identity_t<std::span<const Row>> rows) {
    try {
      return session_->execute_each(command.statement, sql::width_of<Row>(), sql::SpanSource<Row>(rows));
    } catch (Error& error) {
      error.add_query(command.statement.name);
      throw;
    }
  }
  /// Bulk insert: COPY or `unnest` on PostgreSQL, one prepared loop on SQLite. Returns the rows inserted.
  template <class Row>
  std::int64_t insert_all(const sql::Table<Row>& table, std::type_identity_t<std::span<const Row>> rows,
                          sql::OnConflict on_conflict = sql::OnConflict::fail) {
    const auto& columns = sql::columns_of<Row>();
    try {
      return session_->insert_all({table.name, columns.names, columns.kinds}, sql::SpanSource<Row>(rows), on_conflict);
    } catch (Error& error) {
      error.add_query(table.name);
      throw;
    }
  }

  /// Runs `body` inside a savepoint: if it throws, its changes are undone and the exception goes on, and the transaction can
  /// still be used by whoever catches it.
  template <class F>
  auto attempt(F&& body) {
    session_->savepoint();
    try {
      if constexpr (std::is_void_v<decltype(body())>) {
        body();
        session_->release_savepoint();
      } else {
        auto result = body();
        session_->release_savepoint();
        return result;
      }
    } catch (...) {
      session_->rollback_savepoint();
      throw;
    }
  }

  /// See `sql::Session::after_commit`.
  void after_commit(std::function<void()> action) { session_->after_commit(std::move(action)); }
  /// Wakes those who wait for news on `channel`, in every process, once this transaction has committed.
  void notify(std::string_view channel) { session_->notify(channel); }
};

}  // namespace quarry
