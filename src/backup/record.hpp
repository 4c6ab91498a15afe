#pragma once
/// Tells a database of its backups: see `LastVerified`.

#include <optional>
#include <string>
#include <string_view>

#include "quarry/backup/backup.hpp"

namespace quarry::backup {

/// What tells a database from others, wherever it lies and is restored to: the setting `backup.database`, made when it is
/// asked for first. Nothing when it was never made, and the database cannot be written to. Throws
/// `schema::MigrationError` unless the database is Quarry's.
std::optional<std::string> identity_of(std::string_view url);

void record_success(std::string_view url, const Summary& made);
void record_failure(std::string_view url, std::string_view why);

}  // namespace quarry::backup
