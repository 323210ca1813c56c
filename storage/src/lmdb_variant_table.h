// The variants in memory, taken apart: to look through all of them takes less than to read a few.
// Variants only become more, so that what stands here never changes.
#ifndef ALM_STORAGE_LMDB_VARIANT_TABLE_H
#define ALM_STORAGE_LMDB_VARIANT_TABLE_H

#include "lmdb_store.h"
#include "series_query.h"

lmdb_variant_table *lmdb_variant_table_create(void); // NULL: no memory
void lmdb_variant_table_destroy(lmdb_variant_table **table);

typedef struct lmdb_found_variant {
    uint32_t id;
    alm_str text; // as long as the table
} lmdb_found_variant;

// Those in the snapshot that the query wants (by all but places), by id; in the arena. Reads from
// the snapshot what the table does not know yet.
//
// ALM_DATA_LOSS           a record is damaged
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code lmdb_variant_table_find(lmdb_variant_table *table, const lmdb_txn *txn,
                                              const alm_series_query *query, alm_arena *arena,
                                              lmdb_found_variant **ret, size_t *ret_count,
                                              alm_status *st);

#endif
