#pragma once
/// What can be wrong with a schema, told apart so that a program can act on it and a command line can end with the right
/// code.
///
/// Errors of the functions here: none.

#include <string>
#include <string_view>

#include "quarry/core/error.hpp"

namespace quarry::schema {

enum class Reason {
  not_initialised,  ///< the database is empty: `quarry init`
  pending,          ///< migrations wait to be applied: `quarry migrate up`
  newer,            ///< the database knows migrations that this program does not
  not_ours,         ///< the database belongs to somebody else
  drift,            ///< the schema is not what the migrations make
  checksum,         ///< an applied migration was edited, or is gone
  locked,           ///< another migrator, or somebody's transaction, held what is needed until the deadline
  data_loss,        ///< the step destroys data and nobody has allowed that
  failed,           ///< a statement of a migration failed
  bad_set,          ///< the migration files themselves are wrong
};

/// The name, as commands print it.
std::string_view to_string(Reason reason) noexcept;

/// 2 pending or not initialised, 3 drift, 4 checksum, 5 locked; 1 for the rest. 0 is for no error at all.
int exit_code(Reason reason) noexcept;

/// An `Error` with its reason. The message names the migration, the file and the line where there is one, and the remedy.
class MigrationError : public Error {
 public:
  MigrationError(Reason reason, std::string client_message, EngineDetail detail = {},
                 std::source_location where = std::source_location::current());
  Reason reason() const noexcept { return reason_; }

 private:
  Reason reason_;
};

}  // namespace quarry::schema
