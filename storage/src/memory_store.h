// The memory engine: the log in memory, and of derived data only what finds it again. Winners are
// chosen when they are asked for. Simple rather than fast.
//
//   memory_store   open and close, waiting, figures
//   memory_plan    what a batch would do; changes nothing
//   memory_commit  doing it
//   memory_read    reads; memory_reader vectors; memory_visit answers the smaller questions
//   memory_verify  what finds the log against the log
//   memory_index   text to number
//
// Commits are made one at a time under `writing`. What was committed never changes and never moves,
// so that a reader holds `mutex` only while it copies pointers, and a commit only while it
// publishes.
#ifndef ALM_STORAGE_MEMORY_STORE_H
#define ALM_STORAGE_MEMORY_STORE_H

#include "catalog_check.h"
#include "engine.h"
#include "memory_index.h"
#include "vintage.h"

#include <pthread.h>

// A commit as the log keeps it.
typedef struct memory_commit {
    int64_t at_us;
    alm_str batch_id;
    uint64_t added, revised;
    bool catalog_changed;
    bool is_bulk; // the change feed leaves its rows out
    const alm_str *variants;
    size_t variant_count;
    const alm_obs *rows; // variant: an index into variants
    size_t row_count;
} memory_commit;

typedef struct memory_commits {
    memory_commit *of; // by sequence - 1
    size_t count, cap;
} memory_commits;

// All vintages of one variant.
typedef struct memory_variant {
    alm_str text;
    const alm_obs **vintages; // ordered by period and place, then by alm_vintage_sort
    size_t count, cap;
} memory_variant;

typedef struct memory_variants {
    memory_variant *of; // by id
    size_t count, cap;
    memory_index ids;
} memory_variants;

// Texts by number: encoded entries of one kind by id, answers of batches, quarantined rows.
typedef struct memory_texts {
    alm_str *of;
    size_t count, cap;
    memory_index numbers; // by code or batch id; unused for quarantined rows
} memory_texts;

typedef struct memory_store {
    alm_store base;
    alm_clock clock;
    size_t bytes_max;
    uint64_t feed_commits, feed_bytes_max;
    // Held by the one commit under way, and taken before mutex. Its owner alone changes what
    // follows, so it may look at it without mutex.
    pthread_mutex_t writing;
    alm_arena *arena; // as long as the store: rows and all texts. Only touched under writing.
    // Held while what follows is changed, or looked at by others.
    pthread_mutex_t mutex;
    pthread_cond_t grown; // commits has one more
    memory_commits commits;
    memory_variants variants;
    memory_texts entries[ALM_ENTRY_SOURCE + 1]; // by kind
    memory_texts batches;                       // alm_batch_record by batch id
    memory_texts quarantine;                    // alm_quarantined
    int32_t *precedence;                        // by source id
    size_t precedence_cap;
    uint64_t catalog_sequence;
    uint64_t observations;
    uint64_t feed_trimmed, feed_bytes; // as the change feed tells it: rows stay here
    uint64_t bytes_used;               // of arena
} memory_store;

static inline memory_store *memory_of(alm_store *store)
{
    return (memory_store *)store;
}

// Room for need elements in an array from alm_realloc; new ones are zero. False: out of memory,
// nothing changed.
ALM_MUST_USE bool memory_grow(void **array, size_t *cap, size_t need, size_t elem_size);

// What is stored, for catalog_check.h; under writing.
alm_stored_catalog memory_stored_catalog(const memory_store *store);

// A copy of the precedences; under mutex.
ALM_MUST_USE alm_code memory_precedence_get(const memory_store *store, alm_arena *arena,
                                            alm_precedence *ret, alm_status *st);

// The order of cells in a variant.
int memory_cell_cmp(const alm_obs *a, const alm_obs *b);
// The end of the cell whose vintages begin at `from`.
size_t memory_cell_end(const memory_variant *variant, size_t from);
// The first vintage that is not before (period, place); count: none.
size_t memory_cell_find(const memory_variant *variant, uint64_t period, alm_place_id place);

alm_code memory_commit_batch(alm_store *store, const alm_checked_batch *batch, alm_arena *arena,
                             alm_commit_result *ret, alm_status *st);
alm_code memory_read(alm_store *store, const alm_read *read, alm_read_visit visit, void *arg,
                     uint64_t *ret_sequence, alm_status *st);
alm_code memory_reader_open(alm_store *store, alm_store_reader **ret, alm_status *st);
void memory_reader_close(alm_store_reader *reader);
alm_code memory_series(alm_store_reader *reader, alm_str variant, alm_place_id place,
                       const alm_as_of *as_of, alm_vector *ret, alm_status *st);
alm_code memory_slice(alm_store_reader *reader, alm_str variant, alm_period period,
                      alm_place_id from, alm_place_id to, const alm_as_of *as_of, alm_vector *ret,
                      alm_status *st);
alm_code memory_visit_catalog(alm_store *store, const alm_catalog_visitor *visitor,
                              uint64_t *ret_catalog_sequence, alm_status *st);
alm_code memory_visit_entries(alm_store *store, const uint32_t *ids, size_t count,
                              const alm_catalog_visitor *visitor, alm_status *st);
alm_code memory_find_series(alm_store *store, const alm_series_query *query, alm_series_visit visit,
                            void *arg, alm_status *st);
alm_code memory_visit_quarantine(alm_store *store,
                                 alm_code (*visit)(void *arg, const alm_quarantined *row,
                                                   alm_status *st),
                                 void *arg, alm_status *st);
alm_code memory_change(alm_store *store, uint64_t from_sequence, alm_arena *arena, alm_change *ret,
                       alm_status *st);
alm_code memory_verify(alm_store *store, void (*problem)(void *arg, alm_str text), void *arg,
                       alm_verify_result *ret, alm_status *st);

#endif
