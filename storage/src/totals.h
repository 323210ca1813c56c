// What the cells of a slice add up to, by groups of places. Pure.
//
// A adder takes cells in order of place, row by row or a block at a time, and both give the same
// totals to the bit: alm_total keeps sums that do not depend on how they were added.
#ifndef ALM_STORAGE_TOTALS_H
#define ALM_STORAGE_TOTALS_H

#include "block.h"
#include "alm/store.h"

#define ALM_GROUP_NONE UINT32_MAX

typedef struct alm_adder {
    const alm_total_groups *groups;
    alm_arena *arena;              // as long as the slice
    const alm_group_range *ranges; // of the slice's day; ALM_GROUP_NONE: of places that are no
    size_t range_count;            // members then
    size_t at;                     // the range at hand,
    alm_place_id next;             // and its first place that was not told
    alm_total *totals;
    alm_place_range *missing;
    size_t missing_count, missing_cap;
    bool has_cells;
} alm_adder;

// ALM_RESOURCE_EXHAUSTED: no memory; so all below.
ALM_MUST_USE alm_code alm_adder_begin(alm_adder *adder, const alm_total_groups *groups,
                                      alm_period period, alm_arena *arena, alm_status *st);
// Rows and blocks come in order of place. Withdrawn cells do not count.
ALM_MUST_USE alm_code alm_adder_rows(alm_adder *adder, const alm_obs *rows, size_t count,
                                     alm_status *st);
// A slice's block. ALM_DATA_LOSS: it is damaged.
ALM_MUST_USE alm_code alm_adder_block(alm_adder *adder, alm_block *block, alm_status *st);
// The rest is missing. *ret is in the arena, without its variant; its totals are NULL if no cell
// came.
ALM_MUST_USE alm_code alm_adder_end(alm_adder *adder, alm_period period, alm_slice_totals *ret,
                                    alm_status *st);

// Does a member lie in from..to-1?
bool alm_groups_have(const alm_total_groups *groups, uint64_t from, uint64_t to);

// --- rows of a read ------------------------------------------------------------------------------

// Adds up what a read visits. Zero-initialised but for the first four.
typedef struct alm_row_totals {
    const alm_total_groups *groups;
    alm_totals_visit visit;
    void *arg;
    alm_arena *arena; // reset for every slice
    bool is_open;     // there is a slice at hand
    alm_str variant;
    alm_period period;
    alm_adder adder;
} alm_row_totals;

// An alm_read_visit whose arg is the alm_row_totals.
ALM_MUST_USE alm_code alm_row_totals_take(void *arg, alm_str variant, const alm_obs_columns *rows,
                                          alm_status *st);
// Visits the slice at hand, if any. To be called when all rows of a variant were taken.
ALM_MUST_USE alm_code alm_row_totals_end(alm_row_totals *it, alm_status *st);

#endif
