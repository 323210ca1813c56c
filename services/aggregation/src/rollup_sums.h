// The running totals of a roll-up: rows go by, one accumulator a group and slice stays.
//
// Nothing is allocated for a row; a slice (one variant in one period) takes one accumulator a group
// and one bit a member.
#ifndef ALM_ROLLUP_SUMS_H
#define ALM_ROLLUP_SUMS_H

#include "alm/catalog.h"
#include "alm/slice_totals.h"
#include "rollup_groups.h"
#include "variant_table.h"

typedef struct alm_rollup_total {
    alm_total of; // all members that have a number
    // MAX, MIN
    alm_decimal extreme;
    alm_interval interval; // of the extreme
    double loose; // MAX: the greatest that a value without upper bound may be; MIN likewise
    bool may_over, may_under; // the winning value is exact or a lower (an upper) bound
} alm_rollup_total;

typedef struct alm_rollup_slice {
    uint32_t variant;
    alm_period period;
    alm_date day;             // its last
    alm_rollup_total *totals; // by group
    uint32_t *expected;       // by group: members on that day; NULL until somebody asks
    uint8_t *present;         // a bit a member
} alm_rollup_slice;

typedef struct alm_rollup_sums {
    alm_arena *arena;
    alm_variant_table *variants;
    const alm_rollup_groups *groups;
    alm_aggregation how; // SUM, AVERAGE, MAX or MIN
    alm_unit unit;       // totals are in it
    alm_rollup_slice *slices;
    size_t count, cap;
    alm_cell_index index; // (variant, period) to slice
    uint32_t last;        // slice of the row before; ALM_CELL_NONE
} alm_rollup_sums;

// The sums must stay where they are until the arena is reset; variants and groups are borrowed.
ALM_MUST_USE alm_code alm_rollup_sums_init(alm_rollup_sums *sums, alm_arena *arena,
                                           alm_variant_table *variants,
                                           const alm_rollup_groups *groups, alm_aggregation how,
                                           alm_unit unit, alm_status *st);

// An alm_row_visit whose arg is the sums.
//
// ALM_RESOURCE_EXHAUSTED  more than ALM_QUERY_CELL_COUNT_MAX totals
// ALM_INTERNAL            a cell came twice
ALM_MUST_USE alm_code alm_rollup_sums_visit(void *arg, const alm_str *variants,
                                            size_t variant_count, const alm_obs_columns *rows,
                                            alm_status *st);

// An alm_totals_visit whose arg is the sums: sums and averages, of the groups as
// alm_rollup_groups_totals says them.
//
// ALM_RESOURCE_EXHAUSTED  as above
// ALM_INTERNAL            a slice came twice, or who is missing is no member
ALM_MUST_USE alm_code alm_rollup_sums_take(void *arg, const alm_slice_totals *slice,
                                           alm_status *st);

// The slice, made empty if there is none; valid until the next slice is made.
ALM_MUST_USE alm_code alm_rollup_sums_slice(alm_rollup_sums *sums, uint32_t variant,
                                            alm_period period, uint32_t *ret, alm_status *st);
// ALM_CELL_NONE: no such slice.
uint32_t alm_rollup_sums_find(const alm_rollup_sums *sums, uint32_t variant, alm_period period);

static inline bool alm_rollup_has(const alm_rollup_slice *slice, uint32_t member)
{
    return (slice->present[member / 8] >> (member % 8)) & 1;
}

// Is the number a lower, an upper end of what the total may be?
bool alm_rollup_total_is_over(const alm_rollup_sums *sums, const alm_rollup_total *total);
bool alm_rollup_total_is_under(const alm_rollup_sums *sums, const alm_rollup_total *total);

// The total's number: exact for a sum, a maximum and a minimum; an average has two digits more than
// its members. The total must have a member (asserted).
//
// ALM_OUT_OF_RANGE  it has more than 18 digits
ALM_MUST_USE alm_code alm_rollup_total_number(const alm_rollup_sums *sums,
                                              const alm_rollup_total *total, alm_decimal *ret,
                                              alm_interval *ret_interval, alm_status *st);

#endif
