#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "schema/runner.hpp"

namespace quarry::schema {
namespace {

/// Whether the statements that `row` counts as done are still the first ones of `script`.
bool done_part_unchanged(const AppliedMigration& row, const Script& script) {
  boost::system::error_code failure;
  const auto parsed = boost::json::parse(row.statement_hashes.text, failure);
  if (failure || !parsed.is_array()) return false;
  const auto& hashes = parsed.get_array();
  const auto done = static_cast<std::size_t>(row.applied_count);
  if (done > hashes.size() || done > script.statements.size()) return false;
  for (std::size_t i = 0; i < done; ++i)
    if (!hashes[i].is_string() || hashes[i].get_string() != script.statements[i].hash) return false;
  return true;
}

Step resume(const AppliedMigration& row, const MigrationSet& set, Engine engine) {
  const Migration* migration = set.find(row.version);
  if (!migration)
    throw MigrationError(Reason::newer,
                         fmt::format("migration {} was interrupted, and this program does not know it: use the quarry "
                                     "that began it",
                                     label(row.version, row.name)));
  // Which script the row counts is told by its checksum; an up script may be mended behind what is done.
  const auto& down = migration->script(engine, Direction::down);
  const auto& up = migration->script(engine, Direction::up);
  const bool reverting = row.checksum == down.checksum && row.checksum != up.checksum;
  const Script& script = reverting ? down : up;
  if (!done_part_unchanged(row, script))
    throw MigrationError(
        Reason::checksum,
        fmt::format("migration {} was interrupted after statement {}, and one of the statements before that has been "
                    "edited since: restore {}",
                    migration->label(), row.applied_count, script.path));
  return {migration, reverting ? Direction::down : Direction::up, &script, row,
          true,      static_cast<std::size_t>(row.applied_count)};
}

}  // namespace

std::optional<Step> next_step(const StoredState& stored, const MigrationSet& set, Engine engine, std::int64_t target) {
  if (const auto* row = stored.interrupted()) return resume(*row, set, engine);
  const std::int64_t version = stored.version();
  if (version == target) return std::nullopt;
  const auto direction = version < target ? Direction::up : Direction::down;
  const Migration* migration = set.find(direction == Direction::up ? version + 1 : version);
  if (!migration) throw_bug("a migration between the state and the target is not in the set");
  Step step{migration, direction, &migration->script(engine, direction), std::nullopt, false, 0};
  if (direction == Direction::down) step.row = stored.rows.back();
  return step;
}

Moment Step::moment(Moment::What what, std::size_t index) const {
  return {what,
          migration->version,
          migration->name,
          direction,
          index,
          script->statements.size(),
          index < script->statements.size() ? std::string_view(script->statements[index].text) : std::string_view{}};
}

}  // namespace quarry::schema
