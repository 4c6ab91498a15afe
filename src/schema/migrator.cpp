#include "quarry/schema/migrator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/core/log.hpp"
#include "quarry/schema/diff.hpp"
#include "schema/in_use.hpp"
#include "schema/runner.hpp"
#include "schema/scratch.hpp"

namespace quarry::schema {
namespace {

Status read_status(const Database& db, const MigrationSet& set) {
  const auto stored = db.read([](Read& tx) { return read_state(tx); });
  return judge(stored, set, db.engine(), db.display_url());
}

void check_target(const MigrationSet& set, std::int64_t version) {
  if (version < 0 || version > set.head())
    throw_invalid(fmt::format("there is no version {}: versions are 0 (an empty database) to {}", version, set.head()));
}

/// The postcondition: what is there is what the migrations make.
void verify(Runner& runner, const Database& db, const MigrationSet& set, std::int64_t version) {
  Model expected;
  try {
    expected = model_of_migrations(db, set, version);
  } catch (const Error& error) {
    if (error.sqlstate() != "42501") throw;
    log::warn("the schema was not verified: this role may not create a schema in the database to compare with");
    return;
  }
  auto live = runner.introspect_live();
  if (version == 0) {
    live = without_state_tables(std::move(live));
    expected = without_state_tables(std::move(expected));
  }
  allow_for_use(live, expected);
  const auto differences = compare(live, expected);
  if (differences.empty()) return;
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(differences.size(), 5); ++i) list += "\n  " + to_text(differences[i]);
  if (differences.size() > 5) list += fmt::format("\n  and {} more", differences.size() - 5);
  throw MigrationError(
      Reason::drift,
      "the migrations are applied, but the schema is not what they make; somebody changed it by hand:" + list);
}

std::vector<AppliedStep> migrate(const Database& db, const MigrationSet& set, const MigrateOptions& options,
                                 const std::function<std::int64_t(std::int64_t)>& target_from) {
  const auto before = read_status(db, set);
  refuse_unless_usable(before, true);
  check_target(set, target_from(before.version));
  if (!before.interrupted && before.version == target_from(before.version)) return {};
  Runner runner(db, set, options);
  const auto target = target_from(runner.usable_status().version);
  check_target(set, target);
  auto steps = runner.run(target);
  if (options.verify && !steps.empty()) verify(runner, db, set, target);
  return steps;
}

}  // namespace

Status status(const Database& db, const MigrationSet& set) { return read_status(db, set); }

void check(const Database& db, const MigrationSet& set) { refuse_unless_usable(read_status(db, set), false); }

std::vector<LogEntry> history(const Database& db) {
  return db.read([](Read& tx) { return has_state_tables(tx) ? read_log(tx) : std::vector<LogEntry>{}; });
}

std::vector<PlannedStep> plan(const Database& db, const MigrationSet& set, std::int64_t version) {
  check_target(set, version);
  auto stored = db.read([](Read& tx) { return read_state(tx); });
  refuse_unless_usable(judge(stored, set, db.engine(), db.display_url()), true);
  std::vector<PlannedStep> steps;
  while (const auto step = next_step(stored, set, db.engine(), version)) {
    const Script& script = *step->script;
    PlannedStep planned{step->migration->version, step->migration->name, step->direction, script.path, script.no_transaction,
                        script.destructive,       script.rebuild,        step->first,     {}};
    for (std::size_t i = step->first; i < script.statements.size(); ++i)
      planned.statements.push_back(script.statements[i].text);
    steps.push_back(std::move(planned));
    // The state as it will be then.
    if (step->row) stored.rows.pop_back();
    if (step->direction == Direction::down) continue;
    auto row = new_row(*step->migration, script, {});
    row.finished_at = Instant{};
    stored.rows.push_back(std::move(row));
  }
  return steps;
}

std::vector<AppliedStep> migrate_up(const Database& db, const MigrationSet& set, const MigrateOptions& options) {
  return migrate(db, set, options, [&](std::int64_t) { return set.head(); });
}

std::vector<AppliedStep> migrate_down(const Database& db, const MigrationSet& set, std::int64_t steps,
                                      const MigrateOptions& options) {
  if (steps < 1) throw_invalid(fmt::format("{} is no number of migrations to undo: it is at least 1", steps));
  return migrate(db, set, options, [&](std::int64_t version) { return std::max<std::int64_t>(version - steps, 0); });
}

std::vector<AppliedStep> migrate_to(const Database& db, const MigrationSet& set, std::int64_t version,
                                    const MigrateOptions& options) {
  return migrate(db, set, options, [&](std::int64_t) { return version; });
}

}  // namespace quarry::schema
