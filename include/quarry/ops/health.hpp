#pragma once
/// Can this database be worked with, and will that last? A list of checks, each with a timeout of its own.
///
///     const auto report = ops::check_health(db, {.blobs = folder});
///     if (report.state != HealthState::ready) for (const auto& check : report.checks) ...     // check.message,
///     check.remedy
///
/// **Live** means that the database answers. **Ready** means that work can be done: it answers and takes writes, its schema
/// is the program's, there are connections to be had and there is room on the disk. **Degraded** is ready with a warning:
/// something will go wrong, or somebody waits for something that does not happen. A notice is worth knowing and nothing
/// more, such as a fault of the engine that Quarry works around.
///
/// Every check is bounded work, whatever the tables hold: it looks at counters and at the ends of indexes, and counts to a
/// thousand at most. What does not answer within its timeout is reported as that, and the others go on; when the database
/// does not answer at all, those that would ask it are skipped, and so are those that lack a table where the schema is not
/// the program's.
///
/// Messages hold names of queues, sizes and times; no row data, no secrets. Times are UTC.
///
/// Errors: `invalid` for the name of a check that does not exist. All other trouble is in the report. Thread safety: all
/// functions, and all of `HealthMonitor`.

#include <boost/describe.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/sql/database.hpp"

namespace quarry::ops {

enum class CheckState {
  ok,
  notice,   ///< worth knowing; nothing need be done at once
  warning,  ///< something to be done
  failed,   ///< no work can be done
  skipped,  ///< could not be asked: the database does not answer, or has not the tables
};
BOOST_DESCRIBE_ENUM(CheckState, ok, notice, warning, failed, skipped)

enum class HealthState {
  ready,      ///< no warning
  degraded,   ///< ready, with warnings
  not_ready,  ///< a check has failed
};
BOOST_DESCRIBE_ENUM(HealthState, ready, degraded, not_ready)

struct HealthCheck {
  std::string name;  ///< one of `health_checks()`
  CheckState state = CheckState::ok;
  std::string message;                ///< what was found, in words
  std::optional<std::string> remedy;  ///< what to do about the worst of it
  std::int64_t duration_us = 0;
};
BOOST_DESCRIBE_STRUCT(HealthCheck, (), (name, state, message, remedy, duration_us))

struct HealthReport {
  HealthState state = HealthState::ready;
  bool live = true;
  bool ready = true;
  std::string engine;  ///< `sqlite` or `postgresql`
  Instant checked_at;
  std::int64_t duration_us = 0;
  std::vector<HealthCheck> checks;
};
BOOST_DESCRIBE_STRUCT(HealthReport, (), (state, live, ready, engine, checked_at, duration_us, checks))

/// What there is to check.
struct HealthCheckInfo {
  std::string_view name;
  std::string_view what;              ///< in words
  std::chrono::milliseconds timeout;  ///< unless `HealthOptions` says another
  bool decides_readiness = false;     ///< no answer in time is a failure, and no mere warning
  std::optional<Engine> only_on{};    ///< nothing: on both engines
};
/// In the order in which they are made.
std::span<const HealthCheckInfo> health_checks() noexcept;

struct HealthOptions {
  std::filesystem::path blobs{};         ///< the folder of the bodies; empty: there is none to look at
  std::chrono::milliseconds timeout{0};  ///< of every check; 0: its own
  std::vector<std::string> only{};       ///< names of checks; none: all of them
  /// How long a task, a lease or a schedule may be overdue before somebody should look.
  std::chrono::microseconds stuck_after{std::chrono::minutes(5)};
};

/// All checks, one after the other, on the calling thread.
HealthReport check_health(const Database& db, const HealthOptions& options = {});

/// The report on a database that could not even be opened, for the reason that `error` gives to clients.
HealthReport unreachable(std::string_view engine, Instant now, const std::exception& error);

/// The last report, made again when it is older than `max_age`: so that those who ask often cost the database nothing. While
/// one thread asks, the others wait for its answer.
class HealthMonitor {
 public:
  explicit HealthMonitor(Database db, HealthOptions options = {},
                         std::chrono::milliseconds max_age = std::chrono::seconds(5));
  /// What was found last, at most `max_age` ago. Throws what `check_health` throws.
  HealthReport report();

 private:
  const Database db_;
  const HealthOptions options_;
  const std::chrono::milliseconds max_age_;
  std::mutex mutex_;
  std::condition_variable made_;
  bool is_making_ = false;  // guarded by mutex_, as all below
  std::optional<HealthReport> last_;
  std::chrono::steady_clock::time_point made_at_{};
};

}  // namespace quarry::ops
