/* What a C programmer would write against sqlite3.h for the same work, without this library: the other half of each ratio. */
#ifndef QUARRY_BENCH_RAW_SQLITE_H
#define QUARRY_BENCH_RAW_SQLITE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct raw_row {
  int64_t id;
  char name[64];
  int64_t size;
  double score;
  int64_t created_at;
};

struct raw_sqlite;

/* Opens the file with the settings that Quarry uses (WAL, given synchronous mode, no automatic checkpoint). */
struct raw_sqlite* raw_sqlite_open(const char* path, int synchronous_full);
void raw_sqlite_close(struct raw_sqlite* db);
void raw_sqlite_exec(struct raw_sqlite* db, const char* sql);
/* One row by its key through a cached statement, each column copied out. */
int raw_sqlite_find(struct raw_sqlite* db, int64_t id, struct raw_row* row);
/* All rows in one transaction through one prepared statement. */
void raw_sqlite_insert_all(struct raw_sqlite* db, const struct raw_row* rows, int64_t count);
/* One row in a transaction of its own. */
void raw_sqlite_insert_one(struct raw_sqlite* db, const struct raw_row* row);

#ifdef __cplusplus
}
#endif
#endif
