#pragma once
/// Lists come page by page, by key: a page begins behind the last row of the one before, wherever that stands by then. So
/// pages neither repeat nor lose a row while others come and go, and the thousandth costs what the first did.
///
///     auto page = jobs::list(tx, {.status = JobStatus::running}, {.limit = 50});
///     while (page.next) page = jobs::list(tx, {.status = JobStatus::running}, {.limit = 50, .after = *page.next});
///
/// A cursor is text for clients to hand back, not to read. It is bound to the list and to its order: with another one it is
/// refused (`invalid`), and so is one that was cut or changed. Filters may differ between pages: each shows what it says.
///
/// Errors: `invalid`. Thread safety: values and pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/sql/param.hpp"

namespace quarry {

/// Which page of a list, wanted how long.
struct PageRequest {
  int limit = 50;           ///< 1 to 1000 rows
  std::string after{};      ///< `Page::next` of the page before; empty for the first
  bool with_total = false;  ///< counts all matching rows, too: its cost grows with their number
};

template <class Row>
struct Page {
  std::vector<Row> rows;
  std::optional<std::string> next;    ///< nothing on the last page
  std::optional<std::int64_t> total;  ///< when it was asked for
};

namespace store {

inline constexpr int page_limit_max = 1000;

/// A value that rows are ordered by, kept outside of its row: an integer, an instant, a text or an id.
struct KeyValue {
  sql::Kind kind = sql::Kind::int64;
  std::int64_t integer = 0;
  std::string text{};
  Uuid uuid{};

  /// Refers to this value.
  sql::Param param() const;
  friend bool operator==(const KeyValue&, const KeyValue&) = default;
};
/// A row's value in the order of its list.
KeyValue key(std::int64_t value);
/// The same of a moment.
KeyValue key(Instant value);
/// The same of a text, which is copied.
KeyValue key(std::string_view value);
/// The same of an id.
KeyValue key(const Uuid& value);
/// The same of an id with its type.
template <class Tag>
KeyValue key(const Id<Tag>& value) {
  return key(value.value);
}

/// Where a page ends: the last row's place in the order, and its id, which tells rows of the same place apart.
struct PageEnd {
  KeyValue sort;
  KeyValue id;
  friend bool operator==(const PageEnd&, const PageEnd&) = default;
};

/// `order` names the list and its order: `jobs by created_at desc`. At most 64 KiB come in.
std::string encode_cursor(std::string_view order, const PageEnd& end);
/// Throws `invalid` for what `encode_cursor` did not make of the same order.
PageEnd decode_cursor(std::string_view order, std::string_view cursor);

/// Throws `invalid` for a limit out of bounds.
void check_page(const PageRequest& page);

}  // namespace store
}  // namespace quarry
