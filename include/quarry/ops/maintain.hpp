#pragma once
/// What a database needs done from time to time, as a list of steps: partitions made ahead and retired, what is old enough
/// taken away, figures rolled up, space given back, indexes kept in shape.
///
///     artifacts::FileBlobStore blobs(folder);
///     const auto report = ops::maintain(db, &blobs);
///     for (const auto& step : report.steps) if (step.outcome == StepOutcome::failed) ...   // step.message, step.remedy
///
/// **Steps** are independent: one that fails is reported with its remedy, and the others go on. Each works in bounded
/// transactions with pauses between them, so that those who work meanwhile are not held up; a run that is killed leaves
/// what it has committed, and the next one goes on from there. How long things are kept are settings
/// (`maintain_settings.hpp`); nothing is deleted that no setting speaks of.
///
/// **One at a time**: a run leads, by an advisory lock on PostgreSQL and by a locked file beside the database on SQLite
/// (`FILE-maintain`), both of which end with the process. Who finds another leading does nothing, and is told who it is. A
/// dry run changes nothing, needs no leadership, and counts what would be done.
///
/// **Who may**: it acts as the system. On PostgreSQL the steps that change tables (partitions, storage options, indexes)
/// want the owner of the tables; as somebody else they fail with `denied`, and the rest is done.
///
/// Errors: `invalid` for a step that does not exist. What goes wrong in a step is in the report. Thread safety: may be
/// called by any number at once; one of them leads.

#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/artifacts/blob_store.hpp"
#include "quarry/sql/database.hpp"
#include "quarry/system/key_ring.hpp"

namespace quarry::ops {

struct MaintainStep {
  std::string_view name;  ///< `deleted-users`
  std::string_view what;  ///< in words
};
/// In the order in which they run. What is there for one engine only is skipped on the other.
std::span<const MaintainStep> maintain_steps() noexcept;

enum class StepOutcome {
  done,     ///< something was changed; in a dry run: would be
  nothing,  ///< all was well
  skipped,  ///< `message` says why: a setting, or the engine has no such thing
  failed,   ///< `message` and `remedy`
  stopped,  ///< it was asked to stop before or during this step; what it had committed stays
};
BOOST_DESCRIBE_ENUM(StepOutcome, done, nothing, skipped, failed, stopped)

struct StepFigure {
  std::string what;  ///< `jobs`, `bytes given back`
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(StepFigure, (), (what, count))

struct StepReport {
  std::string step;
  StepOutcome outcome = StepOutcome::nothing;
  std::vector<StepFigure> figures;  ///< without those that are 0
  std::optional<std::string> message;
  std::optional<std::string> remedy;
  std::int64_t duration_us = 0;
};
BOOST_DESCRIBE_STRUCT(StepReport, (), (step, outcome, figures, message, remedy, duration_us))

struct MaintainReport {
  bool dry_run = false;
  bool led = true;                    ///< false: another run leads, and nothing was done
  std::optional<std::string> leader;  ///< who that is, as far as one can tell
  std::vector<StepReport> steps;
  std::int64_t failed = 0;  ///< steps
};
BOOST_DESCRIBE_STRUCT(MaintainReport, (), (dry_run, led, leader, steps, failed))

struct MaintainOptions {
  bool dry_run = false;
  std::vector<std::string> only{};  ///< names of steps; none: all of them
  int rows_per_transaction = 500;   ///< 1 to 1000
  /// After each transaction it rests for as long as that took, up to this.
  std::chrono::milliseconds pause_max{100};
  const system::KeyRing* keys = nullptr;  ///< for messages that are encrypted; they wait without it
  std::stop_token stop{};
  /// Called before each step and after each transaction, with the step's name. What it throws ends the step as failed.
  std::function<void(std::string_view)> progress{};
};
/// `blobs` may be null where bodies cannot be reached: the step that collects them is skipped then.
MaintainReport maintain(const Database& db, artifacts::BlobStore* blobs, const MaintainOptions& options = {});

/// When the last whole run ended, of any program.
std::optional<Instant> last_maintained(Read& tx);

/// Jobs that have run longer than they may: `default_job_timeout` seconds, or what the job's own configuration
/// `timeout_seconds` says (0: as long as it likes). They are cancelled, and say why. Time in which a job was paused counts,
/// but a paused job is left alone. Returns how many; the step `job-timeouts` does this, and `quarry work` more often.
std::int64_t give_up_overdue_jobs(const Database& db, int rows_per_transaction = 500);

}  // namespace quarry::ops
