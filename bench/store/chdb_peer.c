// ClickHouse as chDB, the engine in a library. Inserts and merges are synced. Statements are text,
// for there are no prepared ones; answers come in the format Native, column by column.
//
//   (none)     the default codec, values as decimals
//   --tuned    smaller granules and a codec for each column, values as doubles in ALP
//   --two      the same, and a second table ordered by period, filled by a materialized view
#include "chdb_api.h"
#include "peer.h"
#include "place.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SQL_SIZE = 8192, PATH_SIZE = 4096, COLUMNS_MAX = 4 };

// {i} indicator, {p} place, {m} period, {v} publication, {d} and {D} the range of districts, {t}
// and {T} that of towns, {P} the table by period. Columns: two of the key, as UInt64; value;
// status.
static const char *const queries[CASE_COUNT] = {
    [CASE_LATEST] = "SELECT toUInt64(0), toUInt64(max(period)), argMax(value, period), "
                    "argMax(status, period) FROM bench.observations "
                    "PREWHERE indicator = {i} AND place = {p} SETTINGS max_threads = 1",
    [CASE_SERIES] = "SELECT toUInt64(0), toUInt64(period), value, status FROM bench.observations "
                    "PREWHERE indicator = {i} AND place = {p} "
                    "SETTINGS max_threads = 1, optimize_read_in_order = 0",
    [CASE_DISTRICTS] = "SELECT toUInt64(0), toUInt64(place), value, status FROM {P} "
                       "PREWHERE period = {m} AND indicator = {i} AND place >= {d} AND place < {D}",
    [CASE_RANK] = "SELECT toUInt64(0), toUInt64(place), value, status FROM {P} PREWHERE "
                  "period = {m} AND indicator = {i} AND place >= {d} AND place < {D} "
                  "ORDER BY value DESC, place",
    [CASE_RANK_NUMBER] = "SELECT toUInt64(0), toUInt64(place), 100 * rank() OVER "
                         "(ORDER BY value DESC) FROM {P} PREWHERE period = {m} AND "
                         "indicator = {i} AND place >= {d} AND place < {D}",
    [CASE_TOWNS_PROVINCE] = "SELECT toUInt64(0), toUInt64(bitAnd(bitShiftRight(place, 22), 63)) "
                            "AS province, sum(value) FROM {P} PREWHERE period = {m} AND "
                            "indicator = {i} AND place >= {t} AND place < {T} GROUP BY province",
    [CASE_TOWNS_PROVINCE_YEAR] =
        "SELECT toUInt64(bitAnd(bitShiftRight(place, 22), 63)) AS province, "
        "toUInt64(intDiv(period, 100)) AS year, sum(value) FROM bench.observations "
        "PREWHERE indicator = {i} AND place >= {t} AND place < {T} GROUP BY province, year",
    [CASE_GROWTH] =
        "SELECT toUInt64(place), toUInt64(period), toFloat64(value) / before - 1 FROM "
        "(SELECT place, period, value, toFloat64(first_value(value) OVER (PARTITION BY place "
        "ORDER BY period RANGE BETWEEN 100 PRECEDING AND 100 PRECEDING)) AS before "
        "FROM bench.observations WHERE indicator = {i} AND place >= {d} AND place < {D}) "
        "WHERE before > 0",
    [CASE_TOPTEN] = "SELECT toUInt64(indicator), toUInt64(place), value, status FROM {P} "
                    "PREWHERE period = {m} ORDER BY value DESC, indicator, place LIMIT 10",
    [CASE_PLACE] = "SELECT toUInt64(0), toUInt64(indicator), value, status FROM {P} "
                   "PREWHERE place = {p} AND period = {m} SETTINGS max_threads = 1",
    [CASE_ASOF] = "SELECT toUInt64(0), toUInt64(place), argMax(value, publication), "
                  "argMax(status, publication) FROM bench.vintages PREWHERE indicator = {i} "
                  "AND period = {m} AND place >= {d} AND place < {D} AND publication <= {v} "
                  "GROUP BY place",
};

static const char statuses[] = "Enum8('A' = 65, 'E' = 69, 'P' = 80)"; // their letters in ASCII
static const char synced[] = "fsync_after_insert = 1, fsync_part_directory = 1, "
                             "min_rows_to_fsync_after_merge = 1";

static enum { AS_DEFAULT, TUNED, TWO } setup;
static chdb_connection *connection;
static chdb_result *result; // the last answer

static chdb_result *query(const char *sql, const char *format)
{
    chdb_result *r = chdb_query_n(*connection, sql, strlen(sql), format, strlen(format));
    const char *error = r == NULL ? "no result" : chdb_result_error(r);
    if (error != NULL) {
        peer_die("%s: %s", sql, error);
    }
    return r;
}

static void run(const char *fmt, ...) ALM_PRINTF(1, 2);
static void run(const char *fmt, ...)
{
    char sql[SQL_SIZE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(sql, sizeof sql, fmt, args);
    va_end(args);
    chdb_destroy_query_result(query(sql, "TSV"));
}

static const char *name_of(const char *option)
{
    static const struct {
        const char *option, *name;
    } setups[] = {{"", "chdb"}, {"--tuned", "chdb_tuned"}, {"--two", "chdb_two"}};
    for (int i = AS_DEFAULT; i <= TWO; i++) {
        if (strcmp(option != NULL ? option : "", setups[i].option) == 0) {
            setup = i;
            return setups[i].name;
        }
    }
    return NULL;
}

static void db_open(const char *folder)
{
    char program[] = "chdb", option[] = "--path", path[PATH_SIZE];
    snprintf(path, sizeof path, "%s", folder);
    char *argv[] = {program, option, path};
    connection = chdb_connect(3, argv);
    if (connection == NULL) {
        peer_die("%s: cannot be opened", folder);
    }
    run("SET allow_experimental_codecs = 1"); // for ALP
}

static void db_close(void)
{
    chdb_destroy_query_result(result);
    chdb_close_conn(connection);
}

static void table_create(const char *name, const char *order, bool has_publication)
{
    bool is_tuned = setup != AS_DEFAULT;
    const char *delta = is_tuned ? "CODEC(Delta, ZSTD)" : "";
    const char *zstd = is_tuned ? "CODEC(ZSTD)" : "";
    run("CREATE TABLE bench.%s (indicator UInt16 %s, place UInt32 %s, period UInt32 %s, "
        "value %s, status %s %s%s%s) ENGINE = MergeTree ORDER BY (%s) SETTINGS %s%s",
        name, zstd, delta, delta, is_tuned ? "Float64 CODEC(ALP, ZSTD)" : "Decimal64(2)", statuses,
        zstd, has_publication ? ", publication UInt32 " : "", has_publication ? zstd : "", order,
        synced, is_tuned ? ", index_granularity = 1024" : "");
}

static void insert(const char *table, const char *csv_path, const char *more_columns)
{
    char structure[SQL_SIZE];
    const char *from = statuses;
    size_t len =
        (size_t)snprintf(structure, sizeof structure,
                         "indicator UInt16, place UInt32, period UInt32, value %s, status ",
                         setup == AS_DEFAULT ? "Decimal64(2)" : "Float64");
    for (; *from != '\0'; from++) { // quotes within a quoted text
        if (*from == '\'') {
            structure[len++] = '\\';
        }
        structure[len++] = *from;
    }
    snprintf(structure + len, sizeof structure - len, "%s", more_columns);
    run("INSERT INTO bench.%s SELECT * FROM file('%s', 'CSVWithNames', '%s')", table, csv_path,
        structure);
}

static void load(const char *csv_path, load_times *ret)
{
    double start = peer_now_s();
    run("CREATE DATABASE bench ENGINE = Atomic");
    table_create("observations", "indicator, place, period", false);
    if (setup == TWO) {
        table_create("by_period", "period, indicator, place", false);
        run("CREATE MATERIALIZED VIEW bench.to_by_period TO bench.by_period "
            "AS SELECT * FROM bench.observations");
    }
    insert("observations", csv_path, "");
    ret->durable_s = peer_now_s() - start;
    run("OPTIMIZE TABLE bench.observations FINAL");
    if (setup == TWO) {
        run("OPTIMIZE TABLE bench.by_period FINAL");
    }
    ret->merged_s = peer_now_s() - start;
}

static int64_t number_of(const char *sql)
{
    int64_t value = 0;
    chdb_result *r = query(sql, "TSV");
    if (chdb_result_length(r) == 0 || sscanf(chdb_result_buffer(r), "%ld", &value) != 1) {
        peer_die("%s: no number", sql);
    }
    chdb_destroy_query_result(r);
    return value;
}

static int64_t bytes(int64_t *ret_largest)
{
    static const char all[] = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND "
                              "database = 'bench' AND table IN ('observations', 'by_period')";
    static const char largest[] = "SELECT max(b) FROM (SELECT sum(bytes_on_disk) AS b FROM "
                                  "system.parts WHERE active AND database = 'bench' AND table IN "
                                  "('observations', 'by_period') GROUP BY table)";
    *ret_largest = setup == TWO ? number_of(largest) : 0;
    return number_of(all);
}

static void release(const char *csv_path)
{
    insert("observations", csv_path, "");
}

static void revise(const char *csv_path)
{
    table_create("vintages", "indicator, period, place, publication", true);
    run("INSERT INTO bench.vintages SELECT *, 0 FROM bench.observations WHERE indicator = 0");
    insert("vintages", csv_path, ", publication UInt32");
    run("OPTIMIZE TABLE bench.vintages FINAL");
}

static void total(int32_t indicator, int32_t period, int64_t *ret_count, int64_t *ret_sum_e2)
{
    char sql[SQL_SIZE], where[64] = "";
    if (period != 0) {
        snprintf(where, sizeof where, " WHERE indicator = %d AND period = %d", indicator, period);
    }
    snprintf(sql, sizeof sql, "SELECT count() FROM bench.observations%s", where);
    *ret_count = number_of(sql);
    snprintf(sql, sizeof sql, "SELECT sum(toInt64(round(value * 100))) FROM bench.observations%s",
             where);
    *ret_sum_e2 = number_of(sql);
}

static uint32_t parameter_of(char letter, const question *q)
{
    switch (letter) {
    case 'i':
        return (uint32_t)q->indicator;
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

static bool ask(peer_case c, const question *q)
{
    char sql[SQL_SIZE];
    size_t len = 0;
    for (const char *from = queries[c]; *from != '\0'; from++) {
        if (*from != '{') {
            sql[len++] = *from;
            continue;
        }
        len +=
            (size_t)(from[1] == 'P'
                         ? snprintf(sql + len, sizeof sql - len, "%s",
                                    setup == TWO ? "bench.by_period" : "bench.observations")
                         : snprintf(sql + len, sizeof sql - len, "%u", parameter_of(from[1], q)));
        from += 2;
    }
    sql[len] = '\0';
    chdb_destroy_query_result(result);
    result = query(sql, "Native");
    return true;
}

// --- the format Native: blocks of columns, each with its name and type ---------------------------

typedef struct block {
    const char *at, *end;
    uint64_t row_count;
    const char *columns[COLUMNS_MAX]; // unaligned
    int column_count;
} block;

static uint64_t take_varint(block *b)
{
    uint64_t value = 0;
    for (int shift = 0; b->at < b->end && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)*b->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            return value;
        }
    }
    peer_die("the answer is cut off");
}

static const char *take(block *b, uint64_t len)
{
    const char *start = b->at;
    if (len > (uint64_t)(b->end - b->at)) {
        peer_die("the answer is cut off");
    }
    b->at += len;
    return start;
}

static bool block_next(block *b)
{
    if (b->at >= b->end) {
        return false;
    }
    b->column_count = (int)take_varint(b);
    b->row_count = take_varint(b);
    if (b->column_count > COLUMNS_MAX) {
        peer_die("%d columns; at most %d", b->column_count, COLUMNS_MAX);
    }
    for (int i = 0; i < b->column_count; i++) {
        take(b, take_varint(b)); // the name
        uint64_t type_len = take_varint(b);
        const char *type = take(b, type_len);
        uint64_t width = type_len > 4 && memcmp(type, "Enum", 4) == 0 ? 1
                         : strncmp(type, "Decimal(38", 10) == 0       ? 16
                                                                      : 8;
        b->columns[i] = take(b, b->row_count * width);
    }
    return true;
}

static uint64_t word_at(const char *column, uint64_t row, uint64_t width)
{
    uint64_t value;
    memcpy(&value, column + row * width, sizeof value);
    return value;
}

static double double_at(const char *column, uint64_t row)
{
    double value;
    memcpy(&value, column + row * sizeof value, sizeof value);
    return value;
}

// Sums of decimals have 38 digits in 16 bytes, of which the lower half holds all that is ours.
static void tell(peer_case c, const question *q, answer *a)
{
    (void)q;
    bool is_sum = c == CASE_TOWNS_PROVINCE || c == CASE_TOWNS_PROVINCE_YEAR;
    bool is_whole = setup == AS_DEFAULT || c == CASE_RANK_NUMBER;
    uint64_t width = is_sum ? 16 : 8;
    block b = {.at = chdb_result_buffer(result)};
    b.end = b.at + chdb_result_length(result);
    while (block_next(&b)) {
        for (uint64_t row = 0; row < b.row_count; row++) {
            uint64_t key = key_of(word_at(b.columns[0], row, 8), word_at(b.columns[1], row, 8));
            if (c == CASE_GROWTH) {
                answer_ratio(a, key, double_at(b.columns[2], row));
                continue;
            }
            int64_t value_e2 = is_whole ? (int64_t)word_at(b.columns[2], row, width)
                                        : value_to_e2(double_at(b.columns[2], row));
            answer_row(a, key, value_e2, b.column_count > 3 ? b.columns[3][row] : '\0');
        }
    }
}

int main(int argc, char **argv)
{
    static const peer self = {name_of, db_open, db_close, load, bytes,
                              release, revise,  total,    ask,  tell};
    return peer_main(&self, argc, argv);
}
