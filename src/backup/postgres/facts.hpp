#pragma once
/// Schema, rows and contents of a PostgreSQL database, as the server itself adds them up.

#include "quarry/backup/facts.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::backup::postgres {

/// Of the moment of the transaction.
DatabaseFacts facts_of(Read& tx, sql::Session& session);
/// The first thing of somebody's in the database, in words that complete "it holds ..."; empty when there is none. Of
/// Quarry's own schema that are rows, but for the migrator's tables and the plans; of anything else whatever it is.
std::string what_would_be_lost(Read& tx);
std::string engine_version(Read& tx);

}  // namespace quarry::backup::postgres
