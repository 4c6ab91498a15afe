#include "quarry/backup/error.hpp"

#include <utility>

namespace quarry::backup {
namespace {

ErrorCode code_of(Damage damage) {
  if (damage == Damage::wrong_key) return ErrorCode::denied;
  return damage == Damage::newer_format ? ErrorCode::conflict : ErrorCode::corrupt;
}

}  // namespace

BackupError::BackupError(Damage damage, std::string client_message, std::source_location where)
    : Error(code_of(damage), std::move(client_message), {}, where), damage_(damage) {}

}  // namespace quarry::backup
