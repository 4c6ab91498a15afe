#pragma once
/// Whether a SQLite file is whole, looked at without Quarry.

#include <filesystem>
#include <string>

namespace quarry::test {

/// What stands in the database at `file`, as text: every row of every table. A failure of the test when `integrity_check`,
/// `foreign_key_check` or the full-text index finds anything.
std::string whole_database(const std::filesystem::path& file);
/// Writes the log back and cuts it to nothing.
void empty_log(const std::filesystem::path& file);
/// Short enough to compare and to print.
std::string digest_of(const std::string& text);

}  // namespace quarry::test
