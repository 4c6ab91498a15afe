#pragma once
/// The rows and sizes of every table, as each engine can tell them.

#include <vector>

#include "quarry/ops/stats.hpp"

namespace quarry::ops::stats {

std::vector<TableFigures> tables_of_sqlite(Read& tx, bool exact);
std::vector<TableFigures> tables_of_postgres(Read& tx, bool exact);

/// `select count(*)`, of a name from the catalogue.
std::int64_t count_rows(Read& tx, const std::string& table);

}  // namespace quarry::ops::stats
