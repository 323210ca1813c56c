// Competition ranking (1, 2, 2, 4) of values in one unit, and the ranks their intervals allow.
#ifndef ALM_RANKING_H
#define ALM_RANKING_H

#include "alm/arena.h"
#include "alm/value.h"

#include <stddef.h>

typedef struct alm_ranked {
    int64_t mantissa; // of one exponent, if they are exact
    double number;    // else
    alm_interval interval;
    uint32_t key; // the caller's
    // Set by alm_ranking_set:
    uint32_t rank; // 1 is best; equal numbers share a rank, the next ranks are left out
    uint32_t rank_low, rank_high; // the best and the worst rank the intervals allow
    uint32_t worse;               // entries with a worse number
} alm_ranked;

typedef struct alm_ranking_key {
    uint64_t order; // rises from the best number to the worst
    uint32_t at;    // of the entry
} alm_ranking_key;

// What ranking needs beside the entries.
typedef struct alm_ranking_room {
    alm_ranking_key *keys, *spare;
    double *lowers, *uppers;
} alm_ranking_room;

// For up to so many entries, in the arena.
//
// ALM_RESOURCE_EXHAUSTED  out of memory
ALM_MUST_USE alm_code alm_ranking_room_make(size_t count, alm_arena *arena, alm_ranking_room *ret,
                                            alm_status *st);

// Sets the ranks of entries, which stay where they are. is_exact: by mantissa, else by number.
// ascending: less is better.
void alm_ranking_set(alm_ranked *entries, size_t count, bool is_exact, bool ascending,
                     const alm_ranking_room *room);

#endif
