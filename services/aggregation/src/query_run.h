// One indicator's question while it is answered: what was read and what will be told.
#ifndef ALM_QUERY_RUN_H
#define ALM_QUERY_RUN_H

#include "answer.h"
#include "cells.h"
#include "rollup_groups.h"
#include "trace.h"

// Why a period has no number, of which nothing was published at all: places have it in common.
typedef struct alm_unpublished {
    alm_measure measure;
    alm_period period;
    const char *reason; // NULL: of no period yet
} alm_unpublished;
#define ALM_UNPUBLISHED_COUNT 16

typedef struct alm_query_run {
    const alm_query_plan *plan;
    const alm_indicator *indicator;
    const alm_row_reader *reader;
    const alm_rollup_groups *groups; // of a roll-up; else NULL
    struct alm_rollup **rollups;     // their sums, once they are read
    size_t rollup_count, rollup_cap;
    const alm_read_beside *beside; // waits to be read with the first totals; NULL: nothing does
    const alm_derived *derived;    // of what is made of others; else NULL
    alm_str label;                 // what the indicator is called in answers
    bool is_named;                 // missing cells are answered; of "*" they are left out
    alm_unpublished unpublished[ALM_UNPUBLISHED_COUNT]; // by ordinal, the last that was asked
    alm_arena *arena;
    alm_variant_table variants;
    alm_cells cells;
    alm_answers answers;
    const alm_answer_sink *sink; // of answers that need not wait for the others; NULL: all do
    size_t told;                 // answers that did not
    alm_trace *trace;            // of an explanation; else NULL
} alm_query_run;

// Has it a code, under which something may have been published?
static inline bool alm_query_run_is_stored(const alm_query_run *run)
{
    return alm_str_eq(run->label, run->indicator->code);
}

// The run must stay where it is until the arena is reset.
ALM_MUST_USE alm_code alm_query_run_init(alm_query_run *run, const alm_query_plan *plan,
                                         const alm_query_item *item, const alm_row_reader *reader,
                                         alm_arena *arena, alm_status *st);

// What alm_query_run_fetch reads.
alm_fetch alm_query_run_fetch_made(const alm_query_run *run, uint32_t measures,
                                   const alm_place_id *places, size_t place_count,
                                   const alm_period_expr *periods);

// Reads into run->cells: the indicator's variants of these measures (bits), at these places
// (ascending), in these periods.
ALM_MUST_USE alm_code alm_query_run_fetch(alm_query_run *run, uint32_t measures,
                                          const alm_place_id *places, size_t place_count,
                                          const alm_period_expr *periods, alm_status *st);
// Likewise, of every frequency and accumulation whatever the question says of them.
ALM_MUST_USE alm_code alm_query_run_fetch_every(alm_query_run *run, uint32_t measures,
                                                const alm_place_id *places, size_t place_count,
                                                const alm_period_expr *periods, alm_status *st);
// Of another indicator, breakdown ("": totals) and frequency (NONE: all), of every accumulation.
ALM_MUST_USE alm_code alm_query_run_fetch_of(alm_query_run *run, const alm_indicator *indicator,
                                             uint32_t measures, alm_str breakdown, alm_freq freq,
                                             const alm_place_list *places,
                                             const alm_period_expr *periods, alm_status *st);

// The variant a missing cell is answered with: one that was read with the period's frequency and
// the measure, else what the question says of it.
ALM_MUST_USE alm_code alm_query_run_missing_variant(alm_query_run *run, alm_measure measure,
                                                    alm_freq freq, uint32_t *ret, alm_status *st);

// The same variant of another indicator.
ALM_MUST_USE alm_code alm_query_run_sibling_of(alm_query_run *run, uint32_t variant,
                                               alm_str indicator, uint32_t *ret, alm_status *st);

// printf into the run's arena.
ALM_MUST_USE alm_code alm_query_run_text(alm_query_run *run, const char **ret, alm_status *st,
                                         const char *fmt, ...) ALM_PRINTF(4, 5);

// What is missing, the first few by name: "310104 徐汇区, 310106 静安区, ...".
typedef struct alm_named {
    const char *text; // valid until the next is named
    size_t count;     // of all
    size_t len, cap;  // of the text
} alm_named;
#define ALM_NAMED_MAX  5 // by name; what comes behind them is only counted
#define ALM_NAMED_INIT ((alm_named){.text = ""})
ALM_MUST_USE alm_code alm_query_run_name_place(alm_query_run *run, alm_place_id place,
                                               alm_named *named, alm_status *st);
ALM_MUST_USE alm_code alm_query_run_name_period(alm_query_run *run, alm_period period,
                                                alm_named *named, alm_status *st);

// Why there is no number: "no level for 2022", "no level for 310000 in 2022" (with a place), or,
// for a row that was published without one, "level for 2022: missing, suppressed".
ALM_MUST_USE alm_code alm_query_run_why_missing(alm_query_run *run, const alm_obs *row,
                                                alm_measure measure, alm_place_id place,
                                                alm_period period, const char **ret,
                                                alm_status *st);

alm_code alm_query_run_no_memory(alm_status *st);

// The transforms: each reads, computes and fills run->answers.
ALM_MUST_USE alm_code alm_published_run(alm_query_run *run, alm_status *st);
ALM_MUST_USE alm_code alm_series_answer(alm_query_run *run, alm_status *st);
ALM_MUST_USE alm_code alm_target_run(alm_query_run *run, alm_status *st);

#endif
