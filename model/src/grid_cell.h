// One cell of a grid taken out, and what cells computed of others inherit.
#ifndef ALM_GRID_CELL_H
#define ALM_GRID_CELL_H

#include "alm/grid.h"

#include <math.h>

typedef struct alm_cell {
    double number, lower, upper;
    __int128 mantissa; // if EXACT: x 10^exponent of the grid
    uint64_t newest;
    uint8_t flags; // EXACT, bounds and status
    alm_gap gap;
    int8_t digits;
} alm_cell;

#define ALM_CELL_BOUNDS    (ALM_CELL_OVER | ALM_CELL_UNDER)
#define ALM_PERCENT_DIGITS (-2)

static inline alm_cell alm_cell_at(const alm_grid *grid, size_t i)
{
    alm_cell it = {
        .lower = grid->lower[i],
        .upper = grid->upper[i],
        .newest = grid->newest[i],
        .flags = grid->flags[i],
        .gap = grid->gaps[i],
        .digits = grid->digits[i],
    };
    if (it.flags & ALM_CELL_EXACT) {
        it.mantissa = grid->mantissas[i];
        it.number = alm_decimal_to_double((alm_decimal){grid->mantissas[i], grid->exponent});
    } else if (grid->numbers != NULL) {
        it.number = grid->numbers[i];
    }
    return it;
}

static inline bool alm_cell_has(const alm_cell *it)
{
    return it->gap == ALM_GAP_NONE;
}

static inline void alm_cell_set_status(alm_cell *it, alm_obs_status status)
{
    it->flags = (uint8_t)((it->flags & ((1 << ALM_CELL_STATUS_SHIFT) - 1)) |
                          status << ALM_CELL_STATUS_SHIFT);
}

// The worst status of two, where one that is nothing does not count; and the newest publication.
static inline void alm_cell_inherit(alm_cell *it, const alm_cell *from)
{
    it->newest = ALM_MAX(it->newest, from->newest);
    if (from->gap != ALM_GAP_UNOBSERVED) {
        alm_cell_set_status(it, alm_obs_status_worst(alm_cell_flags_status(it->flags),
                                                     alm_cell_flags_status(from->flags)));
    }
}

static inline void alm_cell_make_gap(alm_cell *it, alm_gap gap)
{
    alm_obs_status status = alm_cell_flags_status(it->flags);
    bool is_undefined = gap != ALM_GAP_INPUT;
    if (!alm_obs_status_missing(status)) {
        status = is_undefined ? ALM_OBS_STATUS_MISSING : ALM_OBS_STATUS_MISSING_UNSPECIFIED;
    }
    it->gap = gap;
    it->flags = ALM_CELL_COMPUTED;
    alm_cell_set_status(it, status);
    it->number = 0;
    it->mantissa = 0;
    it->lower = -INFINITY;
    it->upper = INFINITY;
}

// Bounds of a - b.
static inline uint8_t alm_cell_bounds_difference(uint8_t a, uint8_t b)
{
    bool is_over = (a & ALM_CELL_OVER) && (b & ALM_CELL_UNDER);
    bool is_under = (a & ALM_CELL_UNDER) && (b & ALM_CELL_OVER);
    return (uint8_t)((is_over ? ALM_CELL_OVER : 0) | (is_under ? ALM_CELL_UNDER : 0));
}

// Bounds of a / b, b > 0: more of b makes less of it, and more if a is negative.
static inline uint8_t alm_cell_bounds_quotient(const alm_cell *a, const alm_cell *b)
{
    uint8_t below = b->flags & ALM_CELL_BOUNDS;
    if (a->number < 0 && below != ALM_CELL_BOUNDS) {
        below ^= below == 0 ? 0 : ALM_CELL_BOUNDS;
    }
    return alm_cell_bounds_difference(a->flags, below);
}

// A decimal that does not fit is a double where the grid has doubles, and a gap where it has none.
static inline void alm_cell_put(alm_grid *grid, size_t i, alm_cell *it)
{
    bool is_exact = (it->flags & ALM_CELL_EXACT) && grid->mantissas != NULL &&
                    it->mantissa <= ALM_DECIMAL_MANTISSA_MAX &&
                    it->mantissa >= -ALM_DECIMAL_MANTISSA_MAX;
    bool fits = is_exact || (grid->numbers != NULL && fabs(it->number) < ALM_GRID_NUMBER_MAX);
    if (alm_cell_has(it) && !fits) {
        alm_cell_make_gap(it, ALM_GAP_RANGE);
        is_exact = false;
    }
    if (grid->mantissas != NULL) {
        grid->mantissas[i] = is_exact ? (int64_t)it->mantissa : 0;
    }
    if (grid->numbers != NULL) {
        grid->numbers[i] = it->number;
    }
    it->flags = (uint8_t)(is_exact ? it->flags : it->flags & ~ALM_CELL_EXACT);
    grid->digits[i] = it->digits;
    grid->lower[i] = it->lower;
    grid->upper[i] = it->upper;
    grid->flags[i] = it->flags;
    grid->gaps[i] = (uint8_t)it->gap;
    grid->newest[i] = it->newest;
}

// Numbers, ends and flags of a - b; what else `it` has stays.
static inline void alm_cell_subtract(const alm_cell *a, const alm_cell *b, alm_cell *it)
{
    it->number = a->number - b->number;
    it->mantissa = a->mantissa - b->mantissa;
    it->lower = a->lower - b->upper;
    it->upper = a->upper - b->lower;
    it->digits = ALM_MIN(a->digits, b->digits);
    it->flags |= (uint8_t)(alm_cell_bounds_difference(a->flags, b->flags) |
                           (a->flags & b->flags & ALM_CELL_EXACT));
}

// Likewise part / whole x 100.
static inline void alm_cell_take_percent(const alm_cell *part, const alm_cell *whole, alm_cell *it)
{
    alm_interval ends = alm_interval_div((alm_interval){part->lower, part->upper},
                                         (alm_interval){whole->lower, whole->upper});
    it->number = part->number / whole->number * 100;
    it->lower = ends.lower * 100;
    it->upper = ends.upper * 100;
    it->digits = ALM_PERCENT_DIGITS;
    it->flags |= alm_cell_bounds_quotient(part, whole);
}

#endif
