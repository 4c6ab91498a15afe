#pragma once
/// Schema, rows and contents of a PostgreSQL database, as the server itself adds them up.

#include "quarry/backup/facts.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::backup::postgres {

/// Of the moment of the transaction.
DatabaseFacts facts_of(Read& tx, sql::Session& session);
/// The first table of ours that holds a row; nothing when none does. The migrator's tables and the plans do not count.
std::string table_with_rows(Read& tx);
std::string engine_version(Read& tx);

}  // namespace quarry::backup::postgres
