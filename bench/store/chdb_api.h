// The part of chDB's documented C API that this benchmark calls: the npm package that holds
// libchdb.so ships no header.
#ifndef BENCH_STORE_CHDB_API_H
#define BENCH_STORE_CHDB_API_H

#include <stddef.h>

typedef struct chdb_connection_s *chdb_connection;
typedef struct chdb_result chdb_result;

chdb_connection *chdb_connect(int argc, char **argv); // "chdb", "--path", a folder
void chdb_close_conn(chdb_connection *connection);

chdb_result *chdb_query_n(chdb_connection connection, const char *sql, size_t sql_len,
                          const char *format, size_t format_len);
const char *chdb_result_error(chdb_result *result); // NULL: none
char *chdb_result_buffer(chdb_result *result);
size_t chdb_result_length(chdb_result *result);
void chdb_destroy_query_result(chdb_result *result);

#endif
