/// What the planner knows, and the space of what is gone.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "ops/maintain/steps.hpp"
#include "quarry/core/error.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::ops::upkeep {
namespace {

// ---- SQLite

constexpr sql::Query<std::int64_t()> page_size{"maintain.page_size", sql::sqlite("select page_size from pragma_page_size"),
                                               sql::postgres("select 0::bigint")};
constexpr sql::Query<std::int64_t()> page_count{
    "maintain.page_count", sql::sqlite("select page_count from pragma_page_count"), sql::postgres("select 0::bigint")};
constexpr sql::Query<std::int64_t()> free_pages{"maintain.free_pages",
                                                sql::sqlite("select freelist_count from pragma_freelist_count"),
                                                sql::postgres("select 0::bigint")};
constexpr sql::Query<std::int64_t()> auto_vacuum{
    "maintain.auto_vacuum", sql::sqlite("select auto_vacuum from pragma_auto_vacuum"), sql::postgres("select 0::bigint")};
constexpr sql::Query<std::string()> main_file{"maintain.main_file",
                                              sql::sqlite("select file from pragma_database_list where name = 'main'"),
                                              sql::postgres("select ''")};

/// Pages given back in one transaction: some milliseconds of work.
constexpr std::int64_t pages_at_once = 500;

void shrink_file(Step& step) {
  if (step.look(auto_vacuum) != 2)
    return step.skip(
        "the file was not made for incremental vacuum: stop all programs, and run `pragma auto_vacuum = "
        "incremental; vacuum` on it once");
  const auto bytes_per_page = step.look(page_size);
  const auto pages = step.look(page_count);
  const auto spare = step.look(free_pages);
  const auto percent = step.setting("maintain.vacuum_free_percent").value_or(20);
  const auto least = step.setting("maintain.vacuum_min_mb").value_or(4) * 1'048'576 / bytes_per_page;
  if (spare * 100 < pages * percent || spare <= least) return;
  // Some of it stays: the next rows take it.
  const auto give_back = spare - pages * percent / 400;
  if (step.dry_run()) return step.count("bytes given back", give_back * bytes_per_page);
  for (std::int64_t left = give_back; left > 0; left -= pages_at_once) {
    const auto begin = std::chrono::steady_clock::now();
    const auto now = std::min(left, pages_at_once);
    step.db().backend().run_outside_transaction("maintain.vacuum", fmt::format("pragma incremental_vacuum({})", now));
    step.count("bytes given back", now * bytes_per_page);
    step.rest(begin);
  }
}

// ---- PostgreSQL

struct Neglected {
  std::string name;
  std::int64_t dead;
};
BOOST_DESCRIBE_STRUCT(Neglected, (), (name, dead))
// Twice what should have made autovacuum come, as the table's own options have it.
constexpr sql::Query<Neglected()> neglected_tables{
    "maintain.neglected_tables", sql::sqlite("select '' as name, 0 as dead where false"),
    sql::postgres(
        "select quote_ident(s.relname) as name, s.n_dead_tup as dead from pg_stat_user_tables s"
        " join pg_class c on c.oid = s.relid"
        " cross join lateral (select"
        "  coalesce((select option_value::float8 from pg_options_to_table(c.reloptions)"
        "   where option_name = 'autovacuum_vacuum_threshold'),"
        "   current_setting('autovacuum_vacuum_threshold')::float8)"
        "  + coalesce((select option_value::float8 from pg_options_to_table(c.reloptions)"
        "   where option_name = 'autovacuum_vacuum_scale_factor'),"
        "   current_setting('autovacuum_vacuum_scale_factor')::float8) * greatest(c.reltuples, 0) as due) t"
        " where s.schemaname = current_schema() and c.relkind = 'r' and s.n_dead_tup > 2 * t.due and s.n_dead_tup > 10000"
        " and not exists (select from pg_stat_progress_vacuum p where p.relid = s.relid) order by s.n_dead_tup desc")};
constexpr sql::Query<std::string()> never_analyzed{
    "maintain.never_analyzed", sql::sqlite("select '' where false"),
    sql::postgres("select quote_ident(s.relname) from pg_stat_user_tables s join pg_class c on c.oid = s.relid"
                  " where s.schemaname = current_schema() and c.relkind = 'r' and s.last_analyze is null"
                  " and s.last_autoanalyze is null and pg_relation_size(s.relid) > 1048576 order by s.relname")};

void run_on_each(Step& step, const sql::Query<std::string()>& tables, std::string_view verb) {
  for (const auto& table : step.db().read([&](Read& tx) { return tx.all(tables); })) {
    const auto begin = std::chrono::steady_clock::now();
    if (!step.dry_run()) step.db().backend().run_outside_transaction("maintain.analyze", fmt::format("{} {}", verb, table));
    step.count("tables", 1);
    step.rest(begin);
  }
}

void vacuum_neglected(Step& step) {
  for (const auto& table : step.db().read([](Read& tx) { return tx.all(neglected_tables); })) {
    const auto begin = std::chrono::steady_clock::now();
    // What somebody else works on already is left to them.
    if (!step.dry_run())
      step.db().backend().run_outside_transaction("maintain.vacuum",
                                                  fmt::format("vacuum (skip_locked, analyze) {}", table.name));
    step.count("tables", 1);
    step.count("dead rows", table.dead);
    step.rest(begin);
  }
}

}  // namespace

void refresh_statistics(Step& step) {
  if (!step.is_sqlite()) return run_on_each(step, never_analyzed, "analyze");
  if (step.dry_run()) return step.say("`pragma optimize` decides by itself what there is to do");
  // Looks at some hundred rows of each index and no more (https://sqlite.org/lang_analyze.html, 4.1), so writers wait
  // for milliseconds.
  step.db().backend().run_outside_transaction("maintain.optimize", "pragma analysis_limit = 400; pragma optimize");
}

void give_back_space(Step& step) { step.is_sqlite() ? shrink_file(step) : vacuum_neglected(step); }

void checkpoint_wal(Step& step) {
  if (!step.is_sqlite()) return step.skip("PostgreSQL makes its own checkpoints");
  const auto file = step.db().read([](Read& tx) { return tx.one(main_file); }).value_or("");
  if (file.empty()) return step.skip("a database in memory has no write-ahead log");
  const auto wal_bytes = [&] {
    std::error_code absent;
    const auto size = std::filesystem::file_size(file + "-wal", absent);
    return absent ? std::int64_t{0} : static_cast<std::int64_t>(size);
  };
  const auto before = wal_bytes();
  if (before == 0) return;
  if (step.dry_run()) return step.count("bytes of the log", before);
  // First what can be done beside readers; then it insists for a moment, and leaves the rest to the next run.
  auto& backend = step.db().backend();
  backend.run_outside_transaction("maintain.checkpoint", "pragma wal_checkpoint(passive)");
  backend.run_outside_transaction("maintain.checkpoint", "pragma busy_timeout = 100; pragma wal_checkpoint(truncate)");
  step.count("bytes of the log", before - wal_bytes());
}

}  // namespace quarry::ops::upkeep
