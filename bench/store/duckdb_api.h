// The part of DuckDB's documented C API that this benchmark calls: the npm package that holds
// libduckdb.so ships no header.
#ifndef BENCH_STORE_DUCKDB_API_H
#define BENCH_STORE_DUCKDB_API_H

#include <stdbool.h>
#include <stdint.h>

typedef struct duckdb_database_s *duckdb_database;
typedef struct duckdb_connection_s *duckdb_connection;
typedef struct duckdb_prepared_statement_s *duckdb_prepared_statement;
typedef struct duckdb_data_chunk_s *duckdb_data_chunk;
typedef struct duckdb_vector_s *duckdb_vector;

// Handed over by value and by address; its inside is DuckDB's.
typedef struct duckdb_result {
    uint64_t counts[3];
    void *inside[3];
} duckdb_result;

typedef enum duckdb_state { DUCKDB_SUCCESS = 0, DUCKDB_ERROR = 1 } duckdb_state;

duckdb_state duckdb_open(const char *path, duckdb_database *ret);
void duckdb_close(duckdb_database *database);
duckdb_state duckdb_connect(duckdb_database database, duckdb_connection *ret);
void duckdb_disconnect(duckdb_connection *connection);

duckdb_state duckdb_query(duckdb_connection connection, const char *sql, duckdb_result *ret);
const char *duckdb_result_error(duckdb_result *result);
void duckdb_destroy_result(duckdb_result *result);

duckdb_state duckdb_prepare(duckdb_connection connection, const char *sql,
                            duckdb_prepared_statement *ret);
const char *duckdb_prepare_error(duckdb_prepared_statement statement);
void duckdb_destroy_prepare(duckdb_prepared_statement *statement);
duckdb_state duckdb_bind_uint16(duckdb_prepared_statement statement, uint64_t index,
                                uint16_t value);
duckdb_state duckdb_bind_uint32(duckdb_prepared_statement statement, uint64_t index,
                                uint32_t value);
duckdb_state duckdb_execute_prepared(duckdb_prepared_statement statement, duckdb_result *ret);

// The next rows of a result, column by column; NULL when there are no more.
duckdb_data_chunk duckdb_fetch_chunk(duckdb_result result);
uint64_t duckdb_data_chunk_get_size(duckdb_data_chunk chunk);
duckdb_vector duckdb_data_chunk_get_vector(duckdb_data_chunk chunk, uint64_t column);
void *duckdb_vector_get_data(duckdb_vector vector);
void duckdb_destroy_data_chunk(duckdb_data_chunk *chunk);

#endif
