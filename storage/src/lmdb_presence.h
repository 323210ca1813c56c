// What places have, kept beside the slices and in the same commit: a record for each part.
#ifndef ALM_STORAGE_LMDB_PRESENCE_H
#define ALM_STORAGE_LMDB_PRESENCE_H

#include "lmdb_store.h"
#include "presence.h"

_Static_assert(LMDB_CHUNK_PLACES == ALM_PLACE_SET_COUNT, "a record is about a chunk");

// What one batch changes. Slices come variant by variant.
typedef struct lmdb_presence_item lmdb_presence_item;
typedef struct lmdb_presences {
    const lmdb_txn *txn;
    alm_arena *arena; // as long as the batch
    uint32_t variant; // whose parts the items are
    lmdb_presence_item *items;
    size_t count, cap;
} lmdb_presences;

// What a slice has: places with a value.
typedef struct lmdb_live {
    alm_place_set places;
    uint64_t cells;
} lmdb_live;

// Notes that a slice had that and has this.
ALM_MUST_USE alm_code lmdb_presences_note(lmdb_presences *self, lmdb_slice_key slice,
                                          const lmdb_live *had, const lmdb_live *has,
                                          alm_status *st);
// Writes what is left to write.
ALM_MUST_USE alm_code lmdb_presences_flush(lmdb_presences *self, alm_status *st);

// An unknown part has nothing.
ALM_MUST_USE alm_code lmdb_presence_get(const lmdb_txn *txn, uint32_t variant, uint32_t chunk,
                                        alm_presence *ret, alm_status *st);
// Counts what the part's slices have.
ALM_MUST_USE alm_code lmdb_presence_count(const lmdb_txn *txn, uint32_t variant, uint32_t chunk,
                                          alm_presence *ret, alm_status *st);
// Makes all of the variant's records anew.
ALM_MUST_USE alm_code lmdb_presence_rebuild(const lmdb_txn *txn, uint32_t variant, alm_status *st);

// Holds every record against the slices. Damaged slices are reported elsewhere.
void lmdb_presence_verify(const lmdb_txn *txn, uint32_t variants,
                          void (*problem)(void *arg, alm_str text), void *arg);

#endif
