// Answers told in columns: what rows have in common once, the rest in arrays.
//
// Rows leave it a block at a time, when it is flushed, or when others begin. Nothing may be told to
// its sink otherwise before it is flushed.
#ifndef ALM_TELLER_H
#define ALM_TELLER_H

#include "answer.h"

#include "alm/grid.h"

typedef struct alm_told_row {
    alm_place_id place;
    alm_period period;
    alm_decimal number; // of no meaning without one
    bool has_number;
    alm_qualifier qualifier;
    alm_obs_status status;
    Almanac__V1__Bounds bounds;
    alm_interval interval; // where the bounds are TOLD
    uint32_t source;
    alm_date published;
    alm_str note, reason;
    uint32_t of_count, of_expected;
} alm_told_row;

// A row that says what an observation does; bounds, reason and counts are still to be set.
static inline alm_told_row alm_told_row_of(const alm_obs *obs)
{
    return (alm_told_row){
        .place = obs->place,
        .period = obs->period,
        .number = obs->value.number,
        .has_number = obs->value.has_number,
        .qualifier = obs->value.qualifier,
        .status = obs->value.status,
        .source = obs->source,
        .published = obs->published,
        .note = obs->note,
    };
}

typedef struct alm_teller alm_teller;

// The sink must have a writer; both it and the plan are borrowed. Lives in the arena.
//
//   most  as many rows as will be told, or more; it holds so many, or a block of them
//
// ALM_RESOURCE_EXHAUSTED  out of memory
ALM_MUST_USE alm_code alm_teller_make(const alm_query_plan *plan, const alm_answer_sink *sink,
                                      size_t most, alm_arena *arena, alm_teller **ret,
                                      alm_status *st);

// Texts are borrowed until others begin, or the end.
ALM_MUST_USE alm_code alm_teller_begin(alm_teller *teller, const alm_told_common *common,
                                       alm_status *st);
// Texts are read during the call. A reason that stands where that of another row stood is the same.
ALM_MUST_USE alm_code alm_teller_add(alm_teller *teller, const alm_told_row *row, alm_status *st);
// What is said of a number beside what its cell says.
typedef struct alm_told_remarks {
    alm_str reason; // as of a row
    uint32_t of_count, of_expected;
} alm_told_remarks;

// Consecutive cells of a place, at least one, with the same remarks: a row each. Told are
// *ret_count of them, up to the first that has no number.
ALM_MUST_USE alm_code alm_teller_add_cells(alm_teller *teller, alm_place_id place,
                                           const alm_grid *grid, size_t cell, size_t count,
                                           const alm_told_remarks *remarks, size_t *ret_count,
                                           alm_status *st);
ALM_MUST_USE alm_code alm_teller_flush(alm_teller *teller, alm_status *st);

#endif
