// PostgreSQL. FOLDER holds the socket of a running server, which peers.sh starts; with --tcp it is
// reached over loopback instead. Its port is in PGPORT, which libpq reads. Values are double
// precision. Loaded by COPY into a table made in the same transaction; then a primary key and a
// covering index by period.
#include "peer.h"
#include "place.h"

#include <libpq-fe.h>

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SQL_SIZE = 8192, PARAMETERS_MAX = 6 };

typedef struct query {
    const char *sql;
    const char *parameters; // one letter each: i indicator, p place, m period, v publication,
                            // d and D the range of districts, t and T that of towns
} query;

static bool has_tcp;
static PGconn *connection;
static bool is_prepared[CASE_COUNT];
static PGresult *result; // the last answer

// Columns: two of the key, value, status.
static const query queries[CASE_COUNT] = {
    [CASE_LATEST] = {"SELECT 0, period, value, status FROM observations "
                     "WHERE indicator = $1::int2 AND place = $2::int4 ORDER BY period DESC LIMIT 1",
                     "ip"},
    [CASE_SERIES] = {"SELECT 0, period, value, status FROM observations "
                     "WHERE indicator = $1::int2 AND place = $2::int4",
                     "ip"},
    [CASE_DISTRICTS] = {"SELECT 0, place, value, status FROM observations WHERE period = $1::int4 "
                        "AND indicator = $2::int2 AND place >= $3::int4 AND place < $4::int4",
                        "midD"},
    [CASE_RANK] = {"SELECT 0, place, value, status FROM observations WHERE period = $1::int4 "
                   "AND indicator = $2::int2 AND place >= $3::int4 AND place < $4::int4 "
                   "ORDER BY value DESC, place",
                   "midD"},
    [CASE_RANK_NUMBER] = {"SELECT 0, place, (rank() OVER (ORDER BY value DESC))::float8 "
                          "FROM observations WHERE period = $1::int4 AND indicator = $2::int2 "
                          "AND place >= $3::int4 AND place < $4::int4",
                          "midD"},
    [CASE_TOWNS_PROVINCE] = {"SELECT 0, place >> 22 & 63 AS province, sum(value) "
                             "FROM observations WHERE period = $1::int4 AND indicator = $2::int2 "
                             "AND place >= $3::int4 AND place < $4::int4 GROUP BY province",
                             "mitT"},
    [CASE_TOWNS_PROVINCE_YEAR] = {"SELECT place >> 22 & 63 AS province, period / 100 AS year, "
                                  "sum(value) FROM observations WHERE indicator = $1::int2 "
                                  "AND place >= $2::int4 AND place < $3::int4 "
                                  "GROUP BY province, year",
                                  "itT"},
    [CASE_GROWTH] = {"SELECT place, period, value / before - 1 FROM (SELECT place, period, value, "
                     "first_value(value) OVER (PARTITION BY place ORDER BY period RANGE BETWEEN "
                     "100 PRECEDING AND 100 PRECEDING) AS before FROM observations "
                     "WHERE indicator = $1::int2 AND place >= $2::int4 AND place < $3::int4) AS a "
                     "WHERE before IS NOT NULL",
                     "idD"},
    [CASE_TOPTEN] = {"SELECT indicator::int4, place, value, status FROM observations "
                     "WHERE period = $1::int4 ORDER BY value DESC, indicator, place LIMIT 10",
                     "m"},
    [CASE_PLACE] = {"SELECT 0, o.indicator::int4, value, status FROM indicators AS i JOIN "
                    "observations AS o ON o.indicator = i.indicator AND o.place = $1::int4 "
                    "AND o.period = $2::int4",
                    "pm"},
    [CASE_ASOF] = {"SELECT DISTINCT ON (place) 0, place, value, status FROM vintages "
                   "WHERE indicator = $1::int2 AND period = $2::int4 AND place >= $3::int4 "
                   "AND place < $4::int4 AND publication <= $5::int4 "
                   "ORDER BY place, publication DESC",
                   "imdDv"},
};

static PGresult *check(PGresult *r, const char *what)
{
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        peer_die("%s: %s", what, PQerrorMessage(connection));
    }
    return r;
}

static void run(const char *sql)
{
    PQclear(check(PQexec(connection, sql), sql));
}

static void copy(const char *table, const char *columns, const char *csv_path, const char *options)
{
    char sql[SQL_SIZE];
    char *path = PQescapeLiteral(connection, csv_path, strlen(csv_path));
    snprintf(sql, sizeof sql, "COPY %s (%s) FROM %s WITH (FORMAT csv, HEADER%s)", table, columns,
             path, options);
    PQfreemem(path);
    run(sql);
}

static const char *name_of(const char *option)
{
    has_tcp = option != NULL && strcmp(option, "--tcp") == 0;
    return option == NULL ? "postgres" : has_tcp ? "postgres_tcp" : NULL;
}

static void db_open(const char *folder)
{
    const char *const names[] = {"host", "dbname", "user", NULL};
    const char *const values[] = {has_tcp ? "127.0.0.1" : folder, "postgres", "postgres", NULL};
    connection = PQconnectdbParams(names, values, 0);
    if (PQstatus(connection) != CONNECTION_OK) {
        peer_die("%s", PQerrorMessage(connection));
    }
    run("SET client_min_messages = warning");
}

static void db_close(void)
{
    PQclear(result);
    PQfinish(connection);
}

static const char columns[] = "indicator, place, period, value, status";

// Wide columns first, so that none is padded.
static void load(const char *csv_path, load_times *ret)
{
    double start = peer_now_s();
    run("BEGIN");
    run("CREATE TABLE observations (value float8 NOT NULL, place int4 NOT NULL, "
        "period int4 NOT NULL, indicator int2 NOT NULL, status \"char\" NOT NULL)");
    copy("observations", columns, csv_path, ", FREEZE");
    run("COMMIT");
    ret->durable_s = peer_now_s() - start;
    run("ALTER TABLE observations ADD PRIMARY KEY (indicator, place, period)");
    run("CREATE UNIQUE INDEX by_period ON observations (period, indicator, place) "
        "INCLUDE (value, status)");
    run("CREATE TABLE indicators (indicator int2 PRIMARY KEY)");
    run("INSERT INTO indicators SELECT generate_series(min(indicator)::int4, "
        "max(indicator)::int4) "
        "FROM observations");
    run("VACUUM ANALYZE observations");
    run("ANALYZE indicators");
    run("CHECKPOINT");
    ret->merged_s = peer_now_s() - start;
}

static int64_t bytes(int64_t *ret_largest)
{
    int64_t size_bytes = 0;
    *ret_largest = 0;
    PGresult *r =
        check(PQexec(connection, "SELECT pg_total_relation_size('observations')"), "size");
    sscanf(PQgetvalue(r, 0, 0), "%ld", &size_bytes);
    PQclear(r);
    return size_bytes;
}

static void release(const char *csv_path)
{
    copy("observations", columns, csv_path, "");
}

static void revise(const char *csv_path)
{
    run("BEGIN");
    run("CREATE TABLE vintages (value float8 NOT NULL, place int4 NOT NULL, period int4 NOT NULL, "
        "publication int4 NOT NULL, indicator int2 NOT NULL, status \"char\" NOT NULL)");
    run("INSERT INTO vintages SELECT value, place, period, 0, indicator, status "
        "FROM observations WHERE indicator = 0");
    copy("vintages", "indicator, place, period, value, status, publication", csv_path, "");
    run("CREATE UNIQUE INDEX vintages_key ON vintages "
        "(indicator, period, place, publication DESC) INCLUDE (value, status)");
    run("COMMIT");
    run("VACUUM ANALYZE vintages");
}

static void total(int32_t indicator, int32_t period, int64_t *ret_count, int64_t *ret_sum_e2)
{
    char sql[SQL_SIZE], where[64] = "";
    if (period != 0) {
        snprintf(where, sizeof where, " WHERE indicator = %d AND period = %d", indicator, period);
    }
    snprintf(sql, sizeof sql,
             "SELECT count(*), sum(round(value * 100)::int8)::int8 FROM observations%s", where);
    PGresult *r = check(PQexec(connection, sql), sql);
    if (sscanf(PQgetvalue(r, 0, 0), "%ld", ret_count) != 1 ||
        sscanf(PQgetvalue(r, 0, 1), "%ld", ret_sum_e2) != 1) {
        peer_die("%s: no numbers", sql);
    }
    PQclear(r);
}

static int32_t parameter_of(char letter, const question *q)
{
    switch (letter) {
    case 'i':
        return q->indicator;
    case 'p':
        return (int32_t)q->place;
    case 'm':
        return q->period;
    case 'v':
        return q->publication;
    case 'd':
        return (int32_t)place_level_first(LEVEL_DISTRICT);
    case 'D':
        return (int32_t)place_level_end(LEVEL_DISTRICT);
    case 't':
        return (int32_t)place_level_first(LEVEL_TOWN);
    default:
        return (int32_t)place_level_end(LEVEL_TOWN);
    }
}

// Answers come in the binary format; libpq holds them, every value readable by address.
static bool ask(peer_case c, const question *q)
{
    union {
        int32_t wide;
        int16_t narrow;
    } values[PARAMETERS_MAX];
    const char *pointers[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
    int count = (int)strlen(queries[c].parameters);
    char name[16];
    snprintf(name, sizeof name, "case%d", (int)c);
    if (!is_prepared[c]) {
        PQclear(check(PQprepare(connection, name, queries[c].sql, count, NULL), queries[c].sql));
        is_prepared[c] = true;
    }
    for (int i = 0; i < count; i++) {
        bool is_narrow = queries[c].parameters[i] == 'i';
        int32_t value = parameter_of(queries[c].parameters[i], q);
        if (is_narrow) {
            values[i].narrow = (int16_t)htons((uint16_t)value);
        } else {
            values[i].wide = (int32_t)htonl((uint32_t)value);
        }
        pointers[i] = (const char *)&values[i];
        lengths[i] = is_narrow ? 2 : 4;
        formats[i] = 1;
    }
    PQclear(result);
    result = check(PQexecPrepared(connection, name, count, pointers, lengths, formats, 1),
                   queries[c].sql);
    return true;
}

static uint32_t int_at(int row, int column)
{
    uint32_t value;
    memcpy(&value, PQgetvalue(result, row, column), sizeof value);
    return ntohl(value);
}

static double double_at(int row, int column)
{
    uint64_t bits;
    double value;
    memcpy(&bits, PQgetvalue(result, row, column), sizeof bits);
    bits = __builtin_bswap64(bits);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void tell(peer_case c, const question *q, answer *a)
{
    (void)q;
    for (int i = 0; i < PQntuples(result); i++) {
        uint64_t key = key_of(int_at(i, 0), int_at(i, 1));
        double value = double_at(i, 2);
        if (c == CASE_GROWTH) {
            answer_ratio(a, key, value);
        } else {
            char status = PQnfields(result) > 3 ? *PQgetvalue(result, i, 3) : '\0';
            answer_row(a, key, value_to_e2(value), status);
        }
    }
}

int main(int argc, char **argv)
{
    static const peer self = {name_of, db_open, db_close, load, bytes,
                              release, revise,  total,    ask,  tell};
    return peer_main(&self, argc, argv);
}
