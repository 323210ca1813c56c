// SQLite. Values are integers, in hundredths. The table is its own primary key; a second, covering
// index has the rows by period. Loaded with the rollback journal, which has nothing to save of new
// pages, then switched to the write-ahead log, whose commits sync once; synchronous=FULL in both.
#include "csv.h"
#include "peer.h"
#include "place.h"

#include "alm/alloc.h"

#include <sqlite3.h>

#include <stdio.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096 };

typedef struct row {
    uint64_t key;
    int64_t value_e2;
    double ratio;
    char status;
} row;

static sqlite3 *db;
static char db_path[PATH_SIZE];
static sqlite3_stmt *statements[CASE_COUNT];
static row *rows; // the last answer
static size_t row_count, row_capacity;

// Parameters: 1 indicator, 2 place, 3 period, 4 publication, 5 and 6 the range of places. Columns:
// two of the key, value, status.
static const char *const questions[CASE_COUNT] = {
    [CASE_LATEST] = "SELECT 0, period, value, status FROM observations "
                    "WHERE indicator = ?1 AND place = ?2 ORDER BY period DESC LIMIT 1",
    [CASE_SERIES] = "SELECT 0, period, value, status FROM observations "
                    "WHERE indicator = ?1 AND place = ?2",
    [CASE_DISTRICTS] = "SELECT 0, place, value, status FROM observations WHERE period = ?3 "
                       "AND indicator = ?1 AND place >= ?5 AND place < ?6",
    [CASE_RANK] = "SELECT 0, place, value, status FROM observations WHERE period = ?3 "
                  "AND indicator = ?1 AND place >= ?5 AND place < ?6 ORDER BY value DESC, place",
    [CASE_RANK_NUMBER] = "SELECT 0, place, 100 * rank() OVER (ORDER BY value DESC) "
                         "FROM observations WHERE period = ?3 AND indicator = ?1 AND place >= ?5 "
                         "AND place < ?6",
    // One range of the index for each province and period; GROUP BY would sort all rows.
    [CASE_TOWNS_PROVINCE] =
        "SELECT 0, province, (SELECT sum(value) FROM observations WHERE period = ?3 "
        "AND indicator = ?1 AND place >= towns_first AND place < towns_end) FROM provinces",
    [CASE_TOWNS_PROVINCE_YEAR] =
        "SELECT province, period / 100 AS year, sum((SELECT sum(value) FROM observations AS o "
        "WHERE o.period = p.period AND indicator = ?1 AND place >= towns_first "
        "AND place < towns_end)) FROM provinces CROSS JOIN periods AS p GROUP BY province, year",
    [CASE_GROWTH] = // half the time of a window function
    "SELECT a.place, a.period, a.value * 1.0 / b.value - 1 FROM observations AS a "
    "JOIN observations AS b ON b.indicator = a.indicator AND b.place = a.place "
    "AND b.period = a.period - 100 "
    "WHERE a.indicator = ?1 AND a.place >= ?5 AND a.place < ?6",
    [CASE_TOPTEN] = "SELECT indicator, place, value, status FROM observations WHERE period = ?3 "
                    "ORDER BY value DESC, indicator, place LIMIT 10",
    [CASE_PLACE] = "SELECT 0, indicator, value, status FROM observations WHERE indicator IN "
                   "(SELECT indicator FROM indicators) AND place = ?2 AND period = ?3",
    // The other columns are those of the row that has the maximum, as SQLite's documentation says.
    [CASE_ASOF] = "SELECT 0, place, value, status, max(publication) FROM vintages "
                  "WHERE indicator = ?1 AND period = ?3 AND place >= ?5 AND place < ?6 "
                  "AND publication <= ?4 GROUP BY place",
};

static void run(const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        peer_die("%s: %s", sql, message);
    }
}

static sqlite3_stmt *prepare(const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) {
        peer_die("%s: %s", sql, sqlite3_errmsg(db));
    }
    return statement;
}

static const char *name_of(const char *option)
{
    return option == NULL ? "sqlite" : NULL;
}

static void db_open(const char *folder)
{
    snprintf(db_path, sizeof db_path, "%s/observations.db", folder);
    if (sqlite3_open(db_path, &db) != SQLITE_OK) {
        peer_die("%s: %s", db_path, sqlite3_errmsg(db));
    }
    run("PRAGMA cache_size = -2000000; PRAGMA mmap_size = 2147418112; PRAGMA temp_store = MEMORY;"
        "PRAGMA threads = 2; PRAGMA synchronous = FULL;");
}

static void db_close(void)
{
    for (int c = 0; c < CASE_COUNT; c++) {
        sqlite3_finalize(statements[c]);
    }
    sqlite3_close(db);
    alm_free(rows);
}

static void insert(const char *csv_path, const char *sql, bool has_publication)
{
    csv_file file;
    csv_row r;
    sqlite3_stmt *statement = prepare(sql);
    csv_open(&file, csv_path);
    while (csv_next(&file, &r)) {
        sqlite3_bind_int(statement, 1, r.indicator);
        sqlite3_bind_int64(statement, 2, r.place);
        sqlite3_bind_int(statement, 3, r.period);
        sqlite3_bind_int64(statement, 4, r.value_e2);
        sqlite3_bind_text(statement, 5, &r.status, 1, SQLITE_STATIC);
        if (has_publication) {
            sqlite3_bind_int(statement, 6, r.publication);
        }
        if (sqlite3_step(statement) != SQLITE_DONE) {
            peer_die("insert: %s", sqlite3_errmsg(db));
        }
        sqlite3_reset(statement);
    }
    csv_close(&file);
    sqlite3_finalize(statement);
}

static const char insert_sql[] = "INSERT INTO observations VALUES (?, ?, ?, ?, ?)";

// What is there, found by skipping through the indexes: 1 << 30 is the first number of a town.
static const char lists[] =
    "CREATE TABLE indicators (indicator INTEGER PRIMARY KEY);"
    "WITH RECURSIVE i (n) AS (SELECT min(indicator) FROM observations UNION ALL "
    "SELECT (SELECT min(indicator) FROM observations WHERE indicator > n) FROM i "
    "WHERE n IS NOT NULL) INSERT INTO indicators SELECT n FROM i WHERE n IS NOT NULL;"
    "CREATE TABLE periods (period INTEGER PRIMARY KEY);"
    "WITH RECURSIVE i (n) AS (SELECT min(period) FROM observations UNION ALL "
    "SELECT (SELECT min(period) FROM observations WHERE period > n) FROM i "
    "WHERE n IS NOT NULL) INSERT INTO periods SELECT n FROM i WHERE n IS NOT NULL;"
    "CREATE TABLE provinces (province INTEGER PRIMARY KEY, towns_first INTEGER NOT NULL, "
    "towns_end INTEGER NOT NULL);"
    "WITH RECURSIVE i (n) AS (SELECT 1 << 30 UNION ALL SELECT (SELECT min(place) "
    "FROM observations WHERE indicator = 0 AND place >= ((n >> 22) + 1) << 22) FROM i "
    "WHERE n IS NOT NULL) INSERT INTO provinces "
    "SELECT n >> 22 & 63, n >> 22 << 22, ((n >> 22) + 1) << 22 FROM i WHERE n > 1 << 30;";

static void load(const char *csv_path, load_times *ret)
{
    double start = peer_now_s();
    run("BEGIN; CREATE TABLE observations (indicator INTEGER NOT NULL, place INTEGER NOT NULL, "
        "period INTEGER NOT NULL, value INTEGER NOT NULL, status TEXT NOT NULL, "
        "PRIMARY KEY (indicator, place, period)) WITHOUT ROWID;");
    insert(csv_path, insert_sql, false);
    run("COMMIT");
    ret->durable_s = peer_now_s() - start;
    run("CREATE INDEX by_period ON observations (period, indicator, place, value, status);");
    run(lists);
    run("PRAGMA journal_mode = WAL");
    ret->merged_s = peer_now_s() - start;
}

static int64_t bytes(int64_t *ret_largest)
{
    struct stat info;
    *ret_largest = 0;
    run("PRAGMA wal_checkpoint(TRUNCATE)");
    return stat(db_path, &info) == 0 ? info.st_size : 0;
}

static void release(const char *csv_path)
{
    run("BEGIN");
    insert(csv_path, insert_sql, false);
    run("COMMIT");
}

static void revise(const char *csv_path)
{
    run("BEGIN; CREATE TABLE vintages (indicator INTEGER NOT NULL, place INTEGER NOT NULL, "
        "period INTEGER NOT NULL, value INTEGER NOT NULL, status TEXT NOT NULL, "
        "publication INTEGER NOT NULL, "
        "PRIMARY KEY (indicator, period, place, publication)) WITHOUT ROWID;"
        "INSERT INTO vintages SELECT indicator, place, period, value, status, 0 "
        "FROM observations INDEXED BY by_period WHERE indicator = 0 ORDER BY period, place;");
    insert(csv_path, "INSERT INTO vintages VALUES (?, ?, ?, ?, ?, ?)", true);
    run("COMMIT");
}

static void total(int32_t indicator, int32_t period, int64_t *ret_count, int64_t *ret_sum_e2)
{
    sqlite3_stmt *statement = prepare(
        period == 0
            ? "SELECT count(*), sum(value) FROM observations"
            : "SELECT count(*), sum(value) FROM observations WHERE indicator = ?1 AND period = ?2");
    if (period != 0) {
        sqlite3_bind_int(statement, 1, indicator);
        sqlite3_bind_int(statement, 2, period);
    }
    if (sqlite3_step(statement) != SQLITE_ROW) {
        peer_die("total: %s", sqlite3_errmsg(db));
    }
    *ret_count = sqlite3_column_int64(statement, 0);
    *ret_sum_e2 = sqlite3_column_int64(statement, 1);
    sqlite3_finalize(statement);
}

static void bind_known(sqlite3_stmt *statement, int index, int64_t value)
{
    if (index <= sqlite3_bind_parameter_count(statement)) { // a number that is left out is fine
        sqlite3_bind_int64(statement, index, value);
    }
}

static row *next_row(void)
{
    if (row_count == row_capacity) {
        row_capacity = row_capacity == 0 ? 1024 : row_capacity * 2;
        row *grown = alm_realloc(rows, row_capacity * sizeof *rows);
        if (grown == NULL) {
            peer_die("no memory");
        }
        rows = grown;
    }
    return &rows[row_count++];
}

static bool ask(peer_case c, const question *q)
{
    if (statements[c] == NULL) {
        statements[c] = prepare(questions[c]);
    }
    sqlite3_stmt *statement = statements[c];
    bool is_of_towns = c == CASE_TOWNS_PROVINCE || c == CASE_TOWNS_PROVINCE_YEAR;
    enum place_level level = is_of_towns ? LEVEL_TOWN : LEVEL_DISTRICT;
    bind_known(statement, 1, q->indicator);
    bind_known(statement, 2, q->place);
    bind_known(statement, 3, q->period);
    bind_known(statement, 4, q->publication);
    bind_known(statement, 5, place_level_first(level));
    bind_known(statement, 6, place_level_end(level));
    row_count = 0;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        row *r = next_row();
        r->key = key_of((uint64_t)sqlite3_column_int64(statement, 0),
                        (uint64_t)sqlite3_column_int64(statement, 1));
        if (c == CASE_GROWTH) {
            r->ratio = sqlite3_column_double(statement, 2);
            continue;
        }
        r->value_e2 = sqlite3_column_int64(statement, 2);
        r->status = is_of_towns || c == CASE_RANK_NUMBER
                        ? '\0'
                        : (char)*(const char *)sqlite3_column_text(statement, 3);
    }
    if (code != SQLITE_DONE) {
        peer_die("%s: %s", questions[c], sqlite3_errmsg(db));
    }
    sqlite3_reset(statement);
    return true;
}

static void tell(peer_case c, const question *q, answer *a)
{
    (void)q;
    for (size_t i = 0; i < row_count; i++) {
        if (c == CASE_GROWTH) {
            answer_ratio(a, rows[i].key, rows[i].ratio);
        } else {
            answer_row(a, rows[i].key, rows[i].value_e2, rows[i].status);
        }
    }
}

int main(int argc, char **argv)
{
    static const peer self = {name_of, db_open, db_close, load, bytes,
                              release, revise,  total,    ask,  tell};
    return peer_main(&self, argc, argv);
}
