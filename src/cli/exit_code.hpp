#pragma once
/// Every exit code of the program, and the one place that says which trouble ends with which. `docs/exit-codes.md` tells
/// users the same; the numbers do not change. From 64 on they are those of sysexits(3) where it has one.

#include <boost/describe/enum.hpp>
#include <exception>
#include <string>

#include "quarry/core/error.hpp"

namespace quarry::cli {

enum class ExitCode : int {
  ok = 0,
  failed = 1,         ///< the work was done and its result is bad: a job failed, a migration's statement failed
  pending = 2,        ///< migrations wait, or the database is empty
  drift = 3,          ///< the schema is not what it should be
  checksum = 4,       ///< an applied migration was edited
  busy = 5,           ///< somebody else holds what is needed
  not_ours = 6,       ///< somebody else's database, or no database at all
  newer = 7,          ///< the database knows more migrations than this program
  degraded = 8,       ///< `health`: work can be done, and there are warnings
  not_ready = 9,      ///< `health`: no work can be done
  usage = 64,         ///< EX_USAGE: the command line, the config file or an input is wrong
  constraint = 65,    ///< EX_DATAERR: a rule of the schema refused it
  not_found = 66,     ///< EX_NOINPUT: what was named does not exist
  unavailable = 69,   ///< EX_UNAVAILABLE: a server, a file or a host cannot be reached
  bug = 70,           ///< EX_SOFTWARE: report it
  no_directory = 73,  ///< EX_CANTCREAT: the directory for the database does not exist
  corrupt = 74,       ///< EX_IOERR: stored data contradicts itself
  again = 75,         ///< EX_TEMPFAIL: timed out, or lost against another; the same command may work now
  denied = 77,        ///< EX_NOPERM
  hung_up = 129,      ///< 128 + SIGHUP
  interrupted = 130,  ///< 128 + SIGINT
  terminated = 143,   ///< 128 + SIGTERM
};
BOOST_DESCRIBE_ENUM(ExitCode, ok, failed, pending, drift, checksum, busy, not_ours, newer, degraded, not_ready, usage,
                    constraint, not_found, unavailable, bug, no_directory, corrupt, again, denied, hung_up, interrupted,
                    terminated)

/// An error of the command line itself, which knows how the program ends.
class CommandError : public Error {
 public:
  CommandError(ExitCode exit_code, ErrorCode code, std::string client_message)
      : Error(code, std::move(client_message)), exit_code_(exit_code) {}
  ExitCode exit_code() const noexcept { return exit_code_; }

 private:
  ExitCode exit_code_;
};

ExitCode exit_code_of(const std::exception& error) noexcept;

}  // namespace quarry::cli
