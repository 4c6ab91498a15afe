#pragma once
/// The prepared statements of one connection: a bounded cache whose least recently used statement goes first.
///
/// A statement is found by the address of its text when that is static, by its content when not, and by the types of
/// its parameters either way (a linker may fold two equal texts whose arguments differ). Names are unique per connection and
/// never used again.
///
/// The cache decides; `Pipeline` speaks to the server. Not thread-safe.

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "quarry/sql/cursor.hpp"
#include "sql/postgres/oids.hpp"

namespace quarry::sql::postgres_driver {

struct Prepared {
  std::string name;  ///< at the server; empty for a statement that is not kept there
  std::vector<oid::Type> types;
  Cursor::RowMap rows;  ///< holds as long as the server keeps the result's type, which it does for a prepared statement
  bool made = false;    ///< the server has confirmed it
};

class StatementCache {
 public:
  /// `salt` tells the names of this connection from those of others, in case a pooler mixes them.
  StatementCache(std::size_t statements_max, std::uint64_t salt);

  struct Found {
    std::shared_ptr<Prepared> statement;
    bool fresh;  ///< it has to be prepared
  };
  Found find(std::string_view text, bool is_static, std::span<const oid::Type> types);
  /// It turned out that the server does not have it, or will not execute it any more.
  void drop(const Prepared& statement);
  /// The server has none of them.
  void clear();
  /// Names of what fell out and is still at the server. Each is given once.
  std::vector<std::string> take_garbage();

  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    std::size_t hash;
    const char* address;  ///< of a static text
    std::string content;  ///< of another
    std::size_t length;
    std::shared_ptr<Prepared> statement;
  };
  using Entries = std::list<Entry>;

  static bool same(const Entry& entry, std::string_view text, bool is_static, std::span<const oid::Type> types);
  void erase(Entries::iterator at);

  const std::size_t statements_max_;
  const std::uint64_t salt_;
  std::uint64_t next_ = 1;
  Entries entries_;  ///< most recently used first
  std::unordered_map<std::size_t, Entries::iterator> by_hash_;
  std::vector<std::string> garbage_;
};

}  // namespace quarry::sql::postgres_driver
