#include "ranking.h"

#include "byte_sort.h"

#include <stdlib.h>

ALM_BYTE_SORT(sort_by_order, alm_ranking_key, order)

static int by_order(const void *a, const void *b)
{
    const alm_ranking_key *x = a;
    const alm_ranking_key *y = b;
    return x->order < y->order ? -1 : x->order > y->order;
}

#define SIGN (UINT64_C(1) << 63)

static uint64_t order_of(const alm_ranked *it, bool is_exact, bool ascending)
{
    uint64_t rising = (uint64_t)it->mantissa ^ SIGN;
    if (!is_exact) {
        double number = it->number + 0.0; // there is one zero
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        rising = bits ^ (bits & SIGN ? UINT64_MAX : SIGN);
    }
    return ascending ? rising : ~rising;
}

// The keys of all entries, the best first.
static const alm_ranking_key *sorted_keys(const alm_ranked *entries, size_t count, bool is_exact,
                                          bool ascending, const alm_ranking_room *room)
{
    alm_ranking_key *keys = room->keys;
    alm_ranking_key *spare = room->spare;
    for (size_t i = 0; i < count; i++) {
        keys[i] = (alm_ranking_key){order_of(&entries[i], is_exact, ascending), (uint32_t)i};
    }
    if (count >= ALM_BYTE_SORT_COUNT_MIN) {
        sort_by_order(&keys, &spare, count);
    } else {
        qsort(keys, count, sizeof *keys, by_order);
    }
    return keys;
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

alm_code alm_ranking_room_make(size_t count, alm_arena *arena, alm_ranking_room *ret,
                               alm_status *st)
{
    ret->keys = alm_arena_alloc(arena, count * sizeof *ret->keys);
    ret->spare = alm_arena_alloc(arena, count * sizeof *ret->spare);
    ret->lowers = alm_arena_alloc(arena, count * sizeof *ret->lowers);
    ret->uppers = alm_arena_alloc(arena, count * sizeof *ret->uppers);
    return ret->keys != NULL && ret->spare != NULL && ret->lowers != NULL && ret->uppers != NULL
               ? ALM_OK
               : alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory to rank %zu values",
                                count);
}

void alm_ranking_set(alm_ranked *entries, size_t count, bool is_exact, bool ascending,
                     const alm_ranking_room *room)
{
    const alm_ranking_key *keys = sorted_keys(entries, count, is_exact, ascending, room);
    for (size_t i = 0; i < count; i++) {
        bool is_tie = i > 0 && keys[i].order == keys[i - 1].order;
        alm_ranked *it = &entries[keys[i].at];
        it->rank = is_tie ? entries[keys[i - 1].at].rank : (uint32_t)i + 1;
        room->lowers[i] = it->interval.lower;
        room->uppers[i] = it->interval.upper;
    }
    for (size_t i = count; i-- > 0;) {
        bool is_tie = i + 1 < count && keys[i].order == keys[i + 1].order;
        entries[keys[i].at].worse =
            is_tie ? entries[keys[i + 1].at].worse : (uint32_t)(count - 1 - i);
    }
    sort_ends(room->lowers, count);
    sort_ends(room->uppers, count);
    size_t at_lower = 0;
    size_t at_upper = 0;
    for (size_t i = 0; i < count; i++) {
        bound_rank(&entries[keys[i].at], room->lowers, room->uppers, count, ascending, &at_lower,
                   &at_upper);
    }
}
