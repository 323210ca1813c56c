// An older state: which vintages won then. What is stored are the winners of now.
#ifndef ALM_STORAGE_LMDB_PAST_H
#define ALM_STORAGE_LMDB_PAST_H

#include "cells.h"
#include "lmdb_store.h"

typedef struct lmdb_past {
    alm_vintage_filter filter;
    alm_precedence precedence;
    bool has_all_commits; // of the snapshot: only the date bounds
} lmdb_past;

// Lives in the arena. ALM_OUT_OF_RANGE: a sequence that is not committed yet.
ALM_MUST_USE alm_code lmdb_past_get(const lmdb_txn *txn, const alm_as_of *as_of,
                                    const alm_head *head, alm_arena *arena, lmdb_past *ret,
                                    alm_status *st);

// The vintage that won of a cell's; *ret NULL: there was none. winner: the stored one, NULL
// if it was not known yet.
//
// ALM_DATA_LOSS  a row of an unknown source
ALM_MUST_USE alm_code lmdb_past_choose(const lmdb_past *past, const alm_obs *winner,
                                       const alm_obs *others, size_t other_count, alm_arena *arena,
                                       const alm_obs **ret, alm_status *st);

// Rows of a slice, and where they are among the cells of an answer.
typedef struct lmdb_slice_rows {
    alm_block block;
    size_t from, to;
    size_t at;
} lmdb_slice_rows;

// Puts what held then in the place of what holds now; cells that had no value are withdrawn. Costs
// by what was revised.
ALM_MUST_USE alm_code lmdb_past_put(const lmdb_past *past, const lmdb_txn *txn,
                                    lmdb_slice_key slice, lmdb_slice_rows *rows, alm_arena *arena,
                                    alm_cells *cells, alm_status *st);

#endif
