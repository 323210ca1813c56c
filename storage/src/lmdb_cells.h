// The cells of one stored chunk that a read asks for.
#ifndef ALM_STORAGE_LMDB_CELLS_H
#define ALM_STORAGE_LMDB_CELLS_H

#include "block_columns.h"
#include "lmdb_store.h"
#include "read_plan.h"

// What a read holds to from its first snapshot on, so that all of it shows one state.
typedef struct lmdb_view {
    const alm_read *read;
    alm_vintage_filter filter;
    alm_precedence precedence;
    uint64_t precedence_epoch;
    bool is_plain; // in the state that the question is about the stored winners are the answer
} lmdb_view;

// Rows gathered for one visit. A cell's rows stand together, its winner told apart.
typedef struct lmdb_rows {
    alm_obs *rows;
    size_t count, cap;
} lmdb_rows;

// Is this cell, with the vintage that won, a part of the answer?
typedef bool (*lmdb_cell_wanted)(void *arg, const alm_obs *winner);

// Appends the rows of the cells that are asked for, in order of place: the winner of each, or with
// all_vintages all of its admitted vintages in order of publication. Rows view the map. head is
// this snapshot's, slice the chunk's value under the key. scratch is reset; out grows in arena.
ALM_MUST_USE alm_code lmdb_cells_gather(const lmdb_view *view, const lmdb_txn *txn,
                                        const alm_head *head, lmdb_slice_key key, alm_str slice,
                                        lmdb_cell_wanted wanted, void *wanted_arg,
                                        alm_arena *scratch, alm_arena *arena, lmdb_rows *out,
                                        alm_status *st);

// The same as columns, where the stored winners are the answer (lmdb_cells_are_stored) and all
// periods' cells are wanted alike. Notes are copied.
ALM_MUST_USE alm_code lmdb_cells_gather_columns(const lmdb_view *view, const lmdb_txn *txn,
                                                lmdb_slice_key key, alm_str slice,
                                                alm_arena *scratch, alm_gathered *out,
                                                alm_status *st);

// Are the stored winners of this snapshot the answer? Then the other vintages need not be read.
bool lmdb_cells_are_stored(const lmdb_view *view, const alm_head *head);

// The same of one place's cells, by period: *rows are the winners as they are stored in head's
// snapshot, in the arena, and become the rows that are asked for; others, by period, the vintages
// that lost, which need not be there where the winners are stored. Rows of periods that are not
// asked for are left out.
ALM_MUST_USE alm_code lmdb_cells_take(const lmdb_view *view, const alm_head *head,
                                      const lmdb_rows *others, lmdb_cell_wanted wanted,
                                      void *wanted_arg, alm_arena *arena, lmdb_rows *rows,
                                      alm_status *st);

#endif
