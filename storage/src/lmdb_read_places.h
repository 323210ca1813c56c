// Few places of one variant over many periods, from their groups of series: the same rows, in the
// same order, as their slices have.
#ifndef ALM_STORAGE_LMDB_READ_PLACES_H
#define ALM_STORAGE_LMDB_READ_PLACES_H

#include "lmdb_cells.h"

// May the read be one of few places? If not, no variant of it is.
bool lmdb_places_are_few(const alm_read *read);

// The variant's rows by period and place, in the arena; they view the map. scratch is reset.
// *ret_done false: slices answer sooner, and *ret is as it was.
ALM_MUST_USE alm_code lmdb_places_gather(const lmdb_view *view, const lmdb_txn *txn,
                                         const alm_head *head, uint32_t variant, alm_arena *scratch,
                                         alm_arena *arena, lmdb_rows *ret, bool *ret_done,
                                         alm_status *st);

#endif
