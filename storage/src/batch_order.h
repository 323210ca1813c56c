// The rows of a batch dealt out to the slices they belong to. Rows mostly come in an order of their
// own, by place or by period, so that dealing them out is all there is to sort.
#ifndef ALM_STORAGE_BATCH_ORDER_H
#define ALM_STORAGE_BATCH_ORDER_H

#include "batch_check.h"

// The slices met so far. Zero-initialised it is empty; everything lives in the arena.
typedef struct alm_slice_table {
    alm_arena *arena;
    alm_slice_slots *slices; // in the order they are first met; `to` counts rows
    alm_period *periods;     // of each
    size_t count, cap, period_cap;
    uint32_t *slots; // index + 1, by open addressing; 0: free
    size_t slot_count;
} alm_slice_table;

// The index of the slice; *ret_is_new: it was not met before. False: no memory.
ALM_MUST_USE bool alm_slice_table_find(alm_slice_table *table, uint32_t variant, alm_period period,
                                       uint32_t *ret, bool *ret_is_new);

// Deals the rows out: slice_of says for each which slice it belongs to. False: no memory.
ALM_MUST_USE bool alm_batch_deal(alm_slice_table *table, const alm_obs *rows,
                                 const uint32_t *slice_of, size_t count, alm_checked_batch *ret);

#endif
