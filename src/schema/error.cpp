#include "quarry/schema/error.hpp"

#include <utility>

namespace quarry::schema {
namespace {

ErrorCode code_of(Reason reason) {
  switch (reason) {
    case Reason::not_initialised:
      return ErrorCode::not_found;
    case Reason::pending:
    case Reason::newer:
      return ErrorCode::conflict;
    case Reason::not_ours:
    case Reason::failed:
    case Reason::bad_set:
      return ErrorCode::invalid;
    case Reason::drift:
    case Reason::checksum:
      return ErrorCode::corrupt;
    case Reason::locked:
      return ErrorCode::busy;
    case Reason::data_loss:
      return ErrorCode::denied;
  }
  return ErrorCode::bug;
}

}  // namespace

std::string_view to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::not_initialised:
      return "not_initialised";
    case Reason::pending:
      return "pending";
    case Reason::newer:
      return "newer";
    case Reason::not_ours:
      return "not_ours";
    case Reason::drift:
      return "drift";
    case Reason::checksum:
      return "checksum";
    case Reason::locked:
      return "locked";
    case Reason::data_loss:
      return "data_loss";
    case Reason::failed:
      return "failed";
    case Reason::bad_set:
      return "bad_set";
  }
  return "failed";
}

int exit_code(Reason reason) noexcept {
  switch (reason) {
    case Reason::not_initialised:
    case Reason::pending:
      return 2;
    case Reason::drift:
      return 3;
    case Reason::checksum:
      return 4;
    case Reason::locked:
      return 5;
    default:
      return 1;
  }
}

MigrationError::MigrationError(Reason reason, std::string client_message, EngineDetail detail, std::source_location where)
    : Error(code_of(reason), std::move(client_message), std::move(detail), where), reason_(reason) {}

}  // namespace quarry::schema
