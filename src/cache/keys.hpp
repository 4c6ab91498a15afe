#pragma once
/// What may be a key and a value, and the names that the cache keeps for itself.

#include <cstddef>
#include <string>
#include <string_view>

namespace quarry::cache {

/// Throws `invalid`: 1 to 255 characters, not beginning with `quarry.`.
void check_key(std::string_view key);
/// Whether the cache keeps something of its own there.
bool is_own_key(std::string_view key) noexcept;
/// Throws `invalid`: UTF-8 without zero bytes, of at most `bytes_max`.
void check_value(std::string_view value, std::size_t bytes_max);

/// A text behind every key that begins with `prefix`, and in front of every other one that is behind `prefix`.
std::string end_of_prefix(std::string_view prefix);

/// Where the right to compute `key` stands: a key of the cache's own, so that it needs no table and expires like everything
/// else. It tells the key, or its beginning and a hash where that would be too long.
std::string lease_key(std::string_view key);
/// What the lease keys of all keys begin with that begin with `prefix`; of some others too where the prefix is long.
std::string lease_prefix(std::string_view prefix);

}  // namespace quarry::cache
