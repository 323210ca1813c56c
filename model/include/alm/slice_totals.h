// What a slice's cells add up to, by groups of places: how it is asked, and how it is told.
#ifndef ALM_SLICE_TOTALS_H
#define ALM_SLICE_TOTALS_H

#include "alm/total.h"

// Places from..to-1.
typedef struct alm_place_range {
    alm_place_id from, to;
} alm_place_range;

#define ALM_TOTAL_GROUP_COUNT_MAX 32768 // of one question

// Places from..to-1 are members of a group.
typedef struct alm_group_range {
    alm_place_id from, to;
    uint32_t group;
} alm_group_range;

// A place that began or ended: it is a member in periods whose last day is one of these.
typedef struct alm_member_span {
    alm_place_id place;
    alm_date from, to; // both included
} alm_member_span;

// Which places add up to which totals, and in which unit.
typedef struct alm_total_groups {
    const alm_group_range *ranges; // ascending, apart from each other, none empty
    size_t range_count;
    uint32_t group_count;
    const alm_member_span *spans; // ascending by place; those that are no members do not matter
    size_t span_count;
    alm_unit unit;
} alm_total_groups;

// What one variant's cells in one period add up to. Valid during the visit.
typedef struct alm_slice_totals {
    alm_str variant;
    alm_period period;
    const alm_total *totals;        // of each group
    const alm_place_range *missing; // members that have no number in the unit, ascending
    size_t missing_count;
} alm_slice_totals;
typedef alm_code (*alm_totals_visit)(void *arg, const alm_slice_totals *slice, alm_status *st);

#endif
