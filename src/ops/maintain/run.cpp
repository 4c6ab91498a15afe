#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "ops/maintain/leader.hpp"
#include "ops/maintain/state.hpp"
#include "ops/maintain/steps.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "quarry/system/audit.hpp"

namespace quarry::ops {
namespace {

using upkeep::Step;

struct StepEntry {
  MaintainStep step;
  void (*run)(Step&);
  bool retires;  ///< it takes rows away for good, which the audit log is told
};

/// The order matters: figures are drawn from tasks before those go, bodies are collected after what referred to them has
/// gone, and space is given back last.
constexpr std::array<StepEntry, 23> entries{{
    {{"audit-partitions", "make the audit log's next months (PostgreSQL)"}, upkeep::make_partitions, false},
    {{"audit-retire", "detach the months of the audit log that are old enough (PostgreSQL)"},
     upkeep::retire_partitions,
     false},
    {{"leases", "make due tasks ready, and take back those of workers that are gone"}, upkeep::end_leases, false},
    {{"job-timeouts", "give up jobs that take too long"}, upkeep::give_up_jobs, false},
    {{"reservations", "give back compute units that are reserved for nobody"}, upkeep::expire_reservations, false},
    {{"payments", "apply the payment provider's messages that wait or have failed"}, upkeep::apply_payments, false},
    {{"periods", "bring the allowance of users whose plan has ended to what they have now"}, upkeep::sync_periods, false},
    {{"analytics", "roll up the usage of each day"}, upkeep::roll_up_usage, false},
    {{"jobs", "purge ended jobs with all that is theirs"}, upkeep::purge_jobs, true},
    {{"tasks", "purge ended tasks"}, upkeep::purge_tasks, true},
    {{"logs", "purge the log lines of jobs"}, upkeep::purge_logs, true},
    {{"deleted-jobs", "purge jobs that were deleted long ago"}, upkeep::purge_deleted_jobs, true},
    {{"deleted-artifacts", "purge artifacts that were deleted long ago"}, upkeep::purge_deleted_artifacts, true},
    {{"deleted-users", "purge users that were deleted long ago, with all that is theirs"},
     upkeep::purge_deleted_users,
     true},
    {{"sessions", "purge sessions that have ended"}, upkeep::purge_sessions, true},
    {{"webhooks", "purge the payment provider's processed messages"}, upkeep::purge_webhooks, true},
    {{"limits", "forget rate limits that nobody asks for"}, upkeep::sweep_limits, false},
    {{"cache", "remove what has expired, and keep the cache within its budget"}, upkeep::trim_cache, false},
    {{"bodies", "collect the bodies that nothing refers to"}, upkeep::collect_bodies, false},
    {{"statistics", "tell the planner what the tables look like"}, upkeep::refresh_statistics, false},
    {{"autovacuum", "set the hot tables' autovacuum to what the schema says (PostgreSQL)"}, upkeep::set_autovacuum, false},
    {{"indexes", "drop what failed rebuilds have left, and rebuild bloated indexes (PostgreSQL)"},
     upkeep::rebuild_indexes,
     false},
    {{"vacuum", "give free space back"}, upkeep::give_back_space, false},
}};
/// Last of all, also of what the audit entry has written.
constexpr StepEntry checkpoint{
    {"checkpoint", "write the write-ahead log back into the file (SQLite)"}, upkeep::checkpoint_wal, false};

constexpr auto described = [] {
  std::array<MaintainStep, entries.size() + 1> steps{};
  for (std::size_t i = 0; i < entries.size(); ++i) steps[i] = entries[i].step;
  steps.back() = checkpoint.step;
  return steps;
}();

void check_options(const MaintainOptions& options) {
  if (options.rows_per_transaction < 1 || options.rows_per_transaction > 1'000)
    throw_invalid("1 to 1000 rows may be taken in one transaction");
  for (const auto& name : options.only)
    if (std::ranges::none_of(described, [&](const auto& step) { return step.name == name; })) {
      std::vector<std::string_view> names;
      for (const auto& step : described) names.push_back(step.name);
      throw_invalid(fmt::format("there is no step '{}': {}", name, fmt::join(names, ", ")));
    }
}

std::string remedy_for(const StepReport& report, ErrorCode code) {
  const auto again = fmt::format("`quarry maintain --only {}`", report.step);
  switch (code) {
    case ErrorCode::denied:
      return fmt::format("run {} as the owner of the tables: the role that ran `quarry migrate up`", again);
    case ErrorCode::busy:
    case ErrorCode::timeout:
    case ErrorCode::conflict:
      return fmt::format("somebody holds what it needs: run {} when that has ended", again);
    case ErrorCode::unavailable:
      return fmt::format("see that the database and the folder of the bodies can be reached and written, then run {}",
                         again);
    case ErrorCode::invalid:
      return fmt::format("correct the setting that the message names (`quarry setting set`), then run {}", again);
    case ErrorCode::corrupt:
      return "do what the message says; `quarry artifact fsck` and `quarry validate` tell more";
    case ErrorCode::constraint:
    case ErrorCode::not_found:
    case ErrorCode::bug:
      break;
  }
  return fmt::format("compare the schema (`quarry validate`); if that is clean, report it with the output of {}", again);
}

class Run {
 public:
  Run(const Database& db, artifacts::BlobStore* blobs, const MaintainOptions& options)
      : db_(db), blobs_(blobs), options_(options) {
    report_.dry_run = options.dry_run;
  }

  MaintainReport all() {
    if (!options_.dry_run) {
      std::string holder;
      leader_ = upkeep::take_lead(db_, holder);
      if (!leader_) {
        report_.led = false;
        report_.leader = holder;
        return std::move(report_);
      }
    }
    for (const auto& entry : entries) run(entry);
    if (!options_.dry_run) note_the_run();
    run(checkpoint);
    return std::move(report_);
  }

 private:
  void run(const StepEntry& entry) {
    if (!options_.only.empty() && std::ranges::find(options_.only, entry.step.name) == options_.only.end()) return;
    auto& report = report_.steps.emplace_back();
    report.step = entry.step.name;
    const auto begin = std::chrono::steady_clock::now();
    attempt(entry, report);
    report.duration_us =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin).count();
    if (report.outcome == StepOutcome::failed) ++report_.failed;
  }

  void attempt(const StepEntry& entry, StepReport& report) {
    const auto fail = [&](std::string message, ErrorCode code) {
      report.outcome = StepOutcome::failed;
      report.message = std::move(message);
      report.remedy = remedy_for(report, code);
    };
    try {
      if (options_.stop.stop_requested()) throw upkeep::Stopped{};
      if (options_.progress) options_.progress(entry.step.name);
      if (leader_ && !leader_->still_leads())
        throw Error(ErrorCode::unavailable, "the connection that keeps others from maintaining at the same time was lost");
      Step step(db_, blobs_, options_, report);
      entry.run(step);
    } catch (const upkeep::Stopped&) {
      report.outcome = StepOutcome::stopped;
    } catch (const Error& error) {
      fail(error.client_message(), error.code());
    } catch (const std::exception& error) {
      fail(error.what(), ErrorCode::bug);
    }
  }

  bool was_stopped() const {
    return std::ranges::any_of(report_.steps, [](const auto& step) { return step.outcome == StepOutcome::stopped; });
  }

  /// What was taken away, into the audit log; and when the whole of it was done.
  void note_the_run() {
    std::string retired;
    for (const auto& step : report_.steps) {
      const auto* entry = std::ranges::find(entries, step.step, [](const auto& e) { return e.step.name; });
      if (entry == entries.end() || !entry->retires) continue;
      std::string figures;
      for (const auto& figure : step.figures)
        figures += fmt::format("{}\"{}\":{}", figures.empty() ? "" : ",", figure.what, figure.count);
      if (!figures.empty()) retired += fmt::format("{}\"{}\":{{{}}}", retired.empty() ? "" : ",", step.step, figures);
    }
    const bool is_whole = options_.only.empty() && !was_stopped();
    if (retired.empty() && !is_whole) return;
    try {
      db_.write([&](Write& tx) {
        if (is_whole) upkeep::write_state(tx, {.finished_at = tx.now(), .rolled_up_until = {}});
        if (!retired.empty()) system::audit(tx, {.action = "maintain.retire", .details = Json{"{" + retired + "}"}});
      });
    } catch (const Error& error) {
      auto& report = report_.steps.emplace_back();
      report.step = "record";
      report.outcome = StepOutcome::failed;
      report.message = error.client_message();
      report.remedy = "what the run took away could not be recorded in the audit log: see that the database can be written";
      ++report_.failed;
    }
  }

  const Database& db_;
  artifacts::BlobStore* blobs_;
  const MaintainOptions& options_;
  std::unique_ptr<upkeep::Leader> leader_;
  MaintainReport report_;
};

}  // namespace

std::span<const MaintainStep> maintain_steps() noexcept { return described; }

MaintainReport maintain(const Database& db, artifacts::BlobStore* blobs, const MaintainOptions& options) {
  check_options(options);
  return Run(db, blobs, options).all();
}

std::optional<Instant> last_maintained(Read& tx) { return upkeep::read_state(tx).finished_at; }

}  // namespace quarry::ops
