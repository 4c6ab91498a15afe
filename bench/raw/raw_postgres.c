#include "bench/raw/raw_postgres.h"

#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct raw_postgres {
  PGconn* connection;
  int prepared;
};

/* Microseconds between 1970 and 2000, where PostgreSQL's binary timestamps begin. */
static const int64_t epoch_shift_us = 946684800000000;

static void must(struct raw_postgres* raw, int good) {
  if (good) return;
  fprintf(stderr, "raw postgres: %s\n", PQerrorMessage(raw->connection));
  abort();
}

struct raw_postgres* raw_postgres_open(const char* url) {
  struct raw_postgres* raw = calloc(1, sizeof *raw);
  raw->connection = PQconnectdb(url);
  must(raw, PQstatus(raw->connection) == CONNECTION_OK);
  return raw;
}

void raw_postgres_close(struct raw_postgres* raw) {
  PQfinish(raw->connection);
  free(raw);
}

void raw_postgres_exec(struct raw_postgres* raw, const char* sql) {
  PGresult* result = PQexec(raw->connection, sql);
  must(raw, PQresultStatus(result) == PGRES_COMMAND_OK);
  PQclear(result);
}

static char* put16(char* at, int16_t value) {
  const uint16_t wire = htobe16((uint16_t)value);
  memcpy(at, &wire, sizeof wire);
  return at + sizeof wire;
}

static char* put32(char* at, int32_t value) {
  const uint32_t wire = htobe32((uint32_t)value);
  memcpy(at, &wire, sizeof wire);
  return at + sizeof wire;
}

static char* put64(char* at, int64_t value) {
  const uint64_t wire = htobe64((uint64_t)value);
  memcpy(at, &wire, sizeof wire);
  return at + sizeof wire;
}

static char* put_field64(char* at, int64_t value) { return put64(put32(at, 8), value); }

void raw_postgres_copy(struct raw_postgres* raw, const struct raw_row* rows, int64_t count) {
  enum { capacity = 65536, row_max = 256 };
  char* buffer = malloc(capacity);
  raw_postgres_exec(raw, "begin");
  PGresult* result = PQexec(raw->connection, "copy things (id, name, size, score, created_at) from stdin (format binary)");
  must(raw, PQresultStatus(result) == PGRES_COPY_IN);
  PQclear(result);
  static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
  memcpy(buffer, header, 19);
  char* at = buffer + 19;
  for (int64_t i = 0; i < count; ++i) {
    if (at - buffer > capacity - row_max) {
      must(raw, PQputCopyData(raw->connection, buffer, (int)(at - buffer)) == 1);
      at = buffer;
    }
    int64_t score;
    memcpy(&score, &rows[i].score, sizeof score);
    const size_t length = strlen(rows[i].name);
    at = put_field64(put16(at, 5), rows[i].id);
    at = put32(at, (int32_t)length);
    memcpy(at, rows[i].name, length);
    at = put_field64(at + length, rows[i].size);
    at = put_field64(at, score);
    at = put_field64(at, rows[i].created_at - epoch_shift_us);
  }
  at = put16(at, -1);
  must(raw, PQputCopyData(raw->connection, buffer, (int)(at - buffer)) == 1);
  must(raw, PQputCopyEnd(raw->connection, NULL) == 1);
  while ((result = PQgetResult(raw->connection))) {
    must(raw, PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
  }
  raw_postgres_exec(raw, "commit");
  free(buffer);
}

static int64_t field64(const PGresult* result, int column) {
  uint64_t wire;
  memcpy(&wire, PQgetvalue(result, 0, column), sizeof wire);
  return (int64_t)be64toh(wire);
}

int raw_postgres_find(struct raw_postgres* raw, int64_t id, struct raw_row* row) {
  if (!raw->prepared) {
    PGresult* prepared = PQprepare(raw->connection, "find", "select id, name, size, score, created_at from things where id = $1", 1, NULL);
    must(raw, PQresultStatus(prepared) == PGRES_COMMAND_OK);
    PQclear(prepared);
    raw->prepared = 1;
  }
  const uint64_t wire = htobe64((uint64_t)id);
  const char* values[] = {(const char*)&wire};
  const int lengths[] = {8}, formats[] = {1};
  PGresult* result = PQexecPrepared(raw->connection, "find", 1, values, lengths, formats, 1);
  must(raw, PQresultStatus(result) == PGRES_TUPLES_OK);
  const int found = PQntuples(result) == 1;
  if (found) {
    row->id = field64(result, 0);
    const int length = PQgetlength(result, 0, 1);
    memcpy(row->name, PQgetvalue(result, 0, 1), (size_t)length);
    row->name[length] = 0;
    row->size = field64(result, 2);
    const int64_t score = field64(result, 3);
    memcpy(&row->score, &score, sizeof score);
    row->created_at = field64(result, 4) + epoch_shift_us;
  }
  PQclear(result);
  return found;
}
