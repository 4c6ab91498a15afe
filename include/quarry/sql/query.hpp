#pragma once
/// Named SQL. Each statement is a constant beside the code that uses it:
///
///     inline constexpr sql::Query<Page(std::string_view)> find_page{
///         "page.find_by_url", "select id, url, status from pages where url = $1"};
///
///     inline constexpr sql::Command<void(JobId, std::int64_t)> add_bytes{
///         "job.add_bytes",
///         sql::sqlite("update ... "),
///         sql::postgres("update ... ")};
///
/// The signature says what comes back (one row: a described struct, or a single column's type) and what goes in (`$1`,
/// `$2`, ...; a described struct stands for its members in order). `Query` only reads; `Command` may write, and only a
/// `Write` accepts it. The name is the key in metrics, errors and the slow-query log; it is `store.verb`.

#include <string>
#include <string_view>

namespace quarry::sql {

enum class Engine { sqlite, postgres };

/// `sqlite` or `postgresql`.
std::string_view to_string(Engine engine) noexcept;
/// The engine that a database URL names. Throws `invalid` and shows the forms that are possible; repeats nothing of the URL
/// but its scheme.
Engine engine_of(std::string_view url);

struct SqliteText {
  std::string_view text;
};
struct PostgresText {
  std::string_view text;
};
/// Marks the text of one engine.
consteval SqliteText sqlite(const char* text) { return {text}; }
/// Marks the text of the other.
consteval PostgresText postgres(const char* text) { return {text}; }

/// What a driver needs to know of a statement. A text with static storage is recognised by its address.
struct Statement {
  std::string_view name;
  std::string_view sqlite;
  std::string_view postgres;
  bool is_static = true;

  /// The text for this engine.
  std::string_view text(Engine engine) const { return engine == Engine::sqlite ? sqlite : postgres; }
};

template <class Signature>
struct Query;

template <class R, class... A>
struct Query<R(A...)> {
  Statement statement;
  consteval Query(const char* name, const char* both) : statement{name, both, both, true} {}
  consteval Query(const char* name, SqliteText sqlite, PostgresText postgres)
      : statement{name, sqlite.text, postgres.text, true} {}
  /// For SQL put together at run time (lists with filters). `name` and `text` must outlive the call.
  Query(std::string_view name, const std::string& text) : statement{name, text, text, false} {}
};

template <class Signature>
struct Command;

template <class R, class... A>
struct Command<R(A...)> {
  Statement statement;
  consteval Command(const char* name, const char* both) : statement{name, both, both, true} {}
  consteval Command(const char* name, SqliteText sqlite, PostgresText postgres)
      : statement{name, sqlite.text, postgres.text, true} {}
  /// For SQL put together at run time. `name` and `text` must outlive the call.
  Command(std::string_view name, const std::string& text) : statement{name, text, text, false} {}
};

}  // namespace quarry::sql
