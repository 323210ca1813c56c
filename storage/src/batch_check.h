// What can be said of a batch without looking at the store: every row and entry is well formed.
// Done in the caller's thread, so that the writer only meets batches worth its time.
#ifndef ALM_STORAGE_BATCH_CHECK_H
#define ALM_STORAGE_BATCH_CHECK_H

#include "alm/store.h"

// A row of a slice.
typedef struct alm_row_slot {
    alm_place_id place;
    uint32_t row; // index into the batch's rows
} alm_row_slot;
// Behind the last slot of the cell that `from` is of; the slots are of one slice.
size_t alm_slots_cell_end(const alm_row_slot *slots, size_t from, size_t count);

// The rows of one variant in one period: slots[from..to-1], by place, then by their order in the
// batch.
typedef struct alm_slice_slots {
    uint64_t period;  // alm_period_pack
    uint32_t variant; // index into the batch's table, the first of those with the same text
    uint32_t from, to;
} alm_slice_slots;

typedef struct alm_checked_batch {
    const alm_batch *batch;
    const alm_variant *variants;   // the batch's table, decoded
    const alm_row_slot *slots;     // batch->obs_count of them
    const alm_slice_slots *slices; // by variant, then period
    size_t slice_count;
    uint64_t place_end, source_end; // ids of rows are less
} alm_checked_batch;

// The result lives in the arena and views the batch.
//
// ALM_INVALID_ARGUMENT    names the row or entry and what is wrong with it
// ALM_RESOURCE_EXHAUSTED  too many rows, or no memory
ALM_MUST_USE alm_code alm_batch_check(const alm_batch *batch, alm_arena *arena,
                                      alm_checked_batch *ret, alm_status *st);

#endif
