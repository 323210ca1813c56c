#include "ranking.h"

#include <stdlib.h>

typedef struct order {
    bool is_exact, ascending;
} order;

static int compare(const alm_ranked *x, const alm_ranked *y, bool is_exact)
{
    if (is_exact) {
        return x->mantissa < y->mantissa ? -1 : x->mantissa > y->mantissa;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

static int by_number(const void *a, const void *b, void *arg)
{
    const order *by = arg;
    const alm_ranked *x = a;
    const alm_ranked *y = b;
    int sign = compare(x, y, by->is_exact);
    if (sign != 0) {
        return by->ascending ? sign : -sign;
    }
    return x->key < y->key ? -1 : x->key > y->key;
}

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// Ends nearly always run as the numbers do, or the other way round.
static void sort_ends(double *values, size_t count)
{
    bool rises = true;
    bool falls = true;
    for (size_t i = 1; i < count; i++) {
        rises &= values[i - 1] <= values[i];
        falls &= values[i - 1] >= values[i];
    }
    if (rises) {
        return;
    }
    if (!falls) {
        qsort(values, count, sizeof *values, by_double);
        return;
    }
    for (size_t i = 0; i < count / 2; i++) {
        double held = values[i];
        values[i] = values[count - 1 - i];
        values[count - 1 - i] = held;
    }
}

// How many of the ascending values are less than the bound, or, with equals, not more than it. The
// search begins at *at, where the last one ended, and takes steps that double: entries come in the
// order of their numbers, and most ends with them.
static size_t count_below(const double *values, size_t count, double bound, bool with_equals,
                          size_t *at)
{
    size_t low = *at;
    size_t high = *at;
    size_t step = 1;
#define IS_BELOW(i) (with_equals ? values[i] <= bound : values[i] < bound)
    while (low > 0 && !IS_BELOW(low - 1)) {
        high = low - 1;
        low = low > step ? low - step : 0;
        step *= 2;
    }
    step = 1;
    while (high < count && IS_BELOW(high)) {
        low = high + 1;
        high = ALM_MIN(high + step, count);
        step *= 2;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (IS_BELOW(middle)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
#undef IS_BELOW
    *at = low;
    return low;
}

// A peer is certainly better when its whole interval lies beyond, and possibly better when some of
// it does. lowers and uppers are ascending and hold the entry's own ends too.
static void bound_rank(alm_ranked *it, const double *lowers, const double *uppers, size_t count,
                       bool ascending, size_t *at_lower, size_t *at_upper)
{
    size_t certainly;
    size_t possibly;
    bool is_wide =
        it->interval.lower < it->interval.upper; // then it is possibly better than itself
    if (ascending) {
        certainly = count_below(uppers, count, it->interval.lower, false, at_upper);
        possibly = count_below(lowers, count, it->interval.upper, false, at_lower) - is_wide;
    } else {
        certainly = count - count_below(lowers, count, it->interval.upper, true, at_lower);
        possibly = count - count_below(uppers, count, it->interval.lower, true, at_upper) - is_wide;
    }
    // Ends are rounded to doubles, numbers are not: the rank itself always lies within.
    it->rank_low = (uint32_t)ALM_MIN(certainly + 1, it->rank);
    it->rank_high = (uint32_t)ALM_MAX(possibly + 1, it->rank);
}

void alm_ranking_sort(alm_ranked *entries, size_t count, bool is_exact, bool ascending,
                      double *scratch)
{
    order by = {is_exact, ascending};
    double *lowers = scratch;
    double *uppers = scratch + count;
    qsort_r(entries, count, sizeof *entries, by_number, &by);
    for (size_t i = 0; i < count; i++) {
        bool is_tie = i > 0 && compare(&entries[i], &entries[i - 1], is_exact) == 0;
        entries[i].rank = is_tie ? entries[i - 1].rank : (uint32_t)i + 1;
        lowers[i] = entries[i].interval.lower;
        uppers[i] = entries[i].interval.upper;
    }
    for (size_t i = count; i-- > 0;) {
        bool is_tie = i + 1 < count && entries[i].rank == entries[i + 1].rank;
        entries[i].worse = is_tie ? entries[i + 1].worse : (uint32_t)(count - 1 - i);
    }
    sort_ends(lowers, count);
    sort_ends(uppers, count);
    size_t at_lower = 0;
    size_t at_upper = 0;
    for (size_t i = 0; i < count; i++) {
        bound_rank(&entries[i], lowers, uppers, count, ascending, &at_lower, &at_upper);
    }
}
