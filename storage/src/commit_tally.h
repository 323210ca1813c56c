// What becomes of a batch's rows: added, revised, unchanged or in conflict. An engine finds the
// vintage a row meets; this decides, counts and words the conflicts.
#ifndef ALM_STORAGE_COMMIT_TALLY_H
#define ALM_STORAGE_COMMIT_TALLY_H

#include "alm/store.h"

typedef struct alm_tally {
    uint64_t sequence;         // of the batch, if anything is stored
    alm_arena *arena;          // of the answer
    alm_commit_result *result; // counts go here at once, conflicts with alm_tally_finish
    alm_conflict *conflicts;
    size_t conflict_count, conflict_cap;
    size_t *withdrew_nothing; // rows
    size_t withdrew_nothing_count, withdrew_nothing_cap;
} alm_tally;

// The row as it is stored: with the batch's sequence, and number 0 where it has none, so that two
// rows without a number cannot differ in it.
alm_obs alm_tally_row(const alm_tally *tally, const alm_obs *row);

// Decides over a row of alm_tally_row.
//
//   index     of the row in the batch
//   known     the vintage of the cell that alm_vintage_same finds, stored or taken; NULL: none
//   is_new    the cell has no vintage, neither stored nor taken
//   ret_take  store it
//
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_tally_judge(alm_tally *tally, size_t index, const alm_obs *row,
                                      const alm_obs *known, bool is_new, bool *ret_take,
                                      alm_status *st);

// Notes a row that was taken, a withdrawal that takes back neither what is stored of its cell nor
// any row of the batch.
//
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_tally_withdrew_nothing(alm_tally *tally, size_t index, alm_status *st);

// Puts conflicts and notes into the result, in order of rows.
void alm_tally_finish(alm_tally *tally);

// The answer of a batch that is known, from its alm_batch_record. In the arena.
//
// ALM_ALREADY_EXISTS  it had another digest
// ALM_DATA_LOSS       no such record
ALM_MUST_USE alm_code alm_batch_replay(alm_str record, const alm_batch *batch, alm_arena *arena,
                                       alm_commit_result *ret, alm_status *st);

#endif
