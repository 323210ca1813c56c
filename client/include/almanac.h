// libalmanac: ask an almanac questions and feed it files, from C or C++.
//
//   almanac_client *client = NULL;
//   almanac_rows *rows = NULL;
//   const almanac_row *row = NULL;
//   almanac_error error;
//   const char *indicators[] = {"gdp"};
//   almanac_query query = {.indicators = indicators, .indicator_count = 1,
//                          .places = "310105", .periods = "last:5"};
//   if (almanac_client_open(NULL, NULL, &client, &error) == ALMANAC_OK &&
//       almanac_query_open(client, &query, &rows, &error) == ALMANAC_OK) {
//       while (almanac_rows_next(rows, &row, &error) == ALMANAC_OK && row != NULL) {
//           char text[ALMANAC_VALUE_TEXT_MAX];
//           almanac_value_text(row, ALMANAC_EN, text);
//           printf("%s %s\n", row->period, text);
//       }
//   }
//   almanac_rows_close(&rows);
//   almanac_client_close(&client);
//
// Conventions
//   Text      UTF-8, NUL-terminated. What the library gives is never NULL: "" means "not said".
//             What it takes may be NULL, which means the same.
//   Dates     YYYY-MM-DD. Periods are SDMX labels: 2023, 2023-Q3, 2023-09, 2021/2025.
//   Errors    A function that can fail returns an almanac_code and takes a last almanac_error,
//             which may be NULL and is written only on failure. ret_... is written only on success.
//   Options   Structs in which all zero means the usual; initialise with = {0}.
//   Memory    X_open and X_get are undone by X_close and X_free, which accept NULL and set the
//             variable to NULL. Each function says how long a view it gives is valid.
//   Threads   One client may be used by any number of threads at once. What a client gave (rows,
//             a catalogue, a watch, a report) belongs to one thread at a time. Close everything
//             that a client gave before the client itself.
//   Processes A client does not survive fork(): open it afterwards.
#ifndef ALMANAC_H
#define ALMANAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALMANAC_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

// --- errors --------------------------------------------------------------------------------------

// gRPC's codes with their numbers.
typedef enum almanac_code {
    ALMANAC_OK = 0,
    ALMANAC_CANCELLED = 1,
    ALMANAC_UNKNOWN = 2,
    ALMANAC_INVALID_ARGUMENT = 3,  // the question is wrong: see field and message
    ALMANAC_DEADLINE_EXCEEDED = 4, // no answer in time
    ALMANAC_NOT_FOUND = 5,         // an unknown indicator, place, source, file
    ALMANAC_ALREADY_EXISTS = 6,
    ALMANAC_PERMISSION_DENIED = 7,
    ALMANAC_RESOURCE_EXHAUSTED = 8, // a limit was reached, here or there
    ALMANAC_FAILED_PRECONDITION = 9,
    // A file changed while it was imported, the catalogue while it was asked, or so much was
    // committed during a backup or a verification that it was ended.
    ALMANAC_ABORTED = 10,
    ALMANAC_OUT_OF_RANGE = 11,
    ALMANAC_UNIMPLEMENTED = 12,
    ALMANAC_INTERNAL = 13,    // an answer that cannot be understood
    ALMANAC_UNAVAILABLE = 14, // nobody there; the same call may succeed later
    ALMANAC_DATA_LOSS = 15,   // the store found damaged data
    ALMANAC_UNAUTHENTICATED = 16
} almanac_code;

typedef struct almanac_error {
    almanac_code code;
    uint32_t retry_after_ms; // 0: not said
    char field[96];          // what it is about: "place", "row 7"; "" if nothing in particular
    char message[512];       // one or a few lines for people, in English
} almanac_error;

ALMANAC_API const char *almanac_code_name(almanac_code code); // "NOT_FOUND"

// 0 for ALMANAC_OK, 2 wrong usage or input, 3 not found, 4 unavailable or too slow, 5 data damaged,
// 1 everything else: what the almanac command exits with.
ALMANAC_API int almanac_code_exit(almanac_code code);

ALMANAC_API const char *almanac_version(void); // of the library: "0.1.0"

// --- client --------------------------------------------------------------------------------------

typedef struct almanac_client almanac_client;

#define ALMANAC_ENDPOINT_DEFAULT "tcp://127.0.0.1:7100"

typedef struct almanac_client_opts {
    int64_t timeout_ms; // how long one call may take, retries included; 0: 30 seconds
    int64_t connect_ms; // how long open waits for the almanac to be there; 0: 3 seconds;
                        // -1: not at all, calls wait for it within their own time
    // Files, NULL or "" for none. Over tcp with a key file the connection is encrypted.
    const char *key_file;   // the client's key pair; mode 0600
    const char *server_key; // the public key to expect of the almanac; NULL: the client's own
    const char *token_file; // the token to show; mode 0600
} almanac_client_opts;

// endpoint: tcp://HOST:PORT or ipc://PATH, or several with commas between; NULL:
// ALMANAC_ENDPOINT_DEFAULT. A host name stands for all addresses it resolves to.
//
// ALMANAC_INVALID_ARGUMENT  not an address, or not such a file
// ALMANAC_NOT_FOUND, ALMANAC_PERMISSION_DENIED  a file
// ALMANAC_UNAVAILABLE       nothing answers there within connect_ms
ALMANAC_API almanac_code almanac_client_open(const char *endpoint, const almanac_client_opts *opts,
                                             almanac_client **ret_client, almanac_error *error);
ALMANAC_API void almanac_client_close(almanac_client **client);

// --- questions -----------------------------------------------------------------------------------

typedef enum almanac_order {
    ALMANAC_ORDER_KEY = 0, // places in tree order, then periods
    ALMANAC_ORDER_VALUE_DESC = 1,
    ALMANAC_ORDER_VALUE_ASC = 2
} almanac_order;

// Everything but indicators, places and periods may be left zero.
typedef struct almanac_query {
    const char *const *indicators; // codes or names; "*" alone: all that have a value
    size_t indicator_count;
    const char *places;       // 310105, 310000/* (children), 310000/**@district, 310105~
    const char *periods;      // 2023, 2019..2023, latest, last:5, all
    const char *breakdown;    // "industry=software"; "": totals; "*": all
    const char *measure;      // "": level; "*": all
    const char *accumulation; // "P", "C"; "": both
    const char *frequency;    // "A", "Q", "M" ...; "": all
    const char *as_of;        // date: as it was published on that day; "": today in China (UTC+8),
                              // what is published later does not count yet
    const char *const *sources;
    size_t source_count;
    const char *const *transforms; // words: "rollup", "to:Q", "pc1", "ma:3", "rank" ...
    size_t transform_count;
    const char *group_by; // roll-up: a level ("district")
    const char *unit;     // "": as published; "indicator": the indicator's; or a code: "CNY_E8"
    almanac_order order;
    uint32_t limit;        // rows of each indicator, after ordering; 0: all
    uint64_t min_sequence; // this commit must be visible; what this client saw of late is anyway
    uint64_t at_sequence;  // exactly this state; 0: the newest
    bool incomplete;       // roll-up answers even when members are missing
} almanac_query;

typedef enum almanac_origin { ALMANAC_PUBLISHED = 0, ALMANAC_COMPUTED = 1 } almanac_origin;

// A number told beside a row, or why there is none.
typedef struct almanac_figure {
    int64_t mantissa;
    int32_t exponent;
    bool has_number;
    double lower, upper;
    uint32_t qualifier;
    const char *unit;
    const char *reason; // why there is no number
} almanac_figure;

typedef enum almanac_pace_verdict {
    ALMANAC_NOT_KNOWN = 0,
    ALMANAC_REACHED = 1,
    ALMANAC_ON_TRACK = 2,
    ALMANAC_BEHIND = 3,
    ALMANAC_MISSED = 4
} almanac_pace_verdict;

// Whether a target is reached on time; docs/TRANSFORMS.md defines the figures.
typedef struct almanac_pace {
    almanac_pace_verdict verdict;
    const char *why;   // the verdict in words
    const char *until; // period up to which it was reached; "" if nothing is known
    const char *per;   // of run_rate: the letter of a frequency, "M"; "" where there is none
    almanac_figure actual, left, time, pace, pace_seasonal, run_rate, growth_required, expected;
} almanac_pace;

// One value. The number is mantissa x 10^exponent in `unit`, with the digits it was published with.
typedef struct almanac_row {
    const char *indicator, *place, *period, *measure; // codes and a label
    const char *accumulation;                         // "P", "C"
    const char *breakdown;                            // "industry=software"
    const char *relation;                             // of a share, a rank: to what
    const char *unit;                                 // code: "CNY_E8"
    int64_t mantissa;
    int32_t exponent;
    bool has_number;     // false: missing, see status and reason; or a rank without a number
    double lower, upper; // the interval the value stands for; an open end is an infinity
    uint32_t qualifier;  // see almanac_qualifier_code
    char status;         // SDMX OBS_STATUS letter: 'A' normal, 'P' provisional ...
    almanac_origin origin;
    const char *source;             // code; of a computed value: of its newest input
    const char *published;          // date
    const char *note;               // as published
    const char *reason;             // why there is no number, or what to mind
    const char *transform;          // what was computed of the measure: "to:Q pc1"
    uint32_t of_count, of_expected; // rank: peers ranked, peers; roll-up: members present,
                                    // members; target: periods with a value, periods so far
    uint64_t sequence;              // the store's state it was read from
    const almanac_pace *pace;       // of target progress; NULL: of all else
} almanac_row;

typedef struct almanac_rows almanac_rows;

// Opens a question. Rows arrive while they are read; at most a few megabytes wait unread.
//
// ALMANAC_INVALID_ARGUMENT  nothing asked, or a malformed part; field names it. Most such errors
//                           come with the first almanac_rows_next
ALMANAC_API almanac_code almanac_query_open(almanac_client *client, const almanac_query *query,
                                            almanac_rows **ret_rows, almanac_error *error);

// *ret_row: the next row, valid until the next call with these rows; NULL at the end. A failure is
// final: the rows before it are good, but there may be more.
//
// Any code the almanac answers, ALMANAC_UNAVAILABLE, ALMANAC_DEADLINE_EXCEEDED
// ALMANAC_ABORTED   the almanac lost a worker, and the catalogue had changed: ask again
// ALMANAC_INTERNAL  the answer is malformed
ALMANAC_API almanac_code almanac_rows_next(almanac_rows *rows, const almanac_row **ret_row,
                                           almanac_error *error);

// A column of a block: what row i has is values[i * stride]. With a stride of 0 all rows have the
// same, which is the one element there is; else there are as many as rows.
typedef struct almanac_column {
    const uint32_t *values;
    size_t stride; // 0 or 1
} almanac_column;
typedef struct almanac_mantissas {
    const int64_t *values;
    size_t stride;
} almanac_mantissas;
typedef struct almanac_exponents {
    const int32_t *values;
    size_t stride;
} almanac_exponents;
typedef struct almanac_doubles {
    const double *values;
    size_t stride;
} almanac_doubles;

// Many rows as columns; each is as the member of almanac_row of that name says. A text is an index
// into `texts`.
typedef struct almanac_block {
    size_t row_count;
    uint64_t sequence;
    const char *const *texts; // texts[0] is ""
    size_t text_count;
    almanac_column indicator, place, period, measure, accumulation, breakdown, relation, unit,
        source, published, note, reason, transform; // texts
    almanac_mantissas mantissa;
    almanac_exponents exponent;
    almanac_column has_number; // 0 or 1
    almanac_column qualifier;
    almanac_column status; // letter
    almanac_column origin; // almanac_origin
    almanac_column of_count, of_expected;
    almanac_column bounds;        // with lower and upper: see almanac_block_bounds
    almanac_doubles lower, upper; // where bounds is 2
    const almanac_pace *paces;    // of target progress, with the row of each, which increase
    const uint32_t *pace_rows;
    size_t pace_count;
} almanac_block;

// *ret_block: the next rows, up to a few thousand at once, at least one; valid with all its columns
// until the next call with these rows; NULL at the end. A block is checked as a whole before it is
// given: every index is within its table.
//
//   while (almanac_rows_next_block(rows, &block, &error) == ALMANAC_OK && block != NULL) {
//       for (size_t i = 0; i < block->row_count; i++) {
//           if (block->has_number.values[i * block->has_number.stride] != 0) {
//               sum += block->mantissa.values[i * block->mantissa.stride];
//           }
//       }
//   }
//
// As almanac_rows_next, and
// ALMANAC_FAILED_PRECONDITION  almanac_rows_next is amid a block; nothing is lost by asking
ALMANAC_API almanac_code almanac_rows_next_block(almanac_rows *rows,
                                                 const almanac_block **ret_block,
                                                 almanac_error *error);

// lower and upper of row i, below row_count: those that are told, else worked out of the digits.
ALMANAC_API void almanac_block_bounds(const almanac_block *block, size_t i, double *ret_lower,
                                      double *ret_upper);

// All rows that are left at once, valid until close.
//
// As almanac_rows_next, and ALMANAC_RESOURCE_EXHAUSTED when they need more than 256 MiB
ALMANAC_API almanac_code almanac_rows_all(almanac_rows *rows, const almanac_row **ret_rows,
                                          size_t *ret_count, almanac_error *error);

// One bad indicator does not fail the others: what was wrong with which.
typedef struct almanac_item_error {
    const char *item; // as asked
    almanac_code code;
    const char *message;
} almanac_item_error;

// Complete once the rows are at their end. Valid until the next call with these rows.
ALMANAC_API size_t almanac_rows_errors(const almanac_rows *rows,
                                       const almanac_item_error **ret_errors);
ALMANAC_API void almanac_rows_close(almanac_rows **rows);

// How one cell came about, as a tree: what it was computed of, down to observations, and below
// these the vintages that lost against them. query must come down to one indicator, place and
// period.
typedef struct almanac_step {
    uint32_t depth;   // 0: an answer, 1: what it was computed of, ...
    const char *what; // "gdp 310105 2023 level", "... = pc1: (a / b - 1) x 100"
    const char *value, *interval, *status, *source, *published, *note;
    uint32_t kind;         // see almanac_step_kind_code
    uint32_t loss;         // of a vintage why it lost: see almanac_loss_code
    const char *converted; // the value in the unit it was computed on in; "" if that is its own
    // The same in Chinese.
    const char *what_zh, *value_zh, *interval_zh, *status_zh, *converted_zh;
} almanac_step;
typedef struct almanac_explanation {
    const almanac_step *steps; // in reading order
    size_t step_count;
} almanac_explanation;
ALMANAC_API almanac_code almanac_explanation_get(almanac_client *client, const almanac_query *query,
                                                 almanac_explanation **ret_explanation,
                                                 almanac_error *error);
ALMANAC_API void almanac_explanation_free(almanac_explanation **explanation);
// computed, part (of a formula), observation, missing, vintage, remark; "" for a number that is
// none.
ALMANAC_API const char *almanac_step_kind_code(uint32_t kind);
// older, precedence, earlier, withdrawn, withdrawal, after_as_of, not_yet, source, later_commit; ""
// where it is not known, and of all that is no vintage.
ALMANAC_API const char *almanac_loss_code(uint32_t loss);

// One published value, held against what is stored; see almanac_verdict_code, almanac_check_code
// and almanac_implied_code for the numbers.
typedef struct almanac_finding {
    almanac_row claim;           // as published
    uint32_t check;              // what it was held against
    uint32_t verdict;            // what came of it
    almanac_row computed;        // what it should be; no number: nothing could be computed
    double tolerance;            // of their difference, in the unit of computed; may be an infinity
    uint32_t implies;            // what the claim says of another figure; 0: nothing
    almanac_row implied;         // that figure: its cell, its number and bounds
    const char *why_zh, *why_en; // one sentence
} almanac_finding;
typedef struct almanac_reconciliation {
    const almanac_finding *findings; // in the order of places, periods and indicators
    size_t finding_count;
    size_t match_count, doubt_count, unjudged_count; // doubt: neither of the others
    const almanac_item_error *errors;                // of indicators
    size_t error_count;
} almanac_reconciliation;
// Of the query: indicators, places, periods, measure ("": every one here), breakdown, accumulation,
// frequency, as_of, sources; the rest must be left zero.
//
// As almanac_query_open and almanac_rows_all
ALMANAC_API almanac_code almanac_reconciliation_get(almanac_client *client,
                                                    const almanac_query *query,
                                                    almanac_reconciliation **ret_reconciliation,
                                                    almanac_error *error);
ALMANAC_API void almanac_reconciliation_free(almanac_reconciliation **reconciliation);

// --- import --------------------------------------------------------------------------------------

typedef enum almanac_import_kind {
    ALMANAC_IMPORT_OBSERVATIONS = 0,
    ALMANAC_IMPORT_INDICATORS = 1,
    ALMANAC_IMPORT_PLACES = 2,
    ALMANAC_IMPORT_TARGETS = 3,
    ALMANAC_IMPORT_SOURCES = 4
} almanac_import_kind;

typedef struct almanac_progress {
    uint64_t bytes_done, bytes_total; // of the file
    uint64_t rows_done;
} almanac_progress;

typedef struct almanac_defect {
    uint64_t row;       // of the file; 1 is the header
    uint32_t column;    // 1-based; 0: the whole row
    const char *field;  // the column's name
    const char *value;  // at most 200 bytes of it
    const char *reason; // what is wrong and what was expected
    bool warning;       // the row was taken nevertheless
} almanac_defect;

typedef struct almanac_import_opts {
    almanac_import_kind kind;
    bool dry_run;         // check everything, store nothing
    const char *batch_id; // "": made of the content and the options below, so that importing the
                          // same twice counts once
    const char *encoding; // "": found out; "utf-8", "gb18030"
    const char *place, *period, *published, *source; // for columns the file does not have
    int64_t
        piece_timeout_ms; // a piece of about 2 MiB is tried again this long while the almanac is
                          // away; 0: two minutes
    // Called after each piece. false stops the import with ALMANAC_CANCELLED; what was stored
    // stays, and the same import again goes on from there.
    bool (*on_progress)(void *arg, const almanac_progress *progress);
    // Called for each defect, in the file's order. The defect is valid during the call.
    void (*on_defect)(void *arg, const almanac_defect *defect);
    void *arg;
} almanac_import_opts;

typedef struct almanac_import_result {
    uint64_t rows;        // records of the file, without the header
    uint64_t added;       // new values
    uint64_t revised;     // new versions of known values
    uint64_t unchanged;   // already there, to the digit
    uint64_t quarantined; // not taken; each has a defect that says why
    uint64_t defects_not_listed;
    uint64_t sequence; // of the last commit: give it as min_sequence to see it all; 0: none
    uint64_t pieces;
    uint64_t pieces_replayed; // were stored by an earlier import of the same
    char batch_id[129];
    char encoding[17]; // what was found
} almanac_import_result;

// Reads a CSV file, or a stream that is no file (it is spooled to a temporary file first), sends it
// in pieces cut between records, and adds up the answers. Needs a few megabytes whatever the size
// of the file. path "-": standard input. *ret_result is written on failure too: it tells what was
// stored.
//
// ALMANAC_NOT_FOUND         no such file
// ALMANAC_INVALID_ARGUMENT  empty, or its first record is longer than a record may be; and whatever
//                           the almanac finds wrong with the file as a whole
// ALMANAC_ABORTED           the file changed while it was read
// ALMANAC_CANCELLED         on_progress said so
// ALMANAC_UNAVAILABLE, ALMANAC_DEADLINE_EXCEEDED  a piece could not be delivered in time
ALMANAC_API almanac_code almanac_import_file(almanac_client *client, const char *path,
                                             const almanac_import_opts *opts,
                                             almanac_import_result *ret_result,
                                             almanac_error *error);

// --- catalogue -----------------------------------------------------------------------------------

typedef enum almanac_catalog_kind {
    ALMANAC_CATALOG_INDICATORS = 0,
    ALMANAC_CATALOG_PLACES = 1,
    ALMANAC_CATALOG_SOURCES = 2,
    ALMANAC_CATALOG_SERIES = 4,
    ALMANAC_CATALOG_QUARANTINE = 5
} almanac_catalog_kind;

typedef struct almanac_catalog_query {
    almanac_catalog_kind kind;
    const char *words; // entries that hold every word in a code, name, alias or theme; "": all
    uint32_t limit;    // 0: all
    // Series alone; NULL or "" or none: any.
    const char *places; // that have a value at any of these; expression, as in almanac_query
    const char *const *indicators; // codes or names
    size_t indicator_count;
    const char *theme;        // of the indicator
    const char *measure;      // code
    const char *breakdown;    // "_T": totals; "industry=*": that have the dimension; else this
    const char *accumulation; // "P", "C"
    const char *frequency;    // SDMX letter
} almanac_catalog_query;

typedef struct almanac_indicator {
    const char *code, *name_zh, *name_en, *unit, *value_type, *over_places, *over_time, *direction;
    const char *theme, *numerator, *denominator, *definition;
    const char *formula; // of what is made of others; else ""
    const char *const *aliases;
    size_t alias_count;
} almanac_indicator;
typedef struct almanac_place {
    const char *code, *name_zh, *name_en, *level, *parent, *valid_from, *valid_to;
    const char *const *successors;
    size_t successor_count;
    const char *const *aliases;
    size_t alias_count;
} almanac_place;
typedef struct almanac_source {
    const char *code, *title, *publisher, *published, *address, *note;
    int32_t precedence;
} almanac_source;
typedef struct almanac_series {
    const char *variant;  // "A.gdp.P.level._Z._T"
    uint64_t place_count; // with a value in some period; of those that were asked for
    uint64_t cell_count;  // this and the periods: at the one place that was asked for, else of all
    const char *first_period, *last_period;
} almanac_series;
typedef struct almanac_quarantined {
    const char *batch_id, *file_name, *field, *reason, *at;
    uint64_t row;
    uint32_t column;
    const uint8_t *record; // as it came, in its own encoding, at most 4096 bytes
    size_t record_size;
} almanac_quarantined;

typedef struct almanac_entry {
    almanac_catalog_kind kind; // which member of `as` is meant
    union {
        almanac_indicator indicator;
        almanac_place place;
        almanac_source source;
        almanac_series series;
        almanac_quarantined quarantined;
    } as;
} almanac_entry;

typedef struct almanac_catalog almanac_catalog;
ALMANAC_API almanac_code almanac_catalog_open(almanac_client *client,
                                              const almanac_catalog_query *query,
                                              almanac_catalog **ret_catalog, almanac_error *error);
// *ret_entry: the next entry, valid until the next call with this catalogue; NULL at the end.
ALMANAC_API almanac_code almanac_catalog_next(almanac_catalog *catalog,
                                              const almanac_entry **ret_entry,
                                              almanac_error *error);
ALMANAC_API void almanac_catalog_close(almanac_catalog **catalog);

// --- watch ---------------------------------------------------------------------------------------

typedef struct almanac_watch_query {
    const char *const *indicators; // none: all
    size_t indicator_count;
    const char *places;     // expression; "": all
    uint64_t from_sequence; // 0: only what comes from now on; else from this change on
    int64_t timeout_ms;     // 0: without end; else the watch ends with ALMANAC_DEADLINE_EXCEEDED,
                            // and a new one from the change after the last misses nothing
    // A standing question, in place of indicators and places; NULL: none. Its answer now is told
    // first (unless from_sequence says where a watch before it ended), then its answer after each
    // change that made it another one. at_sequence must be 0.
    const almanac_query *query;
} almanac_watch_query;

typedef struct almanac_change {
    uint64_t sequence;
    const char *at; // RFC 3339; of the answer that a standing question begins with ""
    const char *batch_id;
    uint64_t added, revised;
    bool catalog_changed;
    const char *const *variants; // series touched; of a standing question none
    size_t variant_count;
    const almanac_row *rows; // the new values, at most 4096; of a standing question its answer
    size_t row_count;
    uint64_t rows_not_listed;
    bool rows_left_out; // none of the rows are told (a bulk load, or long ago), of whatever places:
                        // ask for the series touched again
    const almanac_item_error *errors; // of indicators of a standing question
    size_t error_count;
} almanac_change;

typedef struct almanac_watch almanac_watch;
ALMANAC_API almanac_code almanac_watch_open(almanac_client *client,
                                            const almanac_watch_query *query,
                                            almanac_watch **ret_watch, almanac_error *error);
// Waits for the next change; valid until the next call with this watch. NULL: the almanac ended it.
ALMANAC_API almanac_code almanac_watch_next(almanac_watch *watch, const almanac_change **ret_change,
                                            almanac_error *error);
ALMANAC_API void almanac_watch_close(almanac_watch **watch);

// --- the almanac itself --------------------------------------------------------------------------

typedef struct almanac_service {
    const char *name, *endpoint, *state; // "serving", "not serving", "unreachable"
    uint64_t outstanding, calls, failures;
} almanac_service;
typedef struct almanac_store_part {
    const char *name; // "log", "slices", "vintages", "series", "bases", "catalog", "other", "free"
    uint64_t bytes;
} almanac_store_part;
typedef struct almanac_limit {
    const char *name; // "query_cells"; docs/OPERATING.md lists them
    uint64_t value;   // the most there may be
} almanac_limit;
typedef struct almanac_report {
    const char *version;
    const almanac_service *services;
    size_t service_count;
    bool has_store; // false: storage did not answer, and the figures below are not known
    uint64_t sequence, observations, cells, indicators, places, sources, series_variants;
    uint64_t quarantined, bytes_used, bytes_max;
    const almanac_store_part *parts; // of bytes_used
    size_t part_count;
    uint64_t parts_waiting;      // whose series are not folded yet
    uint64_t queued;             // commits that wait for the writer
    uint64_t oldest_snapshot_ms; // a snapshot has been held at least so long while commits went on
    const almanac_limit *limits; // of questions and imports
    size_t limit_count;
} almanac_report;
ALMANAC_API almanac_code almanac_report_get(almanac_client *client, almanac_report **ret_report,
                                            almanac_error *error);
ALMANAC_API void almanac_report_free(almanac_report **report);

// Reads the whole store and checks every checksum and every derived value; may take minutes, so it
// is not bound by the client's timeout but by timeout_ms (0: one hour).
typedef struct almanac_verification {
    bool clean;
    const char *const *problems;
    size_t problem_count;
    uint64_t problems_not_listed, log_records, observations, slices, cells;
} almanac_verification;
ALMANAC_API almanac_code almanac_verification_get(almanac_client *client, int64_t timeout_ms,
                                                  almanac_verification **ret_verification,
                                                  almanac_error *error);
ALMANAC_API void almanac_verification_free(almanac_verification **verification);

// Writes one state of the whole store to a file that its owner alone may read; imports go on
// meanwhile. It is written under a name of its own, "PATH.part-" and six letters, and put in the
// place of PATH when it is whole: an earlier one stays until then. PATH may be a link to a file;
// anything else that is no file is ALMANAC_INVALID_ARGUMENT. `almanac verify` and
// `almanac restore` read it. Not bound by the client's timeout but by timeout_ms (0: a day).
typedef struct almanac_backup_opts {
    int64_t timeout_ms;
    // false stops the backup with ALMANAC_CANCELLED. How many bytes there will be is a guess.
    bool (*on_progress)(void *arg, const almanac_progress *progress);
    void *arg;
} almanac_backup_opts;
typedef struct almanac_backup_result {
    uint64_t sequence; // the state
    char at[32];       // when it was begun, RFC 3339
    uint64_t observations, cells, records, bytes;
    char hash[33]; // XXH3-128, with which the file ends
} almanac_backup_result;
ALMANAC_API almanac_code almanac_backup_file(almanac_client *client, const char *path,
                                             const almanac_backup_opts *opts,
                                             almanac_backup_result *ret_result,
                                             almanac_error *error);

// --- words for people ----------------------------------------------------------------------------

typedef enum almanac_lang { ALMANAC_ZH = 0, ALMANAC_EN = 1 } almanac_lang;

// mantissa x 10^exponent in plain digits: 16853, -2 is "168.53". group: 0, or ',' to group the
// integer part by three. Exact for every int64 and every exponent from -40 to 40. Returns the
// length.
#define ALMANAC_NUMBER_TEXT_MAX 128
ALMANAC_API size_t almanac_number_text(int64_t mantissa, int32_t exponent, char group, char *out);

// "168.53 亿元", "超 6,100 家", "over 6,100", "about 13%"; "—" when missing. out holds
// ALMANAC_VALUE_TEXT_MAX bytes. Returns the length.
#define ALMANAC_VALUE_TEXT_MAX 256
ALMANAC_API size_t almanac_value_text(const almanac_row *row, almanac_lang lang, char *out);

// "CNY_E8" -> "亿元", "100 million yuan"; a code it does not know comes back as it is. out holds
// ALMANAC_UNIT_TEXT_MAX bytes. Returns the length.
#define ALMANAC_UNIT_TEXT_MAX 96
ALMANAC_API size_t almanac_unit_label(const char *unit, almanac_lang lang, char *out);

// Static text. "?" for a number or letter of nobody's; a measure code it does not know comes back.
ALMANAC_API const char *almanac_qualifier_code(uint32_t qualifier); // more_than
ALMANAC_API const char *almanac_qualifier_label(uint32_t qualifier,
                                                almanac_lang lang); // 超, over
ALMANAC_API const char *almanac_status_label(char status,
                                             almanac_lang lang); // 初步, provisional
ALMANAC_API const char *almanac_measure_label(const char *measure, almanac_lang lang);
ALMANAC_API const char *almanac_pace_verdict_code(almanac_pace_verdict verdict); // on_track
ALMANAC_API const char *almanac_pace_verdict_label(almanac_pace_verdict verdict,
                                                   almanac_lang lang); // 滞后
ALMANAC_API const char *almanac_verdict_code(uint32_t verdict);        // base_revised
ALMANAC_API const char *almanac_verdict_label(uint32_t verdict,
                                              almanac_lang lang); // 基数已修订, base revised
ALMANAC_API const char *almanac_check_code(uint32_t check);       // growth
ALMANAC_API const char *almanac_implied_code(uint32_t implied);   // base; "" for none
ALMANAC_API const char *almanac_implied_label(uint32_t implied, almanac_lang lang); // 基数, base

#ifdef __cplusplus
}
#endif
#endif
