// DuckDB. Values are DECIMAL(15,2), which was faster to add up and as small as DOUBLE. It is loaded
// twice: as the file comes, which is the fastest way to durable, and then anew in the order of
// series, which is the fastest way to the smallest file. No index: its own would take five times
// the bytes and four times as long.
//
//   --two    a second copy of the table, ordered by period
#include "duckdb_api.h"
#include "peer.h"
#include "place.h"

#include "alm/alloc.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SQL_SIZE = 8192, PATH_SIZE = 4096, CHUNKS_MAX = 100000 };

// Parameters in the order of `parameters`: i indicator, p place, m period, v publication, d and D
// the range of districts, t and T that of towns. Columns: two of the key, value, status. A table
// named by_period is the second copy where there is one, else the first.
typedef struct query {
    const char *sql;
    const char *parameters;
} query;

static const query queries[CASE_COUNT] = {
    [CASE_LATEST] =
        {"SELECT 0::BIGINT, max(period)::BIGINT, arg_max(value, period), "
         "arg_max(status, period) FROM observations WHERE indicator = $1 AND place = $2",
         "ip"},
    [CASE_SERIES] = {"SELECT 0::BIGINT, period::BIGINT, value, status FROM observations "
                     "WHERE indicator = $1 AND place = $2",
                     "ip"},
    [CASE_DISTRICTS] = {"SELECT 0::BIGINT, place::BIGINT, value, status FROM by_period "
                        "WHERE period = $1 AND indicator = $2 AND place >= $3 AND place < $4",
                        "midD"},
    [CASE_RANK] = {"SELECT 0::BIGINT, place::BIGINT, value, status FROM by_period "
                   "WHERE period = $1 AND indicator = $2 AND place >= $3 AND place < $4 "
                   "ORDER BY value DESC, place",
                   "midD"},
    [CASE_RANK_NUMBER] = {"SELECT 0::BIGINT, place::BIGINT, 100 * rank() OVER "
                          "(ORDER BY value DESC) FROM by_period WHERE period = $1 "
                          "AND indicator = $2 AND place >= $3 AND place < $4",
                          "midD"},
    [CASE_TOWNS_PROVINCE] = {"SELECT 0::BIGINT, (place >> 22 & 63)::BIGINT AS province, "
                             "sum(value)::DECIMAL(18,2) FROM by_period WHERE period = $1 "
                             "AND indicator = $2 AND place >= $3 AND place < $4 GROUP BY province",
                             "mitT"},
    [CASE_TOWNS_PROVINCE_YEAR] = {"SELECT (place >> 22 & 63)::BIGINT AS province, "
                                  "(period // 100)::BIGINT AS year, sum(value)::DECIMAL(18,2) "
                                  "FROM observations WHERE indicator = $1 AND place >= $2 "
                                  "AND place < $3 GROUP BY province, year",
                                  "itT"},
    [CASE_GROWTH] = {"SELECT a.place::BIGINT, a.period::BIGINT, "
                     "a.value::DOUBLE / b.value::DOUBLE - 1 FROM observations AS a "
                     "JOIN observations AS b ON b.place = a.place AND b.period + 100 = a.period "
                     "WHERE a.indicator = $1 AND b.indicator = $1 AND a.place >= $2 "
                     "AND b.place >= $2 AND a.place < $3 AND b.place < $3",
                     "idD"},
    [CASE_TOPTEN] = {"SELECT indicator::BIGINT, place::BIGINT, value, status FROM by_period "
                     "WHERE period = $1 ORDER BY value DESC, indicator, place LIMIT 10",
                     "m"},
    [CASE_PLACE] = {"SELECT 0::BIGINT, indicator::BIGINT, value, status FROM by_period "
                    "WHERE place = $1 AND period = $2",
                    "pm"},
    [CASE_ASOF] = {"SELECT 0::BIGINT, place::BIGINT, arg_max(value, publication), "
                   "arg_max(status, publication) FROM vintages WHERE indicator = $1 "
                   "AND period = $2 AND place >= $3 AND place < $4 AND publication <= $5 "
                   "GROUP BY place",
                   "imdDv"},
};

static bool has_two;
static char db_path[PATH_SIZE];
static duckdb_database database;
static duckdb_connection connection;
static duckdb_prepared_statement statements[CASE_COUNT];
static duckdb_result result; // the last answer
static duckdb_data_chunk chunks[CHUNKS_MAX];
static size_t chunk_count;

static void run(const char *sql)
{
    duckdb_result r;
    if (duckdb_query(connection, sql, &r) != DUCKDB_SUCCESS) {
        peer_die("%s: %s", sql, duckdb_result_error(&r));
    }
    duckdb_destroy_result(&r);
}

static const char *name_of(const char *option)
{
    has_two = option != NULL && strcmp(option, "--two") == 0;
    return option == NULL ? "duckdb" : has_two ? "duckdb_two" : NULL;
}

static void db_open(const char *folder)
{
    snprintf(db_path, sizeof db_path, "%s/observations.duckdb", folder);
    if (duckdb_open(db_path, &database) != DUCKDB_SUCCESS ||
        duckdb_connect(database, &connection) != DUCKDB_SUCCESS) {
        peer_die("%s: cannot be opened", db_path);
    }
}

static void answer_free(void)
{
    while (chunk_count > 0) {
        duckdb_destroy_data_chunk(&chunks[--chunk_count]);
    }
    duckdb_destroy_result(&result);
}

static void db_close(void)
{
    answer_free();
    for (int c = 0; c < CASE_COUNT; c++) {
        duckdb_destroy_prepare(&statements[c]);
    }
    duckdb_disconnect(&connection);
    duckdb_close(&database);
}

static void run_with_csv(const char *before, const char *csv_path, const char *columns,
                         const char *after)
{
    char sql[SQL_SIZE];
    snprintf(sql, sizeof sql,
             "%s FROM read_csv('%s', header = true, auto_detect = false, columns = {"
             "'indicator': 'USMALLINT', 'place': 'UINTEGER', 'period': 'UINTEGER', "
             "'value': 'DECIMAL(15,2)', 'status': 'status'%s}) %s",
             before, csv_path, columns, after);
    run(sql);
}

static void tables_create(const char *csv_path, const char *order)
{
    run("CREATE TYPE status AS ENUM ('A', 'E', 'P')");
    run_with_csv("CREATE TABLE observations AS SELECT *", csv_path, "", order);
}

static void load(const char *csv_path, load_times *ret)
{
    char folder[PATH_SIZE];
    double start = peer_now_s();
    tables_create(csv_path, "");
    ret->durable_s = peer_now_s() - start;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(db_path, '/') - db_path), db_path);
    duckdb_disconnect(&connection);
    duckdb_close(&database);
    unlink(db_path);
    db_open(folder);
    start = peer_now_s();
    tables_create(csv_path, "ORDER BY indicator, place, period");
    if (has_two) {
        run("CREATE TABLE by_period AS SELECT * FROM observations "
            "ORDER BY period, indicator, place");
    }
    run("CHECKPOINT");
    ret->merged_s = peer_now_s() - start;
}

static int64_t bytes(int64_t *ret_largest)
{
    struct stat info;
    *ret_largest = 0;
    run("CHECKPOINT");
    return stat(db_path, &info) == 0 ? info.st_size : 0;
}

static void release(const char *csv_path)
{
    if (!has_two) {
        run_with_csv("INSERT INTO observations SELECT *", csv_path, "", "");
        return;
    }
    run("BEGIN");
    run_with_csv("INSERT INTO observations SELECT *", csv_path, "", "");
    run_with_csv("INSERT INTO by_period SELECT *", csv_path, "", "");
    run("COMMIT");
}

static void revise(const char *csv_path)
{
    run_with_csv("CREATE TABLE vintages AS SELECT * FROM (SELECT *, 0::UINTEGER AS publication "
                 "FROM observations WHERE indicator = 0 UNION ALL SELECT *",
                 csv_path, ", 'publication': 'UINTEGER'",
                 ") ORDER BY indicator, period, place, publication");
    run("CHECKPOINT");
}

static void *column_of(duckdb_data_chunk chunk, uint64_t column)
{
    return duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, column));
}

static void total(int32_t indicator, int32_t period, int64_t *ret_count, int64_t *ret_sum_e2)
{
    char sql[SQL_SIZE], where[64] = "";
    duckdb_result r;
    if (period != 0) {
        snprintf(where, sizeof where, " WHERE indicator = %d AND period = %d", indicator, period);
    }
    snprintf(sql, sizeof sql,
             "SELECT count(*)::BIGINT, (sum(value) * 100)::BIGINT FROM observations%s", where);
    if (duckdb_query(connection, sql, &r) != DUCKDB_SUCCESS) {
        peer_die("%s: %s", sql, duckdb_result_error(&r));
    }
    duckdb_data_chunk chunk = duckdb_fetch_chunk(r);
    *ret_count = *(int64_t *)column_of(chunk, 0);
    *ret_sum_e2 = *(int64_t *)column_of(chunk, 1);
    duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_result(&r);
}

static uint32_t parameter_of(char letter, const question *q)
{
    switch (letter) {
    case 'p':
        return q->place;
    case 'm':
        return (uint32_t)q->period;
    case 'v':
        return (uint32_t)q->publication;
    case 'd':
        return place_level_first(LEVEL_DISTRICT);
    case 'D':
        return place_level_end(LEVEL_DISTRICT);
    case 't':
        return place_level_first(LEVEL_TOWN);
    default:
        return place_level_end(LEVEL_TOWN);
    }
}

// In the types of the columns: of another type, the column would be cast and nothing skipped.
static void bind(duckdb_prepared_statement statement, uint64_t index, char letter,
                 const question *q)
{
    if (letter == 'i') {
        duckdb_bind_uint16(statement, index, (uint16_t)q->indicator);
    } else {
        duckdb_bind_uint32(statement, index, parameter_of(letter, q));
    }
}

static void prepare(peer_case c)
{
    char sql[SQL_SIZE];
    const char *from = queries[c].sql, *name = strstr(from, "by_period");
    if (name != NULL && !has_two) {
        snprintf(sql, sizeof sql, "%.*sobservations%s", (int)(name - from), from,
                 name + strlen("by_period"));
        from = sql;
    }
    if (duckdb_prepare(connection, from, &statements[c]) != DUCKDB_SUCCESS) {
        peer_die("%s: %s", from, duckdb_prepare_error(statements[c]));
    }
}

static bool ask(peer_case c, const question *q)
{
    if (statements[c] == NULL) {
        prepare(c);
    }
    answer_free();
    for (uint64_t i = 0; queries[c].parameters[i] != '\0'; i++) {
        bind(statements[c], i + 1, queries[c].parameters[i], q);
    }
    if (duckdb_execute_prepared(statements[c], &result) != DUCKDB_SUCCESS) {
        peer_die("%s: %s", queries[c].sql, duckdb_result_error(&result));
    }
    for (duckdb_data_chunk chunk; (chunk = duckdb_fetch_chunk(result)) != NULL;) {
        if (chunk_count == CHUNKS_MAX) {
            peer_die("an answer of more than %d chunks", CHUNKS_MAX);
        }
        chunks[chunk_count++] = chunk;
    }
    return true;
}

// A decimal of 15 or 18 digits is an integer of 64 bits, here in hundredths; an enumeration of
// three, one byte.
static void tell(peer_case c, const question *q, answer *a)
{
    (void)q;
    bool has_status =
        c != CASE_TOWNS_PROVINCE && c != CASE_TOWNS_PROVINCE_YEAR && c != CASE_RANK_NUMBER;
    for (size_t i = 0; i < chunk_count; i++) {
        const int64_t *majors = column_of(chunks[i], 0), *minors = column_of(chunks[i], 1);
        const void *values = column_of(chunks[i], 2);
        const uint8_t *statuses = has_status && c != CASE_GROWTH ? column_of(chunks[i], 3) : NULL;
        for (uint64_t row = 0; row < duckdb_data_chunk_get_size(chunks[i]); row++) {
            uint64_t key = key_of((uint64_t)majors[row], (uint64_t)minors[row]);
            if (c == CASE_GROWTH) {
                answer_ratio(a, key, ((const double *)values)[row]);
            } else {
                answer_row(a, key, ((const int64_t *)values)[row],
                           statuses != NULL ? "AEP"[statuses[row]] : '\0');
            }
        }
    }
}

int main(int argc, char **argv)
{
    static const peer self = {name_of, db_open, db_close, load, bytes,
                              release, revise,  total,    ask,  tell};
    return peer_main(&self, argc, argv);
}
