#include "bench/raw/raw_sqlite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct raw_sqlite {
  sqlite3* db;
  sqlite3_stmt* find;
  sqlite3_stmt* insert;
};

static void must(sqlite3* db, int code) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
  fprintf(stderr, "raw sqlite: %s\n", sqlite3_errmsg(db));
  abort();
}

void raw_sqlite_exec(struct raw_sqlite* raw, const char* sql) { must(raw->db, sqlite3_exec(raw->db, sql, NULL, NULL, NULL)); }

struct raw_sqlite* raw_sqlite_open(const char* path, int synchronous_full) {
  struct raw_sqlite* raw = calloc(1, sizeof *raw);
  must(NULL, sqlite3_open_v2(path, &raw->db, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL));
  raw_sqlite_exec(raw, "pragma journal_mode = wal; pragma wal_autocheckpoint = 0; pragma secure_delete = off;"
                       "pragma temp_store = memory; pragma cache_size = -65536; pragma foreign_keys = on");
  raw_sqlite_exec(raw, synchronous_full ? "pragma synchronous = full" : "pragma synchronous = normal");
  return raw;
}

void raw_sqlite_close(struct raw_sqlite* raw) {
  sqlite3_finalize(raw->find);
  sqlite3_finalize(raw->insert);
  sqlite3_close(raw->db);
  free(raw);
}

int raw_sqlite_find(struct raw_sqlite* raw, int64_t id, struct raw_row* row) {
  if (!raw->find)
    must(raw->db, sqlite3_prepare_v3(raw->db, "select id, name, size, score, created_at from things where id = ?1", -1,
                                     SQLITE_PREPARE_PERSISTENT, &raw->find, NULL));
  must(raw->db, sqlite3_bind_int64(raw->find, 1, id));
  const int code = sqlite3_step(raw->find);
  must(raw->db, code);
  if (code == SQLITE_ROW) {
    row->id = sqlite3_column_int64(raw->find, 0);
    const char* name = (const char*)sqlite3_column_text(raw->find, 1);
    const int length = sqlite3_column_bytes(raw->find, 1);
    memcpy(row->name, name, (size_t)length);
    row->name[length] = 0;
    row->size = sqlite3_column_int64(raw->find, 2);
    row->score = sqlite3_column_double(raw->find, 3);
    row->created_at = sqlite3_column_int64(raw->find, 4);
  }
  must(raw->db, sqlite3_reset(raw->find));
  return code == SQLITE_ROW;
}

static void insert(struct raw_sqlite* raw, const struct raw_row* row) {
  if (!raw->insert)
    must(raw->db, sqlite3_prepare_v3(raw->db, "insert into things (id, name, size, score, created_at) values (?1, ?2, ?3, ?4, ?5)", -1,
                                     SQLITE_PREPARE_PERSISTENT, &raw->insert, NULL));
  must(raw->db, sqlite3_bind_int64(raw->insert, 1, row->id));
  must(raw->db, sqlite3_bind_text(raw->insert, 2, row->name, -1, SQLITE_STATIC));
  must(raw->db, sqlite3_bind_int64(raw->insert, 3, row->size));
  must(raw->db, sqlite3_bind_double(raw->insert, 4, row->score));
  must(raw->db, sqlite3_bind_int64(raw->insert, 5, row->created_at));
  must(raw->db, sqlite3_step(raw->insert));
  must(raw->db, sqlite3_reset(raw->insert));
}

void raw_sqlite_insert_all(struct raw_sqlite* raw, const struct raw_row* rows, int64_t count) {
  raw_sqlite_exec(raw, "begin immediate");
  for (int64_t i = 0; i < count; ++i) insert(raw, &rows[i]);
  raw_sqlite_exec(raw, "commit");
}

void raw_sqlite_insert_one(struct raw_sqlite* raw, const struct raw_row* row) { insert(raw, row); }
