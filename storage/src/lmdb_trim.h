// Rows leave the log when they are old. They stand in slices and series by then, so that each is
// still held twice; what the log keeps of their commit says what they were (its fingerprint).
#ifndef ALM_STORAGE_LMDB_TRIM_H
#define ALM_STORAGE_LMDB_TRIM_H

#include "lmdb_store.h"

typedef struct lmdb_trimmed {
    size_t count;        // commits whose rows left
    uint64_t blocked_at; // the commit that could not be next: its slices are not folded; 0: none
} lmdb_trimmed;

// Takes the rows of the oldest commits out of the log, of at most `most`, and moves *head on. A
// damaged record of the log is passed over, and stays for verify to tell.
//
// ALM_RESOURCE_EXHAUSTED  no memory, or the map is full: the transaction must be undone
ALM_MUST_USE alm_code lmdb_trim(const lmdb_txn *txn, const lmdb_retention *keep, size_t most,
                                alm_head *head, lmdb_trimmed *ret, alm_status *st);

// Does the log hold twice as much as it should, at least? Then what blocks it is folded: *ret is
// the sequence up to which.
bool lmdb_trim_is_late(const alm_head *head, const lmdb_retention *keep, uint64_t *ret);

#endif
