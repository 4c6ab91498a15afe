#include <fmt/format.h>

#include "ops/stats/tables.hpp"

namespace quarry::ops::stats {
namespace {

struct CatalogueRow {
  std::string name;
  std::int64_t rows;
  bool is_empty;
  std::int64_t bytes;
};
BOOST_DESCRIBE_STRUCT(CatalogueRow, (), (name, rows, is_empty, bytes))

/// Partitions are counted with their table. Live rows are what the statistics count; a server that has lost those (after a
/// crash) has still what the last analyze saw.
constexpr sql::Query<CatalogueRow()> catalogue{
    "stats.tables", sql::sqlite("select '' as name, 0 as rows, 0 as is_empty, 0 as bytes where 0"),
    sql::postgres("select coalesce(p.relname, c.relname)::text as name,"
                  " sum(case when pg_stat_get_live_tuples(c.oid) > 0 then pg_stat_get_live_tuples(c.oid)"
                  "          else greatest(c.reltuples, 0)::bigint end)::bigint as rows,"
                  " sum(pg_relation_size(c.oid)) = 0 as is_empty,"
                  " sum(pg_total_relation_size(c.oid))::bigint as bytes"
                  " from pg_class c left join pg_inherits i on i.inhrelid = c.oid and c.relispartition"
                  " left join pg_class p on p.oid = i.inhparent"
                  " where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace group by 1 order by 1")};

}  // namespace

std::int64_t count_rows(Read& tx, const std::string& table) {
  const auto text = fmt::format(R"(select count(*) from "{}")", table);
  return tx.value(sql::Query<std::int64_t()>("stats.count_rows", text));
}

std::vector<TableFigures> tables_of_postgres(Read& tx, bool exact) {
  std::vector<TableFigures> tables;
  for (auto& row : tx.all(catalogue)) {
    TableFigures table{.name = std::move(row.name), .rows = row.rows, .exactness = Exactness::estimate, .bytes = row.bytes};
    if (row.is_empty || exact) {
      table.rows = row.is_empty ? 0 : count_rows(tx, table.name);
      table.exactness = Exactness::exact;
    } else if (row.rows == 0) {
      table.exactness = Exactness::unknown;
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace quarry::ops::stats
