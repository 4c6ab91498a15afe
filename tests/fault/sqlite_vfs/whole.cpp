#include "fault/sqlite_vfs/whole.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <functional>
#include <vector>

namespace quarry::test {
namespace {

/// All rows of all columns; a failure when the statement fails.
std::string rows(sqlite3* db, const std::string& sql) {
  std::string out;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    ADD_FAILURE() << sql << ": " << sqlite3_errmsg(db);
    return out;
  }
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, i));
      out.append(data ? data : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, i)));
      out += i + 1 < sqlite3_column_count(statement) ? '|' : '\n';
    }
  }
  if (code != SQLITE_DONE) ADD_FAILURE() << sql << ": " << sqlite3_errmsg(db);
  sqlite3_finalize(statement);
  return out;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    out.push_back(text.substr(at, text.find('\n', at) - at));
  return out;
}

}  // namespace

std::string whole_database(const std::filesystem::path& file) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  EXPECT_EQ(rows(db, "pragma integrity_check"), "ok\n");
  EXPECT_EQ(rows(db, "pragma foreign_key_check"), "");
  if (rows(db, "select count(*) from sqlite_schema where name = 'artifacts_fts'") == "1\n")
    rows(db, "insert into artifacts_fts (artifacts_fts, rank) values ('integrity-check', 1)");
  std::string all;
  const auto tables =
      rows(db, "select name from sqlite_schema where type = 'table' and sql not like 'create virtual%' order by name");
  for (const auto& table : lines(tables)) all += table + "\n" + rows(db, "select * from \"" + table + "\" order by 1, 2");
  sqlite3_close(db);
  return all;
}

void empty_log(const std::filesystem::path& file) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  EXPECT_EQ(sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
}

std::string digest_of(const std::string& text) { return std::to_string(std::hash<std::string>{}(text)); }

}  // namespace quarry::test
