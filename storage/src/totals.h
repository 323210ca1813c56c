// What the cells of a slice add up to, by groups of places. Pure.
//
// A adder takes cells in order of place, row by row or a block at a time, and both give the same
// totals to the bit: alm_total keeps sums that do not depend on how they were added.
#ifndef ALM_STORAGE_TOTALS_H
#define ALM_STORAGE_TOTALS_H

#include "block.h"
#include "alm/store.h"

#define ALM_GROUP_NONE UINT32_MAX

// Rows from..to-1 of a block are members of a group, but those that the plan leaves out.
typedef struct alm_total_span {
    size_t from, to;
    uint32_t group;
    size_t left_out_to; // behind the last of them
} alm_total_span;

// Which of a block's rows are members, where that was found before: slices mostly hold the same
// places in one period after the other.
typedef struct alm_total_plan {
    uint64_t members; // the plans' number of these ranges; 0: no plan
    size_t row_count; // of the block,
    char *bytes;      // and its column of places
    size_t bytes_len, bytes_cap;
    alm_place_id behind; // all its places
    alm_total_span *spans;
    size_t span_count, span_cap;
    uint32_t *left_out; // rows
    size_t left_out_count, left_out_cap;
    alm_total_span *outside; // rows of places that are no members that day
    size_t outside_count, outside_cap;
    alm_place_range *missing; // members between the rows
    size_t missing_count, missing_cap;
    size_t at; // where the adder stands behind the block
    alm_place_id next;
} alm_total_plan;

#define ALM_TOTAL_PLAN_COUNT 16

// What the slices of a question share, and memory that goes from one to the next. Zero-initialised
// but for the arena, which must live as long.
typedef struct alm_total_plans {
    alm_arena *arena;
    uint64_t members; // number of the ranges at hand; 0: none yet
    alm_date day;     // that they are of
    alm_group_range *ranges;
    size_t range_count;
    alm_total_plan of[ALM_TOTAL_PLAN_COUNT]; // by the chunk of a block's first place
    int64_t *numbers;                        // of a block
    size_t number_cap;
} alm_total_plans;

typedef struct alm_adder {
    const alm_total_groups *groups;
    alm_total_plans *plans;
    alm_arena *arena;              // as long as the slice
    const alm_group_range *ranges; // of the slice's day; ALM_GROUP_NONE: of places that are no
    size_t range_count;            // members then
    size_t at;                     // the range at hand,
    alm_place_id next;             // and its first place that was not told
    uint64_t behind;               // all places that were told
    alm_total *totals;
    alm_place_range *missing;
    size_t missing_count, missing_cap;
    bool has_cells;
} alm_adder;

// plans are of these groups alone. ALM_RESOURCE_EXHAUSTED: no memory; so all below.
ALM_MUST_USE alm_code alm_adder_begin(alm_adder *adder, const alm_total_groups *groups,
                                      alm_total_plans *plans, alm_period period, alm_arena *arena,
                                      alm_status *st);
// Rows and blocks come in order of place. Withdrawn cells do not count.
ALM_MUST_USE alm_code alm_adder_rows(alm_adder *adder, const alm_obs *rows, size_t count,
                                     alm_status *st);
// A slice's block. scratch is for what is not kept. ALM_DATA_LOSS: it is damaged.
ALM_MUST_USE alm_code alm_adder_block(alm_adder *adder, alm_block *block, alm_arena *scratch,
                                      alm_status *st);
// The rest is missing. *ret is in the arena, without its variant; its totals are NULL if no cell
// came.
ALM_MUST_USE alm_code alm_adder_end(alm_adder *adder, alm_period period, alm_slice_totals *ret,
                                    alm_status *st);

// Does a member lie in from..to-1?
bool alm_groups_have(const alm_total_groups *groups, uint64_t from, uint64_t to);

// --- rows of a read ------------------------------------------------------------------------------

// Adds up what a read visits. Zero-initialised but for the first four, and the plans' arena.
typedef struct alm_row_totals {
    const alm_total_groups *groups;
    alm_totals_visit visit;
    void *arg;
    alm_arena *arena; // reset for every slice
    alm_total_plans plans;
    bool is_open; // there is a slice at hand
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
