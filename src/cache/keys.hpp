#pragma once
/// What may be a key and a value, and the names that the cache keeps for itself.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "quarry/sql/transaction.hpp"

namespace quarry::cache {

/// Throws `invalid`: 1 to 255 characters, not beginning with `quarry.`.
void check_key(std::string_view key);
/// Throws `invalid`: UTF-8 without zero bytes, of at most `bytes_max`.
void check_value(std::string_view value, std::size_t bytes_max);

/// The first text, by bytes, behind all that begin with `prefix`, which is not empty.
std::string end_of_prefix(std::string_view prefix);

/// The right to do something alone, under a key of the cache's own: taken when nobody has it or the time of whoever has it
/// is over.
bool take_own(Write& tx, std::string_view own_key, std::string_view holder, std::chrono::microseconds hold_max);
/// Gives it back, if it is still the holder's.
void release_own(Write& tx, std::string_view own_key, std::string_view holder);

/// Where the right to compute `key` stands: a key of the cache's own, so that it needs no table and expires like everything
/// else.
std::string lease_key(std::string_view key);

}  // namespace quarry::cache
