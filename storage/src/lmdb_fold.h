// The series of one part, made from its slices: in a snapshot and beside those who commit, who wait
// for nothing but the putting.
#ifndef ALM_STORAGE_LMDB_FOLD_H
#define ALM_STORAGE_LMDB_FOLD_H

#include "lmdb_store.h"

typedef struct lmdb_fold_group {
    alm_place_id first;
    size_t at, len; // in bytes
} lmdb_fold_group;

// A slice packed anew.
typedef struct lmdb_fold_slice {
    uint64_t period;
    size_t at, len;
} lmdb_fold_slice;

struct lmdb_fold {
    uint32_t variant, chunk;
    uint64_t sequence;       // the state it was made from
    lmdb_fold_group *groups; // by place
    size_t count, cap;
    bool has_base; // a new one, over which the slices below are packed
    bool had_base;
    alm_base base;
    lmdb_fold_slice *slices;
    size_t slice_count;
    alm_buf bytes;
    alm_arena *arena; // holds the lists and the base
};

// Makes the groups from what the transaction shows. variant, chunk, arena and an empty buffer are
// set.
//
// ALM_DATA_LOSS           a slice is damaged
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code lmdb_fold_make(const lmdb_txn *txn, lmdb_fold *fold, alm_status *st);

// Writes them in place of those that were there.
ALM_MUST_USE alm_code lmdb_fold_put(const lmdb_txn *txn, const lmdb_fold *fold, alm_status *st);

// Parts with at least this many changes are folded without being asked: each costs who asks for a
// series a look into a slice.
#define LMDB_FOLD_CHANGE_COUNT 8

#endif
