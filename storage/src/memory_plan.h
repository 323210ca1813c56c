// What a batch would do to the store: which entries and rows it would add. Changes nothing.
#ifndef ALM_STORAGE_MEMORY_PLAN_H
#define ALM_STORAGE_MEMORY_PLAN_H

#include "commit_tally.h"
#include "memory_store.h"

// An entry that is new, or another one than before.
typedef struct memory_planned_entry {
    alm_entry_kind kind;
    uint32_t id;
    alm_str code, bytes; // in the plan's arena
    int32_t precedence;  // of a source
} memory_planned_entry;

// A variant that rows are added to.
typedef struct memory_planned_variant {
    alm_str text;       // the batch's
    uint32_t number;    // of the store's variant; its count of variants or more: a new one
    size_t from, count; // its rows
} memory_planned_variant;

typedef struct memory_plan {
    memory_planned_entry *entries;
    size_t entry_count, entry_cap;
    uint64_t counts[ALM_ENTRY_SOURCE + 1]; // of entries by kind, with these
    memory_planned_variant *variants;
    size_t variant_count, variant_cap;
    alm_obs *rows; // ordered as slots are; variant: an index into variants
    size_t row_count, row_cap;
} memory_plan;

// Under writing. The plan is in the arena and views the batch; *result has its counts, and
// conflicts in answer. Errors are those of alm_store_commit.
ALM_MUST_USE alm_code memory_plan_make(const memory_store *store, const alm_checked_batch *batch,
                                       alm_arena *arena, alm_arena *answer, memory_plan *ret,
                                       alm_commit_result *result, alm_status *st);

#endif
