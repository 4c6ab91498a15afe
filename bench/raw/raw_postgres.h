/* The same for libpq-fe.h. */
#ifndef QUARRY_BENCH_RAW_POSTGRES_H
#define QUARRY_BENCH_RAW_POSTGRES_H

#include "bench/raw/raw_sqlite.h"

#ifdef __cplusplus
extern "C" {
#endif

struct raw_postgres;

struct raw_postgres* raw_postgres_open(const char* url);
void raw_postgres_close(struct raw_postgres* db);
void raw_postgres_exec(struct raw_postgres* db, const char* sql);
/* All rows by COPY in its binary form, in one transaction. */
void raw_postgres_copy(struct raw_postgres* db, const struct raw_row* rows, int64_t count);
/* One row by its key through a prepared statement, binary both ways. */
int raw_postgres_find(struct raw_postgres* db, int64_t id, struct raw_row* row);

#ifdef __cplusplus
}
#endif
#endif
