/* Rows of any table by a statement, as a C programmer would read them: every column copied out. */
#ifndef QUARRY_BENCH_RAW_ROWS_H
#define QUARRY_BENCH_RAW_ROWS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct raw_reader;

/* One statement with one parameter, prepared once, on a connection of its own. */
struct raw_reader* raw_reader_open(const char* path, const char* sql);
void raw_reader_close(struct raw_reader* reader);
/* The bytes of the row's columns, or -1 without a row. */
int64_t raw_reader_find_blob(struct raw_reader* reader, const void* key, int size);
int64_t raw_reader_find_text(struct raw_reader* reader, const char* key, int size);

struct raw_result {
  unsigned char id[16];
  unsigned char search_id[16];
  unsigned char user_id[16];
  char source[8];
  char title[64];
  char snippet[128];
  char url[64];
  int position;
  int64_t scraped_at;
};

/* All rows in one transaction through one prepared statement, durably. */
void raw_insert_results(const char* path, const struct raw_result* rows, int64_t count);
/* All rows by COPY in its binary form, in one transaction. */
void raw_copy_results(const char* url, const struct raw_result* rows, int64_t count);

#ifdef __cplusplus
}
#endif
#endif
