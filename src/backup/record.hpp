#pragma once
/// Tells a database of its backups: see `LastVerified`.

#include <string_view>

#include "quarry/backup/backup.hpp"

namespace quarry::backup {

void record_success(std::string_view url, const Summary& made);
void record_failure(std::string_view url, std::string_view why);

}  // namespace quarry::backup
