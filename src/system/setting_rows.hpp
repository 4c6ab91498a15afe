#pragma once
/// Rows of `system_config` as they stand there: a sensitive value is still sealed.

#include <optional>
#include <string>

#include "quarry/system/settings.hpp"

#define QUARRY_SETTING_COLUMNS "id, key, type, value, description, is_sensitive, key_id, created_at, updated_at"

namespace quarry::system {

/// The same members, but the value is what the table holds.
struct StoredSetting : Setting {};
BOOST_DESCRIBE_STRUCT(StoredSetting, (Setting), ())

std::optional<StoredSetting> find_stored(Read& tx, std::string_view key);

/// Throws `denied` for who may not see settings.
void require_system(const Actor& actor, std::string_view what);

}  // namespace quarry::system
