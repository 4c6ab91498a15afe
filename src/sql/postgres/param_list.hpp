#pragma once
/// Parameters in the shape that libpq wants: parallel arrays of types, pointers, lengths and formats.
///
/// Numbers, times, ids, bytes and arrays travel in binary form; text and JSON as text, with the type left to the server
/// (JSON: jsonb), so that one C++ string serves text, varchar, enum, inet and numeric columns alike.
///
/// Reused from call to call, so that nothing is allocated in the steady state. Points into the caller's data until the
/// next `assign` or `clear`. Throws `invalid` for text with a zero byte. Not thread-safe.

#include <span>
#include <vector>

#include "quarry/sql/param.hpp"
#include "sql/postgres/wire.hpp"

namespace quarry::sql::postgres_driver {

class ParamList {
 public:
  void assign(std::span<const Param> params);
  void clear();
  /// One parameter that is encoded already. The bytes must outlive the list's use.
  void add_binary(oid::Type type, std::string_view bytes);

  int count() const noexcept { return static_cast<int>(types_.size()); }
  std::span<const oid::Type> types() const noexcept { return types_; }
  const char* const* values() const noexcept { return values_.data(); }
  const int* lengths() const noexcept { return lengths_.data(); }
  const int* formats() const noexcept { return formats_.data(); }
  /// About how much goes on the wire.
  std::size_t bytes() const noexcept { return bytes_; }

  /// The type that a parameter of this kind is declared with.
  static oid::Type type_of(Kind kind) noexcept;

 private:
  void add(const Param& param);
  void add_text(const Param& param);
  void add_array(const Param& param);
  void add_scratch(std::size_t offset);

  std::vector<oid::Type> types_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  std::vector<std::pair<std::size_t, std::size_t>> in_scratch_;  ///< parameter, offset: set once the buffer stands still
  ByteBuffer scratch_;
  std::size_t bytes_ = 0;
};

}  // namespace quarry::sql::postgres_driver
