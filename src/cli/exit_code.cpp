#include "cli/exit_code.hpp"

#include "quarry/schema/error.hpp"

namespace quarry::cli {
namespace {

ExitCode of(schema::Reason reason) noexcept {
  switch (reason) {
    case schema::Reason::not_initialised:
    case schema::Reason::pending:
      return ExitCode::pending;
    case schema::Reason::drift:
      return ExitCode::drift;
    case schema::Reason::checksum:
      return ExitCode::checksum;
    case schema::Reason::locked:
      return ExitCode::busy;
    case schema::Reason::not_ours:
      return ExitCode::not_ours;
    case schema::Reason::newer:
      return ExitCode::newer;
    case schema::Reason::data_loss:
      return ExitCode::denied;
    case schema::Reason::bad_set:
      return ExitCode::usage;
    case schema::Reason::failed:
      return ExitCode::failed;
  }
  return ExitCode::bug;
}

ExitCode of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::unavailable:
      return ExitCode::unavailable;
    case ErrorCode::timeout:
    case ErrorCode::conflict:
      return ExitCode::again;
    case ErrorCode::busy:
      return ExitCode::busy;
    case ErrorCode::constraint:
      return ExitCode::constraint;
    case ErrorCode::not_found:
      return ExitCode::not_found;
    case ErrorCode::invalid:
      return ExitCode::usage;
    case ErrorCode::denied:
      return ExitCode::denied;
    case ErrorCode::corrupt:
      return ExitCode::corrupt;
    case ErrorCode::bug:
      return ExitCode::bug;
  }
  return ExitCode::bug;
}

}  // namespace

ExitCode exit_code_of(const std::exception& error) noexcept {
  if (const auto* command = dynamic_cast<const CommandError*>(&error)) return command->exit_code();
  if (const auto* migration = dynamic_cast<const schema::MigrationError*>(&error)) return of(migration->reason());
  if (const auto* known = dynamic_cast<const Error*>(&error)) return of(known->code());
  return ExitCode::bug;
}

}  // namespace quarry::cli
