// The store: every vintage of every observation, the current view, the catalogue, the change feed.
//
// This is the engine interface; nothing of LMDB shows through it. Commits are atomic, durable
// before they return, and idempotent by batch id. Nothing is ever overwritten: a revision is a
// later vintage.
//
// Threading: a store may be shared by any number of threads. Commits of several threads are grouped
//            into one write transaction and one fsync. Readers never wait for the writer.
// Lifetime:  what reads return lives in the arena they were given; no engine memory escapes.
#ifndef ALM_STORE_H
#define ALM_STORE_H

#include "alm/arena.h"
#include "alm/catalog.h"
#include "alm/log.h"
#include "alm/observation.h"
#include "alm/slice_totals.h"

typedef struct alm_store alm_store;

// What keeps a store. Both answer every question below alike; tests/conform holds them to it.
typedef struct alm_engine alm_engine;
extern const alm_engine alm_engine_lmdb;   // a folder on a local disk
extern const alm_engine alm_engine_memory; // this process's memory, gone with alm_store_close; for
                                           // tests and simulations

typedef struct alm_store_opts {
    const alm_engine *engine; // NULL: alm_engine_lmdb
    // The most the store may take; 0: 1 TiB, or what this process may have; in memory 64 GiB.
    size_t bytes_max;
    alm_clock clock; // zero: the system's
    const alm_log *log;
    // The change feed keeps the rows of the newest feed_commits commits, and those of older ones as
    // long as all that it keeps take at most feed_bytes.
    uint64_t feed_commits; // 0: ALM_FEED_COMMITS
    uint64_t feed_bytes;   // 0: ALM_FEED_BYTES
    // Snapshots that are held while commits go on (a backup over a slow line, a visitor that hangs)
    // keep what those give up. So many bytes may be kept, and as many as a group of commits and an
    // eighth of it more: then commits are refused. From half of it on backups and verifications are
    // ended.
    uint64_t held_bytes; // 0: ALM_HELD_BYTES
} alm_store_opts;

#define ALM_FEED_COMMITS UINT64_C(1000)
#define ALM_FEED_BYTES   (UINT64_C(64) << 20)
#define ALM_HELD_BYTES   (UINT64_C(4) << 30)

// Opens or makes the store in the directory; the memory engine makes an empty one and looks at no
// directory. Only one process may have it open. Nobody may use a store that is being closed.
//
// The pages that hold the data together are looked through first, which takes as long as reading
// them: the log says how far it is once a second.
//
// ALM_FAILED_PRECONDITION  another process has it open; a network file system; a format that is
//                          newer than this program
// ALM_UNAVAILABLE          an I/O error on the folder or one of its files
// ALM_DATA_LOSS            not a store, or damaged so that reads could miss a record unnoticed: a
//                          page, the file's length, a key; the message says where. A damaged value
//                          is no reason: it is logged as a warning with its record's name, and
//                          what reads that record answers ALM_DATA_LOSS
ALM_MUST_USE alm_code alm_store_open(const char *dir, const alm_store_opts *opts, alm_store **ret,
                                     alm_status *st);
void alm_store_close(alm_store **store);

// --- observations --------------------------------------------------------------------------------

#define ALM_QUARANTINE_RECORD_BYTES 4096 // of a record that could not be taken

typedef struct alm_quarantined {
    alm_str batch_id, file_name;
    uint64_t row;
    uint32_t column;
    alm_str field, reason, record;
    int64_t at_us;
} alm_quarantined;

typedef struct alm_batch {
    alm_str id;              // 1..ALM_BATCH_ID_BYTES_MAX bytes
    uint64_t digest;         // of the content
    const alm_str *variants; // canonical text
    size_t variant_count;
    const alm_obs *obs; // at most ALM_COMMIT_ROW_COUNT_MAX, or ALM_BULK_ROW_COUNT_MAX
    size_t obs_count;
    const alm_indicator *indicators; // added, or changed where the code is known
    size_t indicator_count;
    const alm_place *places;
    size_t place_count;
    const alm_source *sources;
    size_t source_count;
    const alm_quarantined *quarantine;
    size_t quarantine_count;
    bool dry_run;
    bool is_bulk; // a load of history: the change feed leaves its rows out
} alm_batch;

// A load is quickest in batches of whole ranges of so many places, from a multiple of it on, with
// all their periods: what a batch wrote is not read again for the next one.
#define ALM_BULK_PLACE_COUNT 16384

typedef struct alm_conflict {
    size_t row; // index into obs
    alm_str reason;
} alm_conflict;

typedef struct alm_commit_result {
    uint64_t sequence; // 0: nothing to store (all unchanged, or dry_run)
    bool replayed;     // the batch id was known: the first answer is repeated
    uint64_t added, revised, unchanged;
    uint64_t catalog_added, catalog_changed, catalog_unchanged;
    const alm_conflict *conflicts; // rows not stored, by row; in the arena
    size_t conflict_count;
    const size_t *withdrew_nothing; // rows stored that withdraw what their source had not published
    size_t withdrew_nothing_count;  // in the cell before their day; ascending, in the arena
} alm_commit_result;

// A batch that is refused leaves nothing, and its id is free. One that is known is answered from
// the first before anything else of it is looked at but its form, also as a dry run.
//
// Catalogue entries are applied before observations. An observation row is
//   unchanged  the same cell, source and publication date hold the same value, unit, qualifier,
//              status and note already
//   conflict   they hold another value: not stored, reported (two rows of one batch likewise: the
//              second is the conflict)
//   revised    the cell has vintages, this is another one
//   added      the cell is new
// Changing a catalogue entry's code is impossible; changing an indicator's dimension once it has
// observations, or a place's level, is ALM_FAILED_PRECONDITION.
//
// ALM_INVALID_ARGUMENT     a malformed row or entry; the message names it. Nothing is stored
// ALM_ALREADY_EXISTS       the batch id is known with another digest
// ALM_RESOURCE_EXHAUSTED   bytes_max or disk full, or a snapshot that is held keeps too much
//                          (alm_store_opts.held_bytes); nothing is stored; reads go on
// ALM_UNAVAILABLE          an I/O error: whether it is stored shows when the store is opened again,
//                          and until then it takes no commits; reads go on
ALM_MUST_USE alm_code alm_store_commit(alm_store *store, const alm_batch *batch, alm_arena *arena,
                                       alm_commit_result *ret, alm_status *st);

// Of each slice, only the cells that come first by their numbers.
typedef struct alm_top {
    uint32_t count; // 0: all cells; at most ALM_TOP_COUNT_MAX
    bool is_lowest; // the lowest come first, else the highest
} alm_top;

typedef struct alm_read {
    const alm_str *indicators; // codes; none: all
    size_t indicator_count;
    uint32_t measures;             // bit (1 << alm_measure); 0: all
    alm_accumulation accumulation; // NONE: all
    alm_freq freq;                 // NONE: all
    alm_str breakdown;             // "": totals only; "*": all; else canonical "a=b+c=d"
    bool all_places;
    const alm_place_id *places; // ascending
    size_t place_count;
    uint32_t last; // > 0: the newest n periods with a value, by series
    bool all_periods;
    const alm_period *from; // pairs; freq NONE is an open end
    const alm_period *to;
    size_t period_count;
    alm_date as_of;          // ALM_DATE_MAX: newest
    alm_date today;          // with that: what was published later does not count; 0: all counts
    uint64_t at_sequence;    // 0: newest
    const uint32_t *sources; // ids; none: all
    size_t source_count;
    bool without_value; // cells of which all was withdrawn, too; with `last` those that miss one
    bool all_vintages;
    alm_top top;
} alm_read;

// Visits rows of one variant at a time, at least one, ordered by (period, place). variant is
// canonical text, and 0 in the rows, which are valid during the visit. The visitor returns ALM_OK
// to go on. Called without any lock or read snapshot held: the visitor may block.
typedef alm_code (*alm_read_visit)(void *arg, alm_str variant, const alm_obs_columns *rows,
                                   alm_status *st);

// Which of several vintages of a cell wins: among those of the sources that are allowed, published
// on or before as_of and committed at or before at_sequence, what each source published last is its
// word. A source whose word is WITHDRAWN is out: it takes back its own figure, which was published
// earlier, and no other source's. Of the others the highest precedence wins (source NONE counts as
// 0), of equal ones the latest published, then the latest committed, then the lower source id. If
// all are out the cell has no value. Precedences are the catalogue's when the read begins, of past
// states too. `today` is as_of for those who ask for the newest: it costs nothing where the store
// holds no vintage that was published later.
//
// Each variant comes once, in visits that follow each other; variants in no promised order.
// without_value: a cell of which all was withdrawn comes, too, as the withdrawal that took its last
// value away (the latest of the sources that had published one; of others if there is none). With
// `last` the newest n are then of all cells, whether they have a value, miss it or had one.
// all_vintages: every admitted vintage of the cells, withdrawn ones too, by publication, commit and
// source. Ranges go before all_periods; a bound is of the periods of its own frequency and length.
// *ret_sequence (may be NULL): the state that is read; set before the first visit. With `last` and
// ranges, the newest n within the ranges; a missing value is none.
// top: numbers are compared with those of the same slice and unit. Of these the first `count` cells
// come, and all that have the same number as the last of them; cells without a number only where no
// unit of the slice has so many with one. So the first `count` cells in any order that goes by
// number first are among them.
//
// ALM_INVALID_ARGUMENT    places that do not ascend, a malformed range, a top of too many or of
//                         all_vintages
// ALM_OUT_OF_RANGE        at_sequence is not committed yet
// ALM_DATA_LOSS           a record is damaged; the message names it
// ALM_RESOURCE_EXHAUSTED  out of memory
ALM_MUST_USE alm_code alm_store_read(alm_store *store, const alm_read *read, alm_read_visit visit,
                                     void *arg, uint64_t *ret_sequence, alm_status *st);

// --- vectors -------------------------------------------------------------------------------------

// A reader answers the questions that are asked most, one series or one slice, as columns of
// numbers: a microsecond or a few for a series, a few nanoseconds for each place of a slice. It
// belongs to one thread at a time and keeps its memory from question to question; it holds no
// snapshot between them.
typedef struct alm_store_reader alm_store_reader;
ALM_MUST_USE alm_code alm_store_reader_open(alm_store *store, alm_store_reader **ret,
                                            alm_status *st);
void alm_store_reader_close(alm_store_reader **reader); // before its store

// Cells that have a value, be it a missing one. Valid until the reader's next question.
typedef struct alm_vector {
    size_t count;
    const alm_place_id *places; // of a slice, ascending; NULL: of a series
    const alm_period *periods;  // of a series, ascending; NULL: of a slice
    const int64_t *numbers;     // x 10^exponent; 0 where there is none
    int8_t exponent;
    alm_unit unit;         // of all numbers
    const uint16_t *flags; // alm_cell_flags of each; NULL: they all have common_flags
    uint16_t common_flags;
    uint64_t sequence; // the state that was read
} alm_vector;

// qualifier | status << 4 | has_number << 8
static inline bool alm_cell_has_number(uint16_t flags)
{
    return flags >> 8 != 0;
}
static inline alm_obs_status alm_cell_status(uint16_t flags)
{
    return (alm_obs_status)(flags >> 4 & 0xf);
}
static inline alm_qualifier alm_cell_qualifier(uint16_t flags)
{
    return (alm_qualifier)(flags & 0xf);
}

// What was known then. NULL where it is asked for: now.
typedef struct alm_as_of {
    alm_date published; // ALM_DATE_MAX: any
    uint64_t sequence;  // 0: any
} alm_as_of;

// The variant's cells at one place, by period; or in one period at the places from..to-1. An
// unknown variant, place or period has no cells. Which vintage wins is said at alm_store_read.
//
// ALM_FAILED_PRECONDITION  the numbers have several units, or no common exponent: read the rows
// ALM_INVALID_ARGUMENT     not a variant, not a period
// ALM_OUT_OF_RANGE         a sequence that is not committed yet
// ALM_DATA_LOSS            a record is damaged; the message names it
// ALM_RESOURCE_EXHAUSTED   out of memory
ALM_MUST_USE alm_code alm_store_series(alm_store_reader *reader, alm_str variant,
                                       alm_place_id place, const alm_as_of *as_of, alm_vector *ret,
                                       alm_status *st);
ALM_MUST_USE alm_code alm_store_slice(alm_store_reader *reader, alm_str variant, alm_period period,
                                      alm_place_id from, alm_place_id to, const alm_as_of *as_of,
                                      alm_vector *ret, alm_status *st);

// What the cells of a range add up to.
typedef struct alm_sum {
    int64_t number;      // x 10^exponent
    uint64_t count;      // of the cells that have a number
    uint32_t statuses;   // a bit (1 << alm_obs_status) for each that is among the cells
    uint32_t qualifiers; // likewise (1 << alm_qualifier)
} alm_sum;

// Valid until the reader's next question.
typedef struct alm_sums {
    const alm_sum *sums; // of each range
    size_t count;
    int8_t exponent;
    alm_unit unit;
    uint64_t sequence; // the state that was read
} alm_sums;

// As alm_store_slice, added up over ranges, which ascend and do not overlap: a roll-up from towns
// to provinces is one question, and takes less than to read the towns.
//
// ALM_OUT_OF_RANGE      also: a sum has more than 18 digits; read the slice
// ALM_INVALID_ARGUMENT  also: ranges that do not ascend
ALM_MUST_USE alm_code alm_store_sums(alm_store_reader *reader, alm_str variant, alm_period period,
                                     const alm_place_range *ranges, size_t count,
                                     const alm_as_of *as_of, alm_sums *ret, alm_status *st);

// --- totals --------------------------------------------------------------------------------------

// Adds up the winning cells of a read, whatever its places: those of the groups count. Visits every
// slice in which some member has a cell, also one without a number or of a place that is no member
// that day; in the order and under the promises of alm_store_read.
//
// ALM_INVALID_ARGUMENT    also: ranges or spans that do not ascend, a group that is not there,
//                         without_value, all_vintages, top
ALM_MUST_USE alm_code alm_store_totals(alm_store *store, const alm_read *read,
                                       const alm_total_groups *groups, alm_totals_visit visit,
                                       void *arg, uint64_t *ret_sequence, alm_status *st);

// --- catalogue -----------------------------------------------------------------------------------

// Visits entries in id order; views are valid during the visit. No lock or snapshot is held
// meanwhile. *ret_catalog_sequence (may be NULL) is set before the first visit.
typedef struct alm_catalog_visitor {
    void *arg;
    alm_code (*indicator)(void *arg, uint32_t id, const alm_indicator *entry, alm_status *st);
    alm_code (*place)(void *arg, alm_place_id id, const alm_place *entry, alm_status *st);
    alm_code (*source)(void *arg, uint32_t id, const alm_source *entry, alm_status *st);
} alm_catalog_visitor;
ALM_MUST_USE alm_code alm_store_visit_catalog(alm_store *store, const alm_catalog_visitor *visitor,
                                              uint64_t *ret_catalog_sequence, alm_status *st);

// Visits the entries with these ids of the kind that the visitor has a function for (only one), in
// the order of the ids; there is no entry with an id that is not known.
ALM_MUST_USE alm_code alm_store_visit_entries(alm_store *store, const uint32_t *ids, size_t count,
                                              const alm_catalog_visitor *visitor, alm_status *st);

typedef struct alm_series_info {
    alm_str variant;
    uint64_t place_count, cell_count; // with a value
    uint64_t asked_place_count;       // of place_count, those that were asked for
    alm_period first, last;           // with a value; FREQ_NONE: none has
} alm_series_info;
typedef alm_code (*alm_series_visit)(void *arg, const alm_series_info *info, alm_status *st);

// What is asked for, each part narrowing the answer.
typedef struct alm_series_query {
    const alm_str *indicators; // codes; none: all
    size_t indicator_count;
    alm_str theme;                 // of the indicator; "": any
    uint32_t measures;             // bit (1 << alm_measure); 0: all
    alm_accumulation accumulation; // NONE: all
    alm_freq freq;                 // NONE: all
    alm_str breakdown;          // "": totals only; "*": all; "a=*": those that have the dimension
                                // a; else canonical "a=b+c=d"
    bool all_places;            // else variants with a value at any of these, a subtree's say
    const alm_place_id *places; // ascending
    size_t place_count;
} alm_series_query;

// Visits the variants by age, as of one state; no snapshot is held meanwhile. With all_places also
// those that have no value any more. Cost: a look at each variant, and for those that the rest of
// the question leaves, at what places they have; no slice is read.
//
// ALM_INVALID_ARGUMENT    places that do not ascend
// ALM_DATA_LOSS           a record is damaged; the message names it
// ALM_RESOURCE_EXHAUSTED  out of memory
ALM_MUST_USE alm_code alm_store_find_series(alm_store *store, const alm_series_query *query,
                                            alm_series_visit visit, void *arg, alm_status *st);
// All of them.
ALM_MUST_USE alm_code alm_store_visit_series(alm_store *store, alm_series_visit visit, void *arg,
                                             alm_status *st);
ALM_MUST_USE alm_code alm_store_visit_quarantine(
    alm_store *store, alm_code (*visit)(void *arg, const alm_quarantined *row, alm_status *st),
    void *arg, alm_status *st);

// --- change feed ---------------------------------------------------------------------------------

typedef struct alm_change {
    uint64_t sequence;
    int64_t at_us;
    alm_str batch_id;
    uint64_t added, revised;
    bool catalog_changed;
    const alm_str *variants;
    size_t variant_count;
    bool has_rows; // false: a bulk load, or before alm_store_stats.feed_from; read the variants
    const alm_obs *obs;
    size_t obs_count;
} alm_change;

// The commit with that sequence (0 is the first: sequences begin at 1 and have no gaps), and the
// variants of the rows it stored. Commits are told for good, their rows for a while
// (alm_store_opts.feed_commits), in no promised order. Rows that are not told any more, or never
// were, are among those of the variants with that sequence that a read of all vintages answers.
//
// ALM_NOT_FOUND            there is none yet
// ALM_DATA_LOSS            its record is missing or damaged; the message names it
// ALM_RESOURCE_EXHAUSTED   out of memory
ALM_MUST_USE alm_code alm_store_change(alm_store *store, uint64_t from_sequence, alm_arena *arena,
                                       alm_change *ret, alm_status *st);
// Waits until the store's sequence is at least `sequence`. ALM_DEADLINE_EXCEEDED after timeout_ms.
ALM_MUST_USE alm_code alm_store_wait(alm_store *store, uint64_t sequence, int64_t timeout_ms,
                                     alm_status *st);

// --- care ----------------------------------------------------------------------------------------

typedef struct alm_store_stats {
    uint64_t sequence, catalog_sequence, observations, cells, indicators, places, sources,
        series_variants, quarantined, bytes_used, bytes_max;
    uint32_t snapshots;           // held now, by reads, backups and verifications
    uint64_t oldest_snapshot_lag; // commits since the oldest of them began
    uint64_t oldest_snapshot_us;  // it has been held at least so long while commits went on
    bool is_nearly_full; // of bytes_max 80 % are or were used: open it larger before it is full
    uint64_t damaged;    // records with a damaged value, of those looked at when it was opened
    uint64_t commits, commit_groups; // since open; commits/groups is the group commit's gain
    uint64_t feed_from;  // from here on the feed has the rows of every commit that is no bulk load
    uint64_t feed_bytes; // that its rows take
    uint64_t parts_waiting;  // to be folded
    uint64_t queued;         // batches that wait for the writer
    uint64_t folds;          // since open, as the four below
    int64_t folded_at_us;    // the last one, wall clock; 0: none
    uint64_t syncs, sync_us; // transactions made durable, how long that took
} alm_store_stats;
ALM_MUST_USE alm_code alm_store_stats_get(alm_store *store, alm_store_stats *ret, alm_status *st);

// What takes the bytes of a store. X(NAME, word)
#define ALM_STORE_PART_MAP(X)                                                                      \
    X(LOG, "log")                                                                                  \
    X(SLICES, "slices")                                                                            \
    X(VINTAGES, "vintages")                                                                        \
    X(SERIES, "series")                                                                            \
    X(BASES, "bases")                                                                              \
    X(CATALOG, "catalog")                                                                          \
    X(OTHER, "other") /* batches, variants, quarantine */                                          \
    X(FREE, "free")   /* given up, and used again */
typedef enum alm_store_part {
#define ALM_STORE_PART_ENUM(name, word) ALM_STORE_PART_##name,
    ALM_STORE_PART_MAP(ALM_STORE_PART_ENUM)
#undef ALM_STORE_PART_ENUM
        ALM_STORE_PART_COUNT
} alm_store_part;
const char *alm_store_part_word(alm_store_part part);

// Bytes by part. Every page that was given up is looked at: for people and metrics, not for
// each call. 0 where the engine does not know.
ALM_MUST_USE alm_code alm_store_sizes_get(alm_store *store, uint64_t ret[ALM_STORE_PART_COUNT],
                                          alm_status *st);

// Puts the store into its best form: everything that is done bit by bit beside the commits, done
// now. Reads and commits go on. The change feed keeps no more rows than it was told to.
//
// ALM_UNAVAILABLE         the store is closing
// ALM_RESOURCE_EXHAUSTED  disk or memory full, or a held snapshot keeps too much
// ALM_DATA_LOSS           a record is damaged; the message names it
ALM_MUST_USE alm_code alm_store_compact(alm_store *store, alm_status *st);

typedef struct alm_verify_result {
    uint64_t log_records, observations, slices, cells, problems;
} alm_verify_result;
// Checks structure, checksums, the current view against the log, and counts. Each problem is told
// to the visitor in a sentence. ALM_OK even when there are problems.
//
// ALM_ABORTED             commits gave up too much meanwhile (alm_store_opts.held_bytes)
// ALM_RESOURCE_EXHAUSTED  out of memory
ALM_MUST_USE alm_code alm_store_verify(alm_store *store, void (*problem)(void *arg, alm_str text),
                                       void *arg, alm_verify_result *ret, alm_status *st);
// The same of a folder that no process has open; nothing is written to it. It is read in a child
// of this process, which must have no store open: that the child died is a problem like others.
//
// ALM_NOT_FOUND            no store is there
// ALM_FAILED_PRECONDITION  another process has it open; another format
// ALM_UNIMPLEMENTED        the memory engine
ALM_MUST_USE alm_code alm_store_verify_dir(const char *dir, const alm_store_opts *opts,
                                           void (*problem)(void *arg, alm_str text), void *arg,
                                           alm_verify_result *ret, alm_status *st);
typedef struct alm_rebuild_result {
    uint64_t observations, cells, slices; // of what was made
    uint64_t damaged;                     // records that could not be read
    uint64_t recovered;                   // rows that only the log had
    uint64_t lost;                        // rows that no undamaged record had
} alm_rebuild_result;

// Makes a damaged store anew in its folder, which no process has open: slices, series and counts
// from the rows of all undamaged records, each of which stands in two places at least. The old file
// stays as data.mdb.damaged. What was damaged, and what is lost, is told in sentences. ALM_OK even
// when rows are lost: what is left is a whole store without them. Catalogue entries stand once; if
// one is damaged, a backup is the only help.
//
// Errors of alm_store_verify_dir, and
// ALM_DATA_LOSS           a catalogue entry, or so much that nothing can be made; nothing changed
// ALM_RESOURCE_EXHAUSTED  disk or memory full; nothing changed
ALM_MUST_USE alm_code alm_store_rebuild(const char *dir, const alm_store_opts *opts,
                                        void (*problem)(void *arg, alm_str text), void *arg,
                                        alm_rebuild_result *ret, alm_status *st);

// --- backup --------------------------------------------------------------------------------------

#define ALM_BACKUP_HASH_BYTES 16
typedef struct alm_backup_info {
    uint32_t format;   // of the store
    uint64_t sequence; // the state it holds
    int64_t at_us;     // when it was begun
    uint64_t observations, cells, records;
    uint64_t bytes, data_bytes;          // of all, and of the records among them
    uint8_t hash[ALM_BACKUP_HASH_BYTES]; // XXH3-128 of all before it: of accidents, not of forgery
} alm_backup_info;

// Where a backup goes, and comes from.
typedef struct alm_backup_sink {
    void *arg;
    alm_code (*write)(void *arg, const void *data, size_t len, alm_status *st); // all of it
    void (*progress)(void *arg, uint64_t records, uint64_t of);                 // NULL: not told
} alm_backup_sink;
typedef struct alm_backup_source {
    void *arg;
    // *ret_len 0: the end.
    alm_code (*read)(void *arg, void *data, size_t len, size_t *ret_len, alm_status *st);
    void (*progress)(void *arg, uint64_t records, uint64_t of);
} alm_backup_source;

// Writes one state of the whole store, in a form that depends on no engine's files. Reads and
// commits go on, but what they give up stays on the disk until it is over, so that a sink that
// does not take what it is given lets the store grow. *ret is set on success.
//
// ALM_UNIMPLEMENTED  the memory engine
// ALM_DATA_LOSS      a record is damaged; the message names it
// ALM_ABORTED        commits gave up too much meanwhile (alm_store_opts.held_bytes)
ALM_MUST_USE alm_code alm_store_backup(alm_store *store, const alm_backup_sink *sink,
                                       alm_backup_info *ret, alm_status *st);

// Reads a backup to its end: is it whole, and every record what it was?
//
// ALM_DATA_LOSS  no
ALM_MUST_USE alm_code alm_store_backup_check(const alm_backup_source *source, alm_backup_info *ret,
                                             alm_status *st);

// Makes a store of a backup, in a folder that is empty or not there; it holds none if that fails.
// A store was made, opened and closed again when it returns.
//
// ALM_UNIMPLEMENTED        the memory engine
// ALM_FAILED_PRECONDITION  the folder is not empty; a network file system; a newer format
// ALM_DATA_LOSS            the backup is cut short or damaged
// ALM_RESOURCE_EXHAUSTED   disk or memory full
ALM_MUST_USE alm_code alm_store_restore(const alm_backup_source *source, const char *dir,
                                        const alm_store_opts *opts, alm_backup_info *ret,
                                        alm_status *st);

#endif
