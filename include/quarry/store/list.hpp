#pragma once
/// The one way in which every store lists its rows: filters, an order, a page.
///
///     const store::ListOf<User> users{"accounts.list_users", user_columns, "users"};
///     const store::Order<User> by_created{"created_at", "created_at", [](const User& u) { return store::key(u.created_at);
///     }}; return store::list(tx, users, by_created, {.descending = true}, where, page);
///
/// Rows are told apart by their `id`. An index over (column, id), or one that begins with a filter's column and goes on so,
/// makes every page as cheap as the first.
///
/// Errors: `invalid`, and what the database throws, with the name of the list. Thread safety: that of the transaction.

#include <string>
#include <string_view>
#include <utility>

#include "quarry/sql/transaction.hpp"
#include "quarry/store/conditions.hpp"
#include "quarry/store/page.hpp"

namespace quarry::store {

template <class Row>
struct ListOf {
  std::string_view name;     ///< of the query, and of the list in its cursors
  std::string_view columns;  ///< those of `Row`
  std::string_view from;     ///< the table
};

/// An order of a list. `column` holds no nulls; a text column says `collate "C"` on PostgreSQL, so that both engines order
/// by bytes.
template <class Row>
struct Order {
  std::string_view name;
  std::string_view column;
  KeyValue (*value)(const Row&);
};

enum class Direction { ascending, descending };

/// How many rows there are in all.
template <class Row>
std::int64_t count(Read& tx, const ListOf<Row>& list, const Conditions& where) {
  const std::string text = "select count(*) from " + std::string(list.from) + where.text();
  const sql::Statement statement{list.name, text, text, false};
  try {
    sql::OpenCursor cursor(tx.session().execute(statement, where.params()));
    return cursor->step() ? sql::Codec<std::int64_t>::read(*cursor, 0) : 0;
  } catch (Error& error) {
    error.add_query(list.name);
    throw;
  }
}

/// Throws `invalid` for a limit out of bounds and for a cursor of another list or order.
template <class Row>
Page<Row> list(Read& tx, const ListOf<Row>& list, const Order<Row>& order, Direction direction, Conditions where,
               const PageRequest& request) {
  check_page(request);
  const bool down = direction == Direction::descending;
  const std::string order_name = std::string(list.name) + ' ' + std::string(order.name) + (down ? " desc" : " asc");
  const std::string column(order.column);
  Page<Row> page;
  if (request.with_total) page.total = count(tx, list, where);
  PageEnd end;
  if (!request.after.empty()) {
    end = decode_cursor(order_name, request.after);
    const std::array<sql::Param, 2> values{end.sort.param(), end.id.param()};
    where.add_params('(' + column + ", id) " + (down ? '<' : '>') + " ({}, {})", values);
  }
  const std::int64_t wanted = request.limit + 1;  // one more tells whether there is a next page
  const std::string step = down ? " desc" : " asc";
  const std::string limit = where.place(sql::Codec<std::int64_t>::to_param(wanted));
  const std::string text = "select " + std::string(list.columns) + " from " + std::string(list.from) + where.text() +
                           " order by " + column + step + ", id" + step + " limit " + limit;
  const sql::Statement statement{list.name, text, text, false};
  try {
    sql::OpenCursor cursor(tx.session().execute(statement, where.params()));
    while (cursor->step()) page.rows.push_back(sql::read_row<Row>(*cursor));
  } catch (Error& error) {
    error.add_query(list.name);
    throw;
  }
  if (std::cmp_greater(page.rows.size(), request.limit)) {
    page.rows.pop_back();
    page.next = encode_cursor(order_name, {order.value(page.rows.back()), key(page.rows.back().id)});
  }
  return page;
}

}  // namespace quarry::store
