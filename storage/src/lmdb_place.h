// One place of one variant, from its group of series and the slices that have changed since.
#ifndef ALM_STORAGE_LMDB_PLACE_H
#define ALM_STORAGE_LMDB_PLACE_H

#include "group.h"
#include "lmdb_cells.h"

// The group that the place would be in. *ret views the map; found false: there is none.
ALM_MUST_USE alm_code lmdb_group_find(MDB_cursor *cursor, uint32_t variant, alm_place_id place,
                                      alm_arena *arena, alm_group *ret, bool *ret_found,
                                      alm_status *st);

// Its vintages, of variant 0: winners by period, the others by period and vintage. Notes view the
// map.
typedef struct lmdb_place_rows {
    lmdb_rows winners, others;
} lmdb_place_rows;
// What its group of series has of the periods that are not among the part's changes. With others
// false the winners alone.
ALM_MUST_USE alm_code lmdb_place_unchanged_get(const lmdb_txn *txn, uint32_t variant,
                                               alm_place_id place, const alm_part *part,
                                               bool others, alm_arena *arena, lmdb_place_rows *ret,
                                               alm_status *st);
// The same, and of the changed slices what is there now.
ALM_MUST_USE alm_code lmdb_place_rows_get(const lmdb_txn *txn, uint32_t variant, alm_place_id place,
                                          alm_arena *arena, lmdb_place_rows *ret, alm_status *st);

#endif
