#include "quarry/ops/health.hpp"

#include <algorithm>
#include <array>

#include "ops/health/checks.hpp"

namespace quarry::ops {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

struct CheckEntry {
  HealthCheckInfo info;
  health::Findings (*run)(const health::Asked&);
  bool asks_database = true;
};

/// The first of them tells whether there is anybody to ask.
constexpr std::string_view schema_check = "schema";
constexpr std::array<CheckEntry, 12> entries{{
    {{"database", "it answers, and takes writes", 2s, true, {}}, health::check_database},
    {{schema_check, "it is the one that this program works with", 2s, true, {}}, health::check_schema},
    {{"engine", "known risks of the engine's version and settings", 1s, false, {}}, health::check_engine},
    {{"pool", "connections to be had", 1s, false, {}}, health::check_pool},
    {{"disk", "room for the database and the bodies", 2s, false, {}}, health::check_disk, false},
    {{"transaction-ids", "how far they are from running out", 1s, false, Engine::postgres}, health::check_transaction_ids},
    {{"replication", "the archived log, replicas and slots", 1s, false, Engine::postgres}, health::check_replication},
    {{"backup", "the age of the last verified one", 1s, false, {}}, health::check_backup},
    {{"tasks", "somebody works on what is due", 2s, false, {}}, health::check_tasks},
    {{"schedules", "somebody fires what is due", 1s, false, {}}, health::check_schedules},
    {{"webhooks", "payment events are applied", 1s, false, {}}, health::check_webhooks},
    {{"audit", "the links of the newest entries", 2s, false, {}}, health::check_audit},
}};

std::int64_t microseconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - begin).count();
}

HealthCheck failure(const CheckEntry& entry, std::chrono::milliseconds timeout, const Error& error) {
  return {.name = std::string(entry.info.name),
          .state = entry.info.decides_readiness ? CheckState::failed : CheckState::warning,
          .message = error.code() == ErrorCode::timeout ? fmt::format("no answer within {} ms", timeout.count())
                                                        : error.client_message(),
          .remedy = {}};
}

HealthCheck skipped(const CheckEntry& entry, std::string why) {
  return {.name = std::string(entry.info.name), .state = CheckState::skipped, .message = std::move(why), .remedy = {}};
}

struct Made {
  HealthCheck check;
  std::optional<ErrorCode> error;  ///< why it has no answer
};

Made run_check(const CheckEntry& entry, const Database& db, const HealthOptions& options) {
  const auto timeout = options.timeout.count() > 0 ? options.timeout : entry.info.timeout;
  const auto begin = SteadyClock::now();
  Made made;
  try {
    const auto found = entry.run({db, options, timeout});
    made.check = {
        .name = std::string(entry.info.name), .state = found.state(), .message = found.message(), .remedy = found.remedy()};
  } catch (const Error& error) {
    made = {failure(entry, timeout, error), error.code()};
  }
  made.check.duration_us = microseconds_since(begin);
  return made;
}

void check_names(const HealthOptions& options) {
  for (const auto& name : options.only)
    if (std::ranges::none_of(entries, [&](const auto& entry) { return entry.info.name == name; })) {
      std::string all;
      for (const auto& entry : entries) all += (all.empty() ? "" : ", ") + std::string(entry.info.name);
      throw_invalid(fmt::format("there is no check '{}'; there are {}", name, all));
    }
}

bool is_wanted(const CheckEntry& entry, Engine engine, const HealthOptions& options) {
  if (entry.info.only_on && *entry.info.only_on != engine) return false;
  return options.only.empty() || std::ranges::find(options.only, entry.info.name) != options.only.end();
}

void judge(HealthReport& report) {
  auto worst = CheckState::ok;
  for (const auto& check : report.checks)
    if (check.state != CheckState::skipped) worst = std::max(worst, check.state);
  report.ready = worst < CheckState::failed;
  report.state = !report.ready                  ? HealthState::not_ready
                 : worst == CheckState::warning ? HealthState::degraded
                                                : HealthState::ready;
}

}  // namespace

std::span<const HealthCheckInfo> health_checks() noexcept {
  static const auto infos = [] {
    std::array<HealthCheckInfo, entries.size()> made{};
    std::ranges::transform(entries, made.begin(), &CheckEntry::info);
    return made;
  }();
  return infos;
}

HealthReport check_health(const Database& db, const HealthOptions& options) {
  check_names(options);
  const auto begin = SteadyClock::now();
  HealthReport report{.engine = std::string(sql::to_string(db.engine())), .checked_at = db.now(), .checks = {}};
  // It is asked in any case: the others need not wait for what does not answer.
  const auto first = run_check(entries.front(), db, options);
  report.live = !first.error;
  bool is_our_schema = true;
  for (const auto& entry : entries) {
    if (!is_wanted(entry, db.engine(), options)) continue;
    if (&entry == &entries.front())
      report.checks.push_back(first.check);
    else if (!report.live && entry.asks_database)
      report.checks.push_back(skipped(entry, "the database does not answer"));
    else {
      const auto made = run_check(entry, db, options);
      if (entry.info.name == schema_check) is_our_schema = made.check.state != CheckState::failed;
      // What it would look at is not there, or is something else.
      const bool lost = !is_our_schema && made.error == ErrorCode::bug;
      report.checks.push_back(lost ? skipped(entry, "it needs the schema") : made.check);
    }
  }
  judge(report);
  report.ready = report.ready && first.check.state != CheckState::failed;
  if (!report.ready) report.state = HealthState::not_ready;
  report.duration_us = microseconds_since(begin);
  return report;
}

HealthReport unreachable(std::string_view engine, Instant now, const std::exception& error) {
  const auto* known = dynamic_cast<const Error*>(&error);
  HealthReport report{.state = HealthState::not_ready,
                      .live = false,
                      .ready = false,
                      .engine = std::string(engine),
                      .checked_at = now,
                      .checks = {}};
  report.checks.push_back({.name = std::string(entries.front().info.name),
                           .state = CheckState::failed,
                           .message = known ? known->client_message() : "something that should not happen has happened",
                           .remedy = {}});
  return report;
}

HealthMonitor::HealthMonitor(Database db, HealthOptions options, std::chrono::milliseconds max_age)
    : db_(std::move(db)), options_(std::move(options)), max_age_(max_age) {
  check_names(options_);
}

HealthReport HealthMonitor::report() {
  std::unique_lock lock(mutex_);
  const auto is_fresh = [&] { return last_ && SteadyClock::now() - made_at_ < max_age_; };
  if (is_making_) {
    made_.wait(lock, [&] { return !is_making_; });
    if (last_) return *last_;
  }
  if (is_fresh()) return *last_;
  is_making_ = true;
  lock.unlock();
  std::optional<HealthReport> report;
  try {
    report = check_health(db_, options_);
  } catch (...) {
    lock.lock();
    is_making_ = false;
    made_.notify_all();
    throw;
  }
  lock.lock();
  is_making_ = false;
  last_ = report;
  made_at_ = SteadyClock::now();
  made_.notify_all();
  return *last_;
}

}  // namespace quarry::ops
