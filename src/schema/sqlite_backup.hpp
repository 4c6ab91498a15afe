#pragma once
/// A copy of a SQLite file, made before a migration destroys data.

#include <string>
#include <string_view>

#include "quarry/sql/session.hpp"

namespace quarry::schema {

/// Copies the session's database into a new file beside it, `quarry.db.before-LABEL-20260301T120000.db`, and returns its
/// path; empty for a database in memory. The copy counts, and gets its name, when it is on the disk and has passed an
/// integrity check. Outside a transaction only. Throws `Error`; then nothing is left but perhaps a file that ends in
/// `.partial`.
std::string back_up(sql::Session& session, std::string_view label);

}  // namespace quarry::schema
