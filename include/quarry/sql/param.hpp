#pragma once
/// A parameter on its way to an engine: a kind, and either a number or a view of somebody else's bytes.
///
/// `Param` is what crosses the driver line, so it is small, trivially copyable and owns nothing. The arguments of a call
/// outlive the call, and nobody keeps a `Param` longer than that.
///
/// | kind        | C++                       | SQLite               | PostgreSQL         |
/// |-------------|---------------------------|----------------------|--------------------|
/// | boolean     | bool                      | INTEGER 0 or 1       | boolean            |
/// | int64       | int, int64_t, ...         | INTEGER              | int2, int4, int8   |
/// | real        | double                    | REAL                 | float8             |
/// | text        | std::string, string_view, described enum | TEXT  | text, varchar, enum, inet, ... |
/// | json        | Json                      | TEXT                 | jsonb              |
/// | bytes       | Bytes, span of bytes      | BLOB                 | bytea              |
/// | uuid        | Uuid, Id<Tag>             | BLOB of 16           | uuid               |
/// | instant     | Instant                   | INTEGER, microseconds| timestamptz        |
/// | int64_array | vector of int64_t         | TEXT, a JSON array   | int8[]             |
/// | text_array  | vector of std::string     | TEXT, a JSON array   | text[]             |
/// | uuid_array  | vector of Uuid or Id<Tag> | not possible (error) | uuid[]             |
/// | instant_array | vector of Instant       | TEXT, a JSON array   | timestamptz[]      |
///
/// Errors: none. Thread safety: values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/core/id.hpp"
#include "quarry/core/time.hpp"

namespace quarry {

using Bytes = std::vector<std::byte>;

/// JSON as text, where the database is to know that it is JSON. The library does not parse it on the way.
struct Json {
  std::string text;
  friend bool operator==(const Json&, const Json&) = default;
};

}  // namespace quarry

namespace quarry::sql {

enum class Kind : std::uint8_t {
  boolean,
  int64,
  real,
  text,
  json,
  bytes,
  uuid,
  instant,
  int64_array,
  text_array,
  uuid_array,
  instant_array,
};

struct Param {
  Kind kind = Kind::text;
  bool null = true;  ///< a null keeps its kind: PostgreSQL wants to know the type of every parameter
  union {
    std::int64_t integer;  ///< boolean, int64, instant
    double real;
    const void* data;  ///< everything else
  };
  std::size_t size = 0;  ///< bytes of text, json and bytes; elements of an array

  Param() : integer(0) {}
  /// A null of this kind.
  static Param make_null(Kind kind) {
    Param p;
    p.kind = kind;
    return p;
  }
  /// For boolean, int64 and instant.
  static Param make_integer(Kind kind, std::int64_t value) {
    Param p;
    p.kind = kind;
    p.null = false;
    p.integer = value;
    return p;
  }
  /// For real.
  static Param make_real(double value) {
    Param p;
    p.kind = Kind::real;
    p.null = false;
    p.real = value;
    return p;
  }
  /// For all the rest: `size` bytes, or elements of an array, at `data`.
  static Param make_view(Kind kind, const void* data, std::size_t size) {
    Param p;
    p.kind = kind;
    p.null = false;
    p.data = data;
    p.size = size;
    return p;
  }

  /// For text, json and bytes.
  std::string_view view() const { return {static_cast<const char*>(data), size}; }
  /// For uuid.
  const Uuid& uuid() const { return *static_cast<const Uuid*>(data); }
};

}  // namespace quarry::sql
