#pragma once
/// What both engines can store as text: UTF-8 (RFC 3629) without zero bytes. SQLite would take anything and PostgreSQL
/// refuse it late, so the stores look first.

#include <cstddef>
#include <string_view>

namespace quarry::artifacts {

/// Throws `invalid` and names the field when `text` cannot be stored.
void check_text(std::string_view field, std::string_view text);

/// The same for a name of 1 to `characters_max` characters.
void check_name(std::string_view field, std::string_view name, std::size_t characters_max);

}  // namespace quarry::artifacts
