// A store against its twin: random steps are taken on both, and every answer must be the same. The
// twin is a plain list of all rows that were ever committed, and a plain copy of the catalogue.
//
// All is drawn from the seed and the number of the step, so that a run can be repeated, and steps
// left out without changing what the others draw.
#ifndef STORE_MODEL_H
#define STORE_MODEL_H

#include "alm/alloc.h"
#include "alm/store.h"

#include <stdio.h>
#include <stdlib.h>

#define VARIANT_COUNT_MAX 12
#define FREQ_COUNT        2 // annual and monthly
#define PERIOD_COUNT_MAX  40
#define SOURCE_COUNT_MAX  8
#define INDICATOR_COUNT   3
#define ROW_COUNT_MAX     120000
#define COMMIT_COUNT_MAX  40000
#define BATCH_COUNT_MAX   64 // batches kept to be repeated
#define NONE              SIZE_MAX

// How large a world is and what happens in it; drawn from its seed.
typedef struct shape {
    uint32_t place_first, place_max;
    uint32_t period_count;
    uint32_t variant_count;
    uint32_t source_max;
    uint32_t day_count;    // of publication
    uint32_t value_count;  // few: rows repeat each other
    uint32_t rows_few;     // of an ordinary batch, at most
    uint32_t feed_commits; // whose rows the feed keeps; 0: many
    bool is_uniform;       // one unit and few digits: every series is a vector
    uint32_t weights[32];  // of the steps, by their place in the table
} shape;

typedef struct world_variant {
    alm_str text;
    uint32_t indicator;
    int freq; // 0: annual, 1: monthly
    alm_measure measure;
    alm_accumulation accumulation;
    alm_str breakdown; // as alm_read.breakdown has it, "" for totals
} world_variant;

// --- the twin ------------------------------------------------------------------------------------

typedef struct twin_row {
    alm_obs obs; // variant: of the world
    size_t cell;
    size_t next; // row of the same cell committed before; NONE
} twin_row;

typedef struct twin_change {
    size_t from, to; // its rows
    uint64_t added, revised;
    bool catalog_changed;
    bool is_bulk;
    char id[24];
} twin_change;

typedef struct twin {
    twin_row *rows;
    size_t row_count;
    size_t *cells; // the newest row of each; NONE
    size_t cell_count;
    twin_change *commits; // by sequence - 1
    size_t commit_count;
    alm_place *places;
    uint32_t place_count;
    alm_indicator indicators[INDICATOR_COUNT];
    alm_source sources[SOURCE_COUNT_MAX];
    uint32_t source_count;
    uint64_t catalog_sequence;
    uint64_t *quarantine; // numbers of rows, in order
    size_t quarantine_count, quarantine_cap;
} twin;

// A batch before it is made: rows name the world's variants.
typedef struct draft {
    char id[24];
    uint64_t digest;
    bool dry_run;
    bool is_bulk;
    alm_obs *rows;
    size_t row_count, row_cap;
    alm_place *places;
    size_t place_count;
    alm_source *sources;
    size_t source_count;
    alm_indicator *indicators;
    size_t indicator_count;
    uint64_t quarantine_first;
    size_t quarantine_count;
    alm_code want; // ALM_OK, or how it is to be refused
} draft;

// What the twin expects a batch to be answered.
typedef struct expected {
    uint64_t sequence, added, revised, unchanged;
    uint64_t catalog_added, catalog_changed, catalog_unchanged;
    size_t *conflicts; // rows, ascending
    size_t conflict_count;
    size_t *withdrew_nothing; // rows, ascending
    size_t withdrew_nothing_count;
} expected;

typedef struct known_batch {
    draft draft;
    expected answer;
    alm_arena *arena; // of both
} known_batch;

typedef struct world {
    const alm_engine *engine;
    const char *engine_name;
    bool keeps; // what is committed stays when the store is closed
    uint64_t seed;
    uint64_t step;
    uint64_t random;
    shape shape;
    char dir[64];
    alm_store *store;
    alm_store_reader *reader;
    alm_status st;
    alm_arena *arena; // as long as the world
    alm_arena *work;  // as long as a step
    world_variant variants[VARIANT_COUNT_MAX];
    alm_period periods[FREQ_COUNT][PERIOD_COUNT_MAX]; // ascending
    twin twin;
    known_batch known[BATCH_COUNT_MAX]; // a ring
    size_t known_count;
    uint64_t batches; // makes batch ids
    uint64_t texts;   // makes names
    bool finished;    // the world is as large as it may get
    uint64_t reads, rows_compared;
    char failure[1024];
} world;

// Notes why the step failed and returns false from the function.
#define CHECK(w, cond, ...)                                                                        \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            world_fail((w), __FILE__, __LINE__, #cond, __VA_ARGS__);                               \
            return false;                                                                          \
        }                                                                                          \
    } while (0)
#define CHECK_OK(w, expr)                                                                          \
    do {                                                                                           \
        alm_code code_ = (expr);                                                                   \
        CHECK((w), code_ == ALM_OK, "%s: %s", alm_code_name(code_), (w)->st.message);              \
    } while (0)
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        if (!(expr)) {                                                                             \
            return false;                                                                          \
        }                                                                                          \
    } while (0)

// --- world ---------------------------------------------------------------------------------------

bool world_init(world *w, const alm_engine *engine, const char *name, uint64_t seed);
void world_deinit(world *w);
bool world_reopen(world *w); // of an engine that keeps; else nothing
void world_fail(world *w, const char *file, int line, const char *cond, const char *fmt, ...)
    ALM_PRINTF(5, 6);
void world_begin_step(world *w, uint64_t step); // what is drawn from now on is the step's

uint32_t below(world *w, uint32_t n); // 0..n-1
bool one_in(world *w, uint32_t n);
alm_place_id world_place(world *w);
void *world_alloc(alm_arena *arena, size_t count, size_t size); // zeroed; never NULL
alm_str world_text(alm_arena *arena, const char *fmt, ...) ALM_PRINTF(2, 3);

// --- twin ----------------------------------------------------------------------------------------

bool twin_init(world *w);
void twin_deinit(world *w);
size_t twin_cell(const world *w, uint32_t variant, uint32_t period, alm_place_id place);
uint32_t twin_period(const world *w, const alm_obs *obs); // its index
// Takes the draft in, or only says what it would do. In the arena.
expected twin_commit(world *w, const draft *d, bool keep, alm_arena *arena);
bool twin_has_rows(const world *w, uint32_t indicator);
bool twin_same_value(const alm_obs *a, const alm_obs *b);
bool twin_admits(const alm_read *read, const alm_obs *obs);
// The cell's winner among what the read admits; NULL: nothing is admitted.
const alm_obs *twin_winner(const world *w, const alm_read *read, size_t cell);

// --- drafts --------------------------------------------------------------------------------------

draft draft_make(world *w);
alm_obs draft_row(world *w); // any row
void draft_value(world *w, alm_obs *obs);
void draft_add(world *w, draft *d, alm_obs obs);
// Commits it to both and compares the answers. May turn it into a dry run first, or repeat it.
bool draft_commit(world *w, draft *d);
// Sends it once and compares; replayed: as a known batch.
bool draft_send(world *w, const draft *d, const expected *want, bool replayed);

// --- steps ---------------------------------------------------------------------------------------

typedef struct model_step {
    const char *name;
    uint32_t weight;
    bool (*run)(world *w); // false: w->failure says why
} model_step;
extern const model_step steps[];
extern const size_t step_count;

bool step_few(world *w);
bool step_history(world *w);
bool step_release(world *w);
bool step_revise(world *w);
bool step_withdraw(world *w);
bool step_everything(world *w);
bool step_replay(world *w);
bool step_refused(world *w);
bool step_places(world *w);
bool step_sources(world *w);
bool step_indicators(world *w);
bool step_refused_entry(world *w);
bool step_read(world *w);
bool step_read_places(world *w);
bool step_read_periods(world *w);
bool step_read_refused(world *w);
bool step_read_meddled(world *w);
bool step_vector_series(world *w);
bool step_vector_slice(world *w);
bool step_totals(world *w);
bool step_totals_refused(world *w);
bool step_change(world *w);
bool step_wait(world *w);
bool step_series(world *w);
bool step_find(world *w);
bool step_catalog(world *w);
bool step_quarantine(world *w);
bool step_figures(world *w);
bool step_verify(world *w);
bool step_compact(world *w);
bool step_reopen(world *w);

#endif
