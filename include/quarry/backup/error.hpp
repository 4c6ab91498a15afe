#pragma once
/// What can be wrong with a backup, told apart so that a program and its user know what to do.
///
/// Whatever it is, nothing has been restored: parts are authenticated before they are believed, and a database is put in its
/// place only when it is whole.

#include <boost/describe/enum.hpp>
#include <source_location>
#include <string>

#include "quarry/core/error.hpp"

namespace quarry::backup {

enum class Damage {
  changed,       ///< bytes were altered, if only one bit
  cut,           ///< the end is missing
  swapped,       ///< a part of another backup, or of another kind, lies under this name
  missing,       ///< a part is not there
  wrong_key,     ///< sealed with another key than the one given
  newer_format,  ///< made by a later version of the program
  differs,       ///< restored, it was not what had been backed up: schema, rows or contents
};
BOOST_DESCRIBE_ENUM(Damage, changed, cut, swapped, missing, wrong_key, newer_format, differs)

/// `corrupt`, but for `wrong_key` (`denied`) and `newer_format` (`conflict`).
class BackupError : public Error {
 public:
  BackupError(Damage damage, std::string client_message, std::source_location where = std::source_location::current());
  Damage damage() const noexcept { return damage_; }

 private:
  Damage damage_;
};

}  // namespace quarry::backup
