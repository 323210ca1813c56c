// Of each slice of a read the cells with the highest or the lowest numbers: what alm_read.top asks
// for. Pure.
#ifndef ALM_STORAGE_TOP_H
#define ALM_STORAGE_TOP_H

#include "alm/arena.h"
#include "alm/store.h"

// Does a number that compares so with another come behind it?
static inline bool alm_top_is_behind(alm_top top, int order)
{
    return top.is_lowest ? order > 0 : order < 0;
}

// The first numbers of one unit.
typedef struct alm_top_unit {
    alm_unit unit;
    alm_decimal *first; // a heap: the last in order is at its root
    size_t count;       // at most top.count
} alm_top_unit;

// Passes on what a read visits, but for the cells that are not wanted. Zero-initialised but for the
// first four.
typedef struct alm_top_rows {
    alm_top top;
    alm_read_visit visit;
    void *arg;
    alm_arena *arena; // reset for every visit
    alm_str variant;  // of the rows that are kept; "": none yet
    alm_obs *rows;
    size_t count, cap;
    size_t from; // the first of the slice at hand
    alm_top_unit *units;
    size_t unit_count, unit_cap;
} alm_top_rows;

// An alm_read_visit whose arg is the alm_top_rows. ALM_RESOURCE_EXHAUSTED also: no memory.
ALM_MUST_USE alm_code alm_top_rows_take(void *arg, alm_str variant, const alm_obs_columns *rows,
                                        alm_status *st);
// Visits what is left. To be called when all rows were taken.
ALM_MUST_USE alm_code alm_top_rows_end(alm_top_rows *it, alm_status *st);

#endif
