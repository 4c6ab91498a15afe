/// Schema, rows and contents of a SQLite database, table by table.

#include <sodium.h>

#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "backup/envelope.hpp"
#include "backup/sqlite/source.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::backup::sqlite {
namespace {

constexpr std::int64_t digest_slice_bytes = 1 << 20;

/// BLAKE2b over values, each with its type and length before it, so that no two rows look alike.
class RowDigest {
 public:
  RowDigest() { crypto_generichash_init(&state_, nullptr, 0, 32); }

  void add(sqlite3_stmt* row, int column) {
    const int type = sqlite3_column_type(row, column);
    std::array<unsigned char, 9> head{static_cast<unsigned char>(type)};
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
      const double real = type == SQLITE_FLOAT ? sqlite3_column_double(row, column) : 0;
      const auto bits = type == SQLITE_INTEGER ? static_cast<std::uint64_t>(sqlite3_column_int64(row, column))
                                               : std::bit_cast<std::uint64_t>(real);
      put_number(head, bits);
      append(head.data(), head.size());
    } else if (type == SQLITE_NULL) {
      append(head.data(), 1);
    } else {
      const auto* data = static_cast<const unsigned char*>(sqlite3_column_blob(row, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
      put_number(head, size);
      append(head.data(), head.size());
      append(data, size);
    }
  }
  std::int64_t bytes() const noexcept { return bytes_; }
  std::string finish() {
    flush();
    Digest digest{};
    crypto_generichash_final(&state_, digest.data(), digest.size());
    return hex(as_text(digest));
  }

 private:
  static void put_number(std::array<unsigned char, 9>& head, std::uint64_t value) {
    for (std::size_t i = 1; i < head.size(); ++i, value >>= 8) head[i] = static_cast<unsigned char>(value);
  }
  /// Small values are gathered: a call for each would cost more than the hash.
  void append(const unsigned char* data, std::size_t size) {
    bytes_ += static_cast<std::int64_t>(size);
    if (filled_ + size > buffer_.size()) flush();
    if (size > buffer_.size()) {
      crypto_generichash_update(&state_, data, size);
      return;
    }
    if (size > 0) std::memcpy(buffer_.data() + filled_, data, size);
    filled_ += size;
  }
  void flush() {
    crypto_generichash_update(&state_, buffer_.data(), filled_);
    filled_ = 0;
  }

  crypto_generichash_state state_{};
  std::array<unsigned char, 8192> buffer_;
  std::size_t filled_ = 0;
  std::int64_t bytes_ = 0;
};

TableFacts table_facts(Handle& handle, const std::string& name, const std::function<void()>& after_slice) {
  TableFacts facts{.name = name, .rows = 0, .digest = {}};
  // In the order of the table itself, whatever indexes there are.
  Statement rows(handle, "select * from " + quoted_name(name) + " not indexed");
  const int columns = sqlite3_column_count(rows.native());
  RowDigest digest;
  std::int64_t next_slice = digest_slice_bytes;
  for (; rows.step(); ++facts.rows) {
    for (int column = 0; column < columns; ++column) digest.add(rows.native(), column);
    if (digest.bytes() < next_slice) continue;
    next_slice = digest.bytes() + digest_slice_bytes;
    after_slice();
  }
  facts.digest = digest.finish();
  return facts;
}

std::string schema_digest(Handle& handle) {
  std::string text;
  Statement objects(handle, "select type, name, tbl_name, coalesce(sql, '') from sqlite_schema order by type, name");
  while (objects.step())
    for (int column = 0; column < 4; ++column) {
      text += objects.bytes(column);
      text += '\0';
    }
  return hex(as_text(blake2b(text)));
}

}  // namespace

DatabaseFacts facts_of(Handle& handle, const std::function<void()>& after_slice) {
  DatabaseFacts facts;
  facts.engine = to_string(Engine::sqlite);
  facts.engine_version = sqlite3_libversion();
  if (has_table(handle, "schema_migrations"))
    facts.schema_version =
        handle.number("select coalesce(max(version), 0) from schema_migrations where finished_at is not null");
  facts.schema_digest = schema_digest(handle);
  std::vector<std::string> tables;
  {
    Statement names(handle, "select name from sqlite_schema where type = 'table' and rootpage > 0 order by name");
    while (names.step()) tables.emplace_back(names.bytes(0));
  }
  for (const auto& table : tables) facts.tables.push_back(table_facts(handle, table, after_slice));
  return facts;
}

}  // namespace quarry::backup::sqlite
