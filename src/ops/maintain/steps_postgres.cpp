/// Autovacuum of the hot tables: as the schema says, whatever somebody has tried out in the meantime.

#include <fmt/format.h>

#include <array>

#include "ops/maintain/steps.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::ops::upkeep {
namespace {

struct WantedOption {
  std::string_view table;
  std::string_view option;
  std::string_view value;
};
/// As in schema/postgres.sql; a test compares the two.
constexpr std::array<WantedOption, 19> wanted_options{{
    {"queue_counts", "autovacuum_vacuum_scale_factor", "0"},
    {"queue_counts", "autovacuum_vacuum_threshold", "500"},
    {"queue_counts", "autovacuum_analyze_scale_factor", "0"},
    {"queue_counts", "autovacuum_analyze_threshold", "10000"},
    {"queue_counts", "autovacuum_vacuum_cost_limit", "2000"},
    {"job_totals", "autovacuum_vacuum_scale_factor", "0"},
    {"job_totals", "autovacuum_vacuum_threshold", "500"},
    {"job_totals", "autovacuum_analyze_scale_factor", "0"},
    {"job_totals", "autovacuum_analyze_threshold", "10000"},
    {"job_totals", "autovacuum_vacuum_cost_limit", "2000"},
    {"hosts", "autovacuum_vacuum_scale_factor", "0.02"},
    {"hosts", "autovacuum_vacuum_threshold", "500"},
    {"hosts", "autovacuum_analyze_scale_factor", "0.05"},
    {"hosts", "autovacuum_vacuum_cost_limit", "2000"},
    {"task_queue", "autovacuum_vacuum_scale_factor", "0.01"},
    {"task_queue", "autovacuum_vacuum_threshold", "1000"},
    {"task_queue", "autovacuum_vacuum_insert_scale_factor", "0.05"},
    {"task_queue", "autovacuum_analyze_scale_factor", "0.02"},
    {"task_queue", "autovacuum_vacuum_cost_limit", "2000"},
}};

struct StoredOption {
  std::string table;
  std::string option;
  std::string value;
};
BOOST_DESCRIBE_STRUCT(StoredOption, (), (table, option, value))
constexpr sql::Query<StoredOption()> stored_options{
    "maintain.table_options", sql::sqlite("select '' as \"table\", '' as option, '' as value where false"),
    sql::postgres("select c.relname::text as \"table\", o.option_name as option, o.option_value as value from pg_class c"
                  " cross join lateral pg_options_to_table(c.reloptions) o"
                  " where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'"
                  " and o.option_name like 'autovacuum%' order by 1, 2")};
constexpr sql::Query<bool()> autovacuum_runs{
    "maintain.autovacuum_runs", sql::sqlite("select 1"),
    sql::postgres("select current_setting('autovacuum')::boolean and current_setting('track_counts')::boolean")};

const WantedOption* wanted(const StoredOption& stored) {
  for (const auto& option : wanted_options)
    if (option.table == stored.table && option.option == stored.option) return &option;
  return nullptr;
}

void alter(Step& step, std::string_view table, std::string_view change) {
  step.count("options", 1);
  if (step.dry_run()) return;
  const auto text = fmt::format("set local lock_timeout = '2s'; alter table {} {}", table, change);
  step.transaction([&](Write& tx) {
    tx.session().run_script("maintain.set_autovacuum", text);
    return 0;
  });
}

}  // namespace

void set_autovacuum(Step& step) {
  if (step.is_sqlite()) return step.skip("SQLite has no autovacuum process");
  const auto stored = step.db().read([](Read& tx) { return tx.all(stored_options); });
  for (const auto& option : stored)
    if (option.option == "autovacuum_enabled" && option.value != "true" && option.value != "on")
      alter(step, option.table, "reset (autovacuum_enabled)");
  for (const auto& option : wanted_options) {
    bool is_right = false;
    for (const auto& have : stored) is_right |= wanted(have) == &option && have.value == option.value;
    if (!is_right) alter(step, option.table, fmt::format("set ({} = {})", option.option, option.value));
  }
  if (!step.look(autovacuum_runs))
    step.say("the server's autovacuum is switched off: set autovacuum = on and track_counts = on in its configuration");
}

}  // namespace quarry::ops::upkeep
