// Ranks, and percentiles, of the cells of a grid among the series of their peer groups: the places
// that were valid at the period's end.
#ifndef ALM_RANK_GRID_H
#define ALM_RANK_GRID_H

#include "series_set.h"

#include "alm/grid.h"

typedef struct alm_rank_counts {
    uint32_t *ranked;     // by cell: peers with a number
    uint32_t *peers;      // peers
    const char **remarks; // by group and period: what to mind, once it was asked; NULL
} alm_rank_counts;

// ALM_RESOURCE_EXHAUSTED  out of memory
ALM_MUST_USE alm_code alm_rank_grid(const alm_query_run *run, const alm_grid *in,
                                    const alm_series_set *set, alm_arena *arena, alm_grid *ret,
                                    alm_rank_counts *ret_counts, alm_status *st);

// With which it is ranked.
const alm_peer_group *alm_rank_peers(const alm_series_set *set, size_t series);

// Why the rank itself is the reason that a cell has none; "" if the value is that is ranked.
ALM_MUST_USE alm_code alm_rank_why(alm_query_run *run, const alm_series_set *set,
                                   const alm_grid *out, size_t series, uint32_t t, const char **ret,
                                   alm_status *st);

// What to mind of a rank: which peers have no value, that nothing is better. "" for nothing.
ALM_MUST_USE alm_code alm_rank_remark(alm_query_run *run, const alm_grid *in,
                                      const alm_series_set *set, alm_rank_counts *counts,
                                      size_t series, uint32_t t, const char **ret, alm_status *st);

#endif
