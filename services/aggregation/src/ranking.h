// Competition ranking (1, 2, 2, 4) of values in one unit, and the ranks their intervals allow.
#ifndef ALM_RANKING_H
#define ALM_RANKING_H

#include "alm/value.h"

#include <stddef.h>

typedef struct alm_ranked {
    int64_t mantissa; // of one exponent, if they are exact
    double number;    // else
    alm_interval interval;
    uint32_t key; // the caller's
    // Set by alm_ranking_sort:
    uint32_t rank; // 1 is best; equal numbers share a rank, the next ranks are left out
    uint32_t rank_low, rank_high; // the best and the worst rank the intervals allow
    uint32_t worse;               // entries with a worse number
} alm_ranked;

// Sorts best first (ties in order of key) and sets the ranks. is_exact: by mantissa, else by
// number. ascending: less is better. scratch: 2 x count doubles.
void alm_ranking_sort(alm_ranked *entries, size_t count, bool is_exact, bool ascending,
                      double *scratch);

#endif
