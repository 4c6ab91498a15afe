#pragma once
/// Does the full-text index say what the texts say, and how is it mended?
///
/// SQLite: FTS5's `integrity-check` with the rank 1, which reads every text again and compares
/// (https://sqlite.org/fts5.html, 6.4; without that rank it looks at an index of external content alone, and finds an
/// emptied one in order), and `rebuild`. Both hold the write lock meanwhile, as FTS5 has no command that reads only.
/// PostgreSQL: each row's search vector against the one that its texts make now, in pieces; a row is mended by writing it
/// again, which moves its `updated_at`.
///
/// Errors: those of the database. Thread safety: that of the handle.

#include <functional>

#include "quarry/sql/database.hpp"

namespace quarry::artifacts {

/// How many artifacts search may miss or find wrongly. On SQLite, which cannot tell which ones, all of them or none.
/// `progress` is called between the pieces.
std::int64_t count_wrongly_indexed(const Database& db, const std::function<void()>& progress);
/// The index as the texts have it.
void mend_search_index(const Database& db, const std::function<void()>& progress);

}  // namespace quarry::artifacts
