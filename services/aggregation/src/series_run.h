// Private to series_*.c: a question with transforms on its way from what is asked to its answers.
#ifndef ALM_SERIES_RUN_H
#define ALM_SERIES_RUN_H

#include "derived_grid.h"
#include "rank_grid.h"
#include "rollup.h"
#include "source_grid.h"
#include "teller.h"
#include "trace.h"
#include "window.h"

// One answer for each series and period: a family at one frequency and accumulation.
typedef struct alm_series_target {
    alm_family family;
    alm_family lead; // of what is made of others: what was read of its lead, and of its growth
    alm_freq freq;
    alm_accumulation accumulation;
    uint32_t variant; // of the asked measure
    bool is_refused;  // the transforms do not apply to it: only what was published is answered
    alm_source_grid source;
    alm_source_grid whole; // of a share of another indicator
    alm_chain chain;
    alm_axis axes[ALM_CHAIN_STEP_COUNT_MAX + 1]; // before the first step, and behind each
    bool has_answered;                           // of the cell that was answered last:
    alm_str related;                             //   the code of the place it relates to
    uint32_t answered;                           //   and the variant it is told as
    // Of the part at hand:
    alm_grid grids[ALM_CHAIN_STEP_COUNT_MAX + 1];
    alm_rank_counts ranks;
} alm_series_target;

// Rows that were published of what is computed, found again by the cell of the asked measure.
typedef struct alm_series_published {
    alm_cell_index of; // (variant, place), period: row of the run's cells, the first
    size_t first;      // number of the first row
    uint32_t *next;    // by row from the first on: the next of the same cell; ALM_CELL_NONE: none
    uint32_t *variants;
    size_t count, cap;
} alm_series_published;

typedef struct alm_series_run {
    alm_query_run *run;
    alm_windows windows;
    alm_series_set all;
    alm_status fault; // why a family has no answer
    bool any;         // a family has one
    alm_series_target *targets;
    size_t target_count, target_cap;
    alm_series_published published;
    alm_place_id *total_places; // of the groups, of which own rows are told beside; ascending
    size_t total_count;         // 0: none are
    bool is_beside;             // they were given to be read with the roll-up's totals
    alm_teller *teller;         // of answers that are told while others are computed; else NULL
    bool is_begun;              // it knows what the rows of the series before have in common
    // Of the part at hand:
    alm_series_set set;
    alm_cell_index *seen; // (place, period) that was answered; only where cells are listed
    uint8_t *is_answered; // by series
    uint8_t *asked;       // by period, where whole series are told in columns; else NULL
} alm_series_run;

static inline alm_str alm_series_code_of(const alm_series_run *it, alm_place_id place)
{
    return place == ALM_PLACE_NONE ? (alm_str){0}
                                   : alm_place_tree_get(it->run->plan->tree, place)->code;
}

static inline const alm_transform *alm_series_transform_at(const alm_series_run *it,
                                                           alm_stage stage)
{
    return &it->run->plan->transforms.of[stage];
}

static inline const alm_grid *alm_series_last_grid(const alm_series_target *of)
{
    return &of->grids[of->chain.count];
}

// --- what was published of what is computed: series_published.c

ALM_MUST_USE alm_code alm_series_published_read(alm_series_run *it, alm_status *st);
// The first row of a cell; ALM_CELL_NONE: none.
uint32_t alm_series_published_at(const alm_series_run *it, uint32_t variant, alm_place_id place,
                                 alm_period period);
alm_obs alm_series_published_row(const alm_series_run *it, uint32_t row);
uint32_t alm_series_published_next(const alm_series_run *it, uint32_t row);
// Adds "; published growth is 13%" to a reason. row: the first that was published; ALM_CELL_NONE:
// none.
ALM_MUST_USE alm_code alm_series_mention(alm_series_run *it, uint32_t row, const char **reason,
                                         alm_status *st);

// --- what was published of a roll-up's groups: series_totals.c

// Of a roll-up alone, of groups that are not too many. Asked before the roll-up is read, which may
// read them in the same call; read afterwards, if they were not.
ALM_MUST_USE alm_code alm_series_totals_ask(alm_series_run *it, alm_status *st);
ALM_MUST_USE alm_code alm_series_totals_read(alm_series_run *it, alm_status *st);
// The row with a number that was published of a cell of the last grid. False: none, or no roll-up.
bool alm_series_total(const alm_series_run *it, const alm_series_target *of, size_t series,
                      uint32_t t, alm_obs *ret);
// "published total is 4,722.3 (100 million yuan); the sum is 12.1 (0.26 %) below", in the unit that
// was published; "" where the two intervals meet, or do not compare.
ALM_MUST_USE alm_code alm_series_total_gap(alm_series_run *it, const alm_obs *published,
                                           const alm_value *value, alm_interval interval,
                                           const char **ret, alm_status *st);
// Adds "; published total is 4,722.3 (100 million yuan)" to a reason.
ALM_MUST_USE alm_code alm_series_total_mention(alm_series_run *it, const alm_obs *published,
                                               const char **reason, alm_status *st);

// --- the targets and their periods: series_target.c

// Before anything is read: of the periods that are asked alone.
//
// ALM_RESOURCE_EXHAUSTED  more than ALM_SERIES_CELL_COUNT_MAX cells
ALM_MUST_USE alm_code alm_series_check_windows(const alm_series_run *it, alm_status *st);
ALM_MUST_USE alm_code alm_series_targets_find(alm_series_run *it, alm_status *st);
// Targets outside every window answer nothing. *ret_periods: of the largest grid, times the targets
// that stand beside each other.
//
// ALM_RESOURCE_EXHAUSTED  more than ALM_SERIES_CELL_COUNT_MAX cells
ALM_MUST_USE alm_code alm_series_targets_place(alm_series_run *it, size_t *ret_periods,
                                               alm_status *st);
// A listed period in which no member of any group has a value is answered all the same.
ALM_MUST_USE alm_code alm_series_expect_slices(alm_series_run *it, alm_status *st);

// --- reasons: series_why.c

// Why a cell of the last grid has no number: back to what was published.
ALM_MUST_USE alm_code alm_series_why(alm_series_run *it, const alm_series_target *of, size_t series,
                                     uint32_t t, const char **ret, alm_status *st);

// --- explanations: series_trace.c; the run has a trace (asserted)

// Notes how a cell of the last grid was computed, that is answered as this.
ALM_MUST_USE alm_code alm_series_trace(alm_series_run *it, const alm_series_target *of,
                                       size_t series, uint32_t t, const alm_obs *answered,
                                       alm_status *st);
// Notes that nothing was read it could be computed of. read: of what.
ALM_MUST_USE alm_code alm_series_trace_absent(alm_query_run *run, const alm_indicator *read,
                                              const alm_obs *answered, alm_status *st);

// --- the answers of the part at hand: series_answer.c

ALM_MUST_USE alm_code alm_series_answer_ranges(alm_series_run *it, alm_series_target *of,
                                               size_t series, alm_status *st);
// The newest n that have a number; without one the newest that something was published for. What is
// newer and has none is told beside the newest.
ALM_MUST_USE alm_code alm_series_answer_last(alm_series_run *it, alm_series_target *of,
                                             size_t series, alm_status *st);
// What a cell of the last grid is told as. published: the first row that was published of it;
// ALM_CELL_NONE: none.
ALM_MUST_USE alm_code alm_series_computed(alm_series_run *it, alm_series_target *of, size_t series,
                                          uint32_t t, uint32_t published, alm_obs *ret,
                                          alm_answer_extra *ret_extra, alm_status *st);
// What nothing was said of a series.
ALM_MUST_USE alm_code alm_series_answer_missing(alm_series_run *it, size_t series, alm_status *st);
// Told: computed, published beside, or asked of something that was published.
bool alm_series_is_told(const alm_series_run *it, const alm_series_target *of, size_t series,
                        uint32_t t);

// The variant that answers of a place are told as.
ALM_MUST_USE alm_code alm_series_variant(alm_series_run *it, alm_series_target *of,
                                         alm_place_id place, uint32_t *ret, alm_status *st);

// --- telling them while others are computed, where they are wanted in that order: series_tell.c

// periods: of a series, at most.
ALM_MUST_USE alm_code alm_series_tell_begin(alm_series_run *it, size_t periods, alm_status *st);
// Of the part at hand, once its grids are computed.
ALM_MUST_USE alm_code alm_series_tell_part(alm_series_run *it, alm_arena *arena, alm_status *st);
// What alm_series_answer_ranges would answer, in columns, and of listed periods all the rest.
// *ret_is_told: false if it has to.
ALM_MUST_USE alm_code alm_series_tell_ranges(alm_series_run *it, alm_series_target *of,
                                             size_t series, bool *ret_is_told, alm_status *st);
// The answers that were gathered of a series.
ALM_MUST_USE alm_code alm_series_tell_answers(alm_series_run *it, alm_status *st);
ALM_MUST_USE alm_code alm_series_tell_end(alm_series_run *it, alm_status *st);

#endif
