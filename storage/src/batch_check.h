// What can be said of a batch without looking at the store: every row and entry is well formed.
// Done in the caller's thread, so that the writer only meets batches worth its time.
#ifndef ALM_STORAGE_BATCH_CHECK_H
#define ALM_STORAGE_BATCH_CHECK_H

#include "alm/store.h"

// Where a row belongs, in the order rows are applied: by variant, period, place, position.
typedef struct alm_row_slot {
    uint64_t period;  // alm_period_pack
    uint32_t variant; // index into the batch's table, the first of those with the same text
    alm_place_id place;
    uint32_t row; // index into the batch's rows
} alm_row_slot;

typedef struct alm_checked_batch {
    const alm_batch *batch;
    const alm_variant *variants; // the batch's table, decoded
    const alm_row_slot *slots;   // batch->obs_count of them
} alm_checked_batch;

// The result lives in the arena and views the batch.
//
// ALM_INVALID_ARGUMENT    names the row or entry and what is wrong with it
// ALM_RESOURCE_EXHAUSTED  too many rows, or no memory
ALM_MUST_USE alm_code alm_batch_check(const alm_batch *batch, alm_arena *arena,
                                      alm_checked_batch *ret, alm_status *st);

#endif
