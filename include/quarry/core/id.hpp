#pragma once
/// Identifiers: UUID version 7 (RFC 9562), made by the library so that inserts stay local in the index.
///
/// A `Uuid` is 16 bytes: a BLOB in SQLite, `uuid` in PostgreSQL, 36 characters in text and JSON. `Id<Tag>` gives each table
/// its own type, so that a job's id cannot be passed where a user's is wanted.
///
/// Errors: `invalid` for a text that is no UUID.

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "quarry/core/random.hpp"
#include "quarry/core/time.hpp"

namespace quarry {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
  bool is_nil() const noexcept { return *this == Uuid{}; }
};

/// 8-4-4-4-12, lower case.
std::string to_string(const Uuid& id);

/// Accepts the 36-character form in either case. Throws `invalid` and names the text.
Uuid parse_uuid(std::string_view text);

/// Time-ordered: 48 bits of milliseconds, 12 bits of microseconds within them (RFC 9562, method 3), 62 random bits.
/// Ids made within one microsecond are unordered among themselves.
Uuid make_uuid_v7(Instant now, Random& random);

template <class Tag>
struct Id {
  Uuid value;

  friend auto operator<=>(const Id&, const Id&) = default;
  bool is_nil() const noexcept { return value.is_nil(); }
};

/// 8-4-4-4-12, lower case.
template <class Tag>
std::string to_string(const Id<Tag>& id) {
  return to_string(id.value);
}

using UserId = Id<struct UserTag>;
using JobId = Id<struct JobTag>;
using SearchId = Id<struct SearchTag>;
using ArtifactId = Id<struct ArtifactTag>;

/// The queue's keys are small integers given by the engine: they are compared and joined far more often than shown.
using TaskId = std::int64_t;

}  // namespace quarry

/// @cond
template <>
struct std::hash<quarry::Uuid> {
  std::size_t operator()(const quarry::Uuid& id) const noexcept {
    // The last eight bytes are random in version 7, so they are their own hash.
    std::size_t value = 0;
    for (int i = 8; i < 16; ++i) value = value << 8 | id.bytes[static_cast<std::size_t>(i)];
    return value;
  }
};

template <class Tag>
struct std::hash<quarry::Id<Tag>> {
  std::size_t operator()(const quarry::Id<Tag>& id) const noexcept { return std::hash<quarry::Uuid>{}(id.value); }
};
/// @endcond
