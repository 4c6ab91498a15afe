#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schema/state.hpp"

namespace quarry::schema {
namespace {

/// An interrupted script may be edited behind the statements that are done, and a `down` under way has its own checksum.
bool is_edited(const AppliedMigration& row, const MigrationSet& set, Engine engine) {
  if (!row.finished_at || row.kind != "applied") return false;
  const Migration* migration = set.find(row.version);
  return migration && (migration->name != row.name || migration->script(engine, Direction::up).checksum != row.checksum);
}

std::string foreign_message(Engine engine, std::string_view url) {
  if (engine == Engine::sqlite)
    return fmt::format(
        "{} holds somebody else's tables: name another file. (If it was restored from a dump of a Quarry database, "
        "which loses the file's mark, run: PRAGMA application_id = {};)",
        url, application_id);
  return fmt::format(
      "{} holds somebody else's tables: name an empty database, or an empty schema by "
      "?options=-csearch_path%3Dname in the URL",
      url);
}

std::string behind_message(const Status& status) {
  if (status.interrupted)
    return fmt::format("migration {} was interrupted after statement {} of {}: run 'quarry migrate up' to go on",
                       label(status.interrupted->version, status.interrupted->name), status.interrupted->applied_count,
                       status.interrupted->statement_count);
  return fmt::format("the database is at version {:04} and this program wants {:04}: run 'quarry migrate up'",
                     status.version, status.head);
}

void judge_ours(Status& status, const StoredState& stored, const MigrationSet& set, Engine engine) {
  for (const auto& row : stored.rows)
    if (is_edited(row, set, engine)) status.edited.push_back(label(row.version, row.name));
  const std::int64_t highest = stored.rows.empty() ? 0 : stored.rows.back().version;
  if (highest > set.head()) {
    status.state = State::newer;
    status.message =
        fmt::format("the database has migration {}, and this program knows them up to {:04}: use a newer quarry",
                    label(highest, stored.rows.back().name), set.head());
  } else if (!status.edited.empty()) {
    status.state = State::edited;
    status.message = fmt::format(
        "migration {} was edited after it had been applied: restore its file, and put the change into a "
        "new migration",
        fmt::join(status.edited, ", "));
  } else if (status.version < set.head() || status.interrupted) {
    status.state = State::behind;
    status.message = behind_message(status);
  } else {
    status.state = State::current;
  }
}

}  // namespace

std::string_view to_string(State state) noexcept {
  switch (state) {
    case State::empty:
      return "empty";
    case State::current:
      return "current";
    case State::behind:
      return "behind";
    case State::newer:
      return "newer";
    case State::edited:
      return "edited";
    case State::foreign:
      return "foreign";
  }
  return "foreign";
}

Status judge(const StoredState& stored, const MigrationSet& set, Engine engine, std::string_view display_url) {
  Status status;
  status.applied = stored.rows;
  status.version = stored.version();
  status.head = set.head();
  if (const auto* row = stored.interrupted()) status.interrupted = *row;
  for (const auto& migration : set.migrations())
    if (migration.version > status.version) status.pending.push_back(migration.label());
  if (stored.ownership == Ownership::ours) {
    judge_ours(status, stored, set, engine);
  } else if (stored.ownership == Ownership::empty) {
    status.state = State::empty;
    status.message = fmt::format("{} is empty: run 'quarry init'", display_url);
  } else {
    status.state = State::foreign;
    status.message = foreign_message(engine, display_url);
  }
  return status;
}

void refuse_unless_usable(const Status& status, bool may_be_behind) {
  switch (status.state) {
    case State::current:
      return;
    case State::empty:
      if (!may_be_behind) throw MigrationError(Reason::not_initialised, status.message);
      return;
    case State::behind:
      if (!may_be_behind) throw MigrationError(Reason::pending, status.message);
      return;
    case State::newer:
      throw MigrationError(Reason::newer, status.message);
    case State::edited:
      throw MigrationError(Reason::checksum, status.message);
    case State::foreign:
      throw MigrationError(Reason::not_ours, status.message);
  }
}

}  // namespace quarry::schema
