// From the first period to the last of each frequency.
#ifndef ALM_PERIOD_HULL_H
#define ALM_PERIOD_HULL_H

#include "alm/arena.h"
#include "alm/period_expr.h"

typedef struct alm_period_hull {
    alm_period_range of[ALM_FREQ_DAY + 1]; // from.freq NONE: nothing
} alm_period_hull;

static inline void alm_period_hull_take(alm_period_hull *hull, alm_period period)
{
    alm_period_range *range = &hull->of[period.freq];
    if (range->from.freq == ALM_FREQ_NONE) {
        *range = (alm_period_range){period, period};
    }
    range->from = alm_period_cmp(period, range->from) < 0 ? period : range->from;
    range->to = alm_period_cmp(period, range->to) > 0 ? period : range->to;
}

// As ranges, in the arena. False: no memory.
ALM_MUST_USE static inline bool alm_period_hull_ranges(const alm_period_hull *hull,
                                                       alm_arena *arena, alm_period_expr *ret)
{
    *ret = (alm_period_expr){
        .kind = ALM_PERIOD_EXPR_RANGES,
        .ranges = alm_arena_calloc(arena, ALM_ARRAY_LEN(hull->of), sizeof *ret->ranges),
    };
    for (size_t i = 0; ret->ranges != NULL && i < ALM_ARRAY_LEN(hull->of); i++) {
        if (hull->of[i].from.freq != ALM_FREQ_NONE) {
            ret->ranges[ret->range_count++] = hull->of[i];
        }
    }
    return ret->ranges != NULL;
}

#endif
