#include "bench/raw/raw_rows.h"

#include <endian.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct raw_reader {
  sqlite3* db;
  sqlite3_stmt* statement;
  char* out;
  size_t room;
};

static void must(int ok, const char* what) {
  if (ok) return;
  fprintf(stderr, "raw benchmark: %s failed\n", what);
  exit(1);
}

struct raw_reader* raw_reader_open(const char* path, const char* sql) {
  struct raw_reader* reader = calloc(1, sizeof *reader);
  must(sqlite3_open_v2(path, &reader->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK, "open");
  sqlite3_exec(reader->db, "pragma query_only = on; pragma cache_size = -65536", NULL, NULL, NULL);
  must(sqlite3_prepare_v3(reader->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &reader->statement, NULL) == SQLITE_OK, sql);
  reader->room = 1 << 16;
  reader->out = malloc(reader->room);
  return reader;
}

void raw_reader_close(struct raw_reader* reader) {
  sqlite3_finalize(reader->statement);
  sqlite3_close(reader->db);
  free(reader->out);
  free(reader);
}

static int64_t read_row(struct raw_reader* reader) {
  int64_t bytes = -1;
  if (sqlite3_step(reader->statement) == SQLITE_ROW) {
    size_t at = 0;
    const int columns = sqlite3_column_count(reader->statement);
    for (int i = 0; i < columns; ++i) {
      switch (sqlite3_column_type(reader->statement, i)) {
        case SQLITE_INTEGER: {
          const int64_t value = sqlite3_column_int64(reader->statement, i);
          memcpy(reader->out + at, &value, 8);
          at += 8;
          break;
        }
        case SQLITE_TEXT:
        case SQLITE_BLOB: {
          const void* value = sqlite3_column_blob(reader->statement, i);
          const size_t size = (size_t)sqlite3_column_bytes(reader->statement, i);
          must(at + size < reader->room, "room");
          memcpy(reader->out + at, value, size);
          at += size;
          break;
        }
        default:
          break;
      }
    }
    bytes = (int64_t)at;
  }
  sqlite3_reset(reader->statement);
  return bytes;
}

int64_t raw_reader_find_blob(struct raw_reader* reader, const void* key, int size) {
  sqlite3_bind_blob(reader->statement, 1, key, size, SQLITE_STATIC);
  return read_row(reader);
}

int64_t raw_reader_find_text(struct raw_reader* reader, const char* key, int size) {
  sqlite3_bind_text(reader->statement, 1, key, size, SQLITE_STATIC);
  return read_row(reader);
}

void raw_insert_results(const char* path, const struct raw_result* rows, int64_t count) {
  sqlite3* db = NULL;
  sqlite3_stmt* insert = NULL;
  must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK, "open");
  sqlite3_exec(db,
               "pragma foreign_keys = on; pragma synchronous = full; pragma wal_autocheckpoint = 0; pragma cache_size = -65536;"
               "pragma secure_delete = off",
               NULL, NULL, NULL);
  must(sqlite3_prepare_v2(db,
                          "insert into search_results (id, search_id, user_id, source, title, snippet, url, position, scraped_at)"
                          " values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
                          -1, &insert, NULL) == SQLITE_OK,
       "prepare");
  sqlite3_exec(db, "begin immediate", NULL, NULL, NULL);
  for (int64_t i = 0; i < count; ++i) {
    const struct raw_result* row = &rows[i];
    sqlite3_bind_blob(insert, 1, row->id, 16, SQLITE_STATIC);
    sqlite3_bind_blob(insert, 2, row->search_id, 16, SQLITE_STATIC);
    sqlite3_bind_blob(insert, 3, row->user_id, 16, SQLITE_STATIC);
    sqlite3_bind_text(insert, 4, row->source, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 5, row->title, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 6, row->snippet, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 7, row->url, -1, SQLITE_STATIC);
    sqlite3_bind_int(insert, 8, row->position);
    sqlite3_bind_int64(insert, 9, row->scraped_at);
    must(sqlite3_step(insert) == SQLITE_DONE, "insert");
    sqlite3_reset(insert);
  }
  must(sqlite3_exec(db, "commit", NULL, NULL, NULL) == SQLITE_OK, "commit");
  // So much log is due to be written back, which Quarry's writer does at once.
  must(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) == SQLITE_OK, "checkpoint");
  sqlite3_finalize(insert);
  sqlite3_close(db);
}

static size_t put_bytes(char* out, const void* bytes, size_t size) {
  const uint32_t length = htobe32((uint32_t)size);
  memcpy(out, &length, 4);
  memcpy(out + 4, bytes, size);
  return size + 4;
}

static size_t put_text(char* out, const char* text) { return put_bytes(out, text, strlen(text)); }

void raw_copy_results(const char* url, const struct raw_result* rows, int64_t count) {
  PGconn* db = PQconnectdb(url);
  must(PQstatus(db) == CONNECTION_OK, "connect");
  PQclear(PQexec(db, "begin"));
  PQclear(PQexec(db, "copy search_results (id, search_id, user_id, source, title, snippet, url, position, scraped_at)"
                     " from stdin (format binary)"));
  const size_t room = 1 << 20;
  char* out = malloc(room);
  memcpy(out, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  size_t at = 19;
  for (int64_t i = 0; i < count; ++i) {
    const struct raw_result* row = &rows[i];
    if (at + 1024 > room) {
      must(PQputCopyData(db, out, (int)at) == 1, "copy");
      at = 0;
    }
    const uint16_t columns = htobe16(9);
    const int32_t position = (int32_t)htobe32((uint32_t)row->position);
    const int64_t at_us = (int64_t)htobe64((uint64_t)(row->scraped_at - 946684800000000LL));
    memcpy(out + at, &columns, 2);
    at += 2;
    at += put_bytes(out + at, row->id, 16);
    at += put_bytes(out + at, row->search_id, 16);
    at += put_bytes(out + at, row->user_id, 16);
    at += put_text(out + at, row->source);
    at += put_text(out + at, row->title);
    at += put_text(out + at, row->snippet);
    at += put_text(out + at, row->url);
    at += put_bytes(out + at, &position, 4);
    at += put_bytes(out + at, &at_us, 8);
  }
  const uint16_t end = 0xFFFF;
  memcpy(out + at, &end, 2);
  must(PQputCopyData(db, out, (int)at + 2) == 1 && PQputCopyEnd(db, NULL) == 1, "copy end");
  PGresult* result = PQgetResult(db);
  must(PQresultStatus(result) == PGRES_COMMAND_OK, PQerrorMessage(db));
  PQclear(result);
  while ((result = PQgetResult(db))) PQclear(result);
  PQclear(PQexec(db, "commit"));
  PQfinish(db);
  free(out);
}
