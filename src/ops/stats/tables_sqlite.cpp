/// How large is a tree that nobody has counted? What its first pages show, multiplied.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "ops/stats/tables.hpp"

namespace quarry::ops::stats {
namespace {

/// Pages of a tree that are looked at: the way down to the first leaf, and leaves for an average.
constexpr int pages_looked_at = 24;
/// The same where large values lie in pages beside the leaves, which would crowd them out.
constexpr int pages_looked_at_beside = 512;
constexpr std::int64_t rows_counted = 1'000;

constexpr sql::Query<bool()> has_dbstat{
    "stats.has_dbstat",
    sql::sqlite("select exists (select 1 from pragma_compile_options where compile_options = 'ENABLE_DBSTAT_VTAB')"),
    sql::postgres("select false")};

struct Tree {
  std::string name;
  std::string table;
  bool is_index;
  bool is_partial;
  bool has_rowid;
};
BOOST_DESCRIBE_STRUCT(Tree, (), (name, table, is_index, is_partial, has_rowid))
constexpr sql::Query<Tree()> all_trees{
    "stats.trees",
    sql::sqlite("select name, tbl_name as \"table\", type = 'index' as is_index,"
                " type = 'index' and sql is not null and sql like '% where %' as is_partial,"
                " type = 'table' and sql not like '%without rowid%' as has_rowid"
                " from sqlite_schema where rootpage > 0 order by tbl_name, type desc, name"),
    sql::postgres("select '' as name, '' as table, false as is_index, false as is_partial, false as has_rowid where false")};

struct PageRow {
  std::string pagetype;
  std::int64_t ncell;
  std::int64_t pgsize;
};
BOOST_DESCRIBE_STRUCT(PageRow, (), (pagetype, ncell, pgsize))
constexpr sql::Query<PageRow(std::string_view, int)> first_pages{
    "stats.pages", sql::sqlite("select pagetype, ncell, pgsize from dbstat where name = $1 limit $2"),
    sql::postgres("select '' as pagetype, 0::bigint as ncell, 0::bigint as pgsize where $1 = '' and $2 < 0")};
constexpr sql::Query<std::int64_t(std::string_view)> all_bytes{
    "stats.tree_bytes", sql::sqlite("select coalesce(sum(pgsize), 0) from dbstat where name = $1 and aggregate = 1"),
    sql::postgres("select 0::bigint where $1 = ''")};

/// What the first pages say of a whole tree.
struct Shape {
  double entries = 0;
  double pages = 0;
  double entries_per_page = 0;  ///< of all pages, so that the one follows from the other
  std::int64_t page_bytes = 0;
  bool is_whole = true;  ///< all pages were seen
};

struct Sample {
  std::vector<PageRow> pages;
  bool is_whole = true;  ///< there are no others
};

Sample sample_of(Read& tx, const std::string& tree) {
  const auto look = [&](int most) {
    Sample sample{.pages = tx.all(first_pages, tree, most)};
    sample.is_whole = sample.pages.size() < static_cast<std::size_t>(most);
    return sample;
  };
  auto sample = look(pages_looked_at);
  const auto beside = std::ranges::count(sample.pages, "overflow", &PageRow::pagetype);
  if (sample.is_whole || 2 * static_cast<std::size_t>(beside) < sample.pages.size()) return sample;
  return look(pages_looked_at_beside);
}

/// `keeps_entries_above`: pages above the leaves hold entries too, as in an index; those of a table hold only signposts.
Shape shape_of(const Sample& sample, bool keeps_entries_above) {
  const auto& pages = sample.pages;
  Shape shape;
  shape.is_whole = sample.is_whole;
  double leaves = 0, leaf_entries = 0, beside = 0, above_entries = 0;
  double leaves_in_all = 1, above = 0;
  for (const auto& page : pages) {
    shape.page_bytes = page.pgsize;
    if (page.pagetype == "leaf") {
      ++leaves;
      leaf_entries += static_cast<double>(page.ncell);
    } else if (page.pagetype == "overflow") {
      ++beside;
    } else {
      above_entries += static_cast<double>(page.ncell);
      // On the way down to the first leaf: each page multiplies what is below.
      if (leaves == 0) {
        above += leaves_in_all;
        leaves_in_all *= static_cast<double>(page.ncell + 1);
      }
    }
  }
  if (shape.is_whole) {
    shape.pages = static_cast<double>(pages.size());
    shape.entries = leaf_entries + (keeps_entries_above ? above_entries : 0);
  } else {
    const double seen = std::max(leaves, 1.0);
    shape.pages = leaves_in_all * (1 + beside / seen) + above;
    shape.entries = leaves_in_all * leaf_entries / seen + (keeps_entries_above ? leaves_in_all - 1 : 0);
  }
  if (shape.pages > 0) shape.entries_per_page = shape.entries / shape.pages;
  return shape;
}

/// Rowids go up, so that there are never more rows than between the first and the last.
std::optional<std::int64_t> rows_that_rowids_allow(Read& tx, const std::string& table) {
  const auto text = fmt::format(R"(select (select max(rowid) from "{0}") - (select min(rowid) from "{0}") + 1)", table);
  return tx.value(sql::Query<std::optional<std::int64_t>()>("stats.rowids", text));
}

std::int64_t count_some(Read& tx, const std::string& table) {
  const auto text = fmt::format(R"(select count(*) from (select 1 from "{}" limit {}))", table, rows_counted + 1);
  return tx.value(sql::Query<std::int64_t()>("stats.count_some", text));
}

std::int64_t bytes_of(const Shape& shape, double pages) { return std::llround(std::max(pages, 1.0)) * shape.page_bytes; }

void add_table(Read& tx, const Tree& tree, TableFigures& table) {
  const auto shape = shape_of(sample_of(tx, tree.name), !tree.has_rowid);
  table.exactness = shape.is_whole ? Exactness::exact : Exactness::estimate;
  double rows = shape.entries;
  if (!shape.is_whole && tree.has_rowid)
    if (const auto most = rows_that_rowids_allow(tx, tree.name)) rows = std::min(rows, static_cast<double>(*most));
  table.rows = std::llround(rows);
  const double share = shape.entries > 0 ? rows / shape.entries : 1;
  table.bytes = bytes_of(shape, shape.pages * share);
}

void add_index(Read& tx, const Tree& tree, TableFigures& table) {
  const auto shape = shape_of(sample_of(tx, tree.name), true);
  double pages = shape.pages;
  // An index over all rows has as many entries as the table has rows, which are better known; one over some has at most
  // that.
  if (!shape.is_whole && shape.entries_per_page > 0 && table.rows > 0) {
    const double of_all = static_cast<double>(table.rows) / shape.entries_per_page;
    pages = tree.is_partial ? std::min(pages, of_all) : of_all;
  }
  *table.bytes += bytes_of(shape, pages);
}

void add_exactly(Read& tx, const Tree& tree, TableFigures& table, bool with_sizes) {
  if (!tree.is_index) table.rows = count_rows(tx, tree.name);
  if (with_sizes) table.bytes = table.bytes.value_or(0) + tx.value(all_bytes, tree.name);
}

}  // namespace

std::vector<TableFigures> tables_of_sqlite(Read& tx, bool exact) {
  constexpr std::string_view full_text = "artifacts_fts";
  const bool with_sizes = tx.value(has_dbstat);
  std::map<std::string, TableFigures> tables;
  std::int64_t full_text_bytes = 0;
  for (const auto& tree : tx.all(all_trees)) {
    if (tree.table.starts_with("sqlite_")) continue;
    TableFigures beside;
    const bool is_full_text = tree.table.starts_with(full_text);
    auto& table = is_full_text ? beside : tables[tree.table];
    table.name = tree.table;
    if (is_full_text && tree.is_index) beside.bytes = 0;
    if (exact)
      add_exactly(tx, tree, table, with_sizes);
    else if (!with_sizes)
      table.rows = tree.is_index ? table.rows : count_some(tx, tree.name);
    else if (tree.is_index)
      add_index(tx, tree, table);
    else
      add_table(tx, tree, table);
    if (is_full_text) full_text_bytes += table.bytes.value_or(0);
  }
  std::vector<TableFigures> result;
  for (auto& [name, table] : tables) {
    if (!exact && !with_sizes && table.rows > rows_counted) table.exactness = Exactness::at_least, table.rows = rows_counted;
    // The full-text index belongs to the artifacts, as it does on PostgreSQL.
    if (name == "artifacts" && table.bytes) *table.bytes += full_text_bytes;
    result.push_back(std::move(table));
  }
  return result;
}

}  // namespace quarry::ops::stats
