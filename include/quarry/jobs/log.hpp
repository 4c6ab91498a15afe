#pragma once
/// What happened in a job, for its owner to read.
///
/// Errors: `not_found` (no such job for this actor), `invalid` (a limit out of bounds, metadata that is not JSON). Thread
/// safety: that of the transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/jobs/job.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::jobs {

enum class LogLevel { debug, info, warning, error };
BOOST_DESCRIBE_ENUM(LogLevel, debug, info, warning, error)

struct LogLine {
  std::int64_t id = 0;
  LogLevel level = LogLevel::info;
  std::string message;
  std::optional<Json> metadata;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(LogLine, (), (id, level, message, metadata, created_at))

struct NewLogLine {
  LogLevel level = LogLevel::info;
  std::string message{};  ///< cut at 10,000 bytes, at the end of a character
  std::optional<Json> metadata{};
};

/// Throws `not_found` for an unknown job.
void append_log(Write& tx, JobId job, std::span<const NewLogLine> lines);
/// One line.
void append_log(Write& tx, JobId job, const NewLogLine& line);

struct LogFilter {
  LogLevel at_least = LogLevel::debug;
  std::int64_t after = 0;  ///< lines with greater ids only: the last one seen, to follow a log
  int limit = 100;         ///< 1 to 10,000
  /// The newest `limit` lines instead of the oldest; still given oldest first.
  bool newest = false;
};
/// Oldest first. Ids grow in the order of writing; on PostgreSQL a line may become visible a little later than one with a
/// greater id.
std::vector<LogLine> list_log(Read& tx, JobId job, const LogFilter& filter = {});

}  // namespace quarry::jobs
