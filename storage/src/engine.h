// What an engine is: how a store is opened, and the functions behind alm_store.
//
// Arguments and answers are those of alm/store.h; batches come checked (batch_check.h).
#ifndef ALM_STORAGE_ENGINE_H
#define ALM_STORAGE_ENGINE_H

#include "alm/store.h"
#include "batch_check.h"
#include "totals.h"

typedef struct alm_store_ops {
    void (*close)(alm_store *store);
    alm_code (*commit)(alm_store *store, const alm_checked_batch *batch, alm_arena *arena,
                       alm_commit_result *ret, alm_status *st);
    alm_code (*read)(alm_store *store, const alm_read *read, alm_read_visit visit, void *arg,
                     uint64_t *ret_sequence, alm_status *st);
    // The read asks for all members, and maybe for others. *totals says the rest, takes rows where
    // the engine has nothing quicker, and is ended. NULL: rows are added up.
    alm_code (*totals)(alm_store *store, const alm_read *read, alm_row_totals *totals,
                       uint64_t *ret_sequence, alm_status *st);
    alm_code (*reader_open)(alm_store *store, alm_store_reader **ret, alm_status *st);
    void (*reader_close)(alm_store_reader *reader);
    alm_code (*series)(alm_store_reader *reader, alm_str variant, alm_place_id place,
                       const alm_as_of *as_of, alm_vector *ret, alm_status *st);
    alm_code (*slice)(alm_store_reader *reader, alm_str variant, alm_period period,
                      alm_place_id from, alm_place_id to, const alm_as_of *as_of, alm_vector *ret,
                      alm_status *st);
    // Adds up without making a slice, as of now; count >= 1. *frame says unit, exponent and state.
    // *ret_done false: not this time. NULL: never.
    alm_code (*sums)(alm_store_reader *reader, alm_str variant, alm_period period,
                     const alm_place_range *ranges, size_t count, alm_sum *sums, alm_vector *frame,
                     bool *ret_done, alm_status *st);
    alm_code (*visit_catalog)(alm_store *store, const alm_catalog_visitor *visitor,
                              uint64_t *ret_catalog_sequence, alm_status *st);
    alm_code (*visit_entries)(alm_store *store, const uint32_t *ids, size_t count,
                              const alm_catalog_visitor *visitor, alm_status *st);
    alm_code (*find_series)(alm_store *store, const alm_series_query *query, alm_series_visit visit,
                            void *arg, alm_status *st);
    alm_code (*visit_quarantine)(alm_store *store,
                                 alm_code (*visit)(void *arg, const alm_quarantined *row,
                                                   alm_status *st),
                                 void *arg, alm_status *st);
    alm_code (*change)(alm_store *store, uint64_t from_sequence, alm_arena *arena, alm_change *ret,
                       alm_status *st);
    alm_code (*wait)(alm_store *store, uint64_t sequence, int64_t timeout_ms, alm_status *st);
    alm_code (*stats)(alm_store *store, alm_store_stats *ret, alm_status *st);
    alm_code (*sizes)(alm_store *store, uint64_t *ret, alm_status *st); // NULL: not known
    alm_code (*compact)(alm_store *store, alm_status *st);
    alm_code (*verify)(alm_store *store, void (*problem)(void *arg, alm_str text), void *arg,
                       alm_verify_result *ret, alm_status *st);
    // NULL: not implemented
    alm_code (*backup)(alm_store *store, const alm_backup_sink *sink, alm_backup_info *ret,
                       alm_status *st);
} alm_store_ops;

// Every engine's store begins with it.
struct alm_store {
    const alm_store_ops *ops;
};

// Every engine's reader begins with it.
struct alm_store_reader {
    const alm_store_ops *ops;
    alm_sum *sums; // of the last answer; store.c's
    size_t sum_cap;
};

struct alm_engine {
    alm_code (*open)(const char *dir, const alm_store_opts *opts, alm_store **ret, alm_status *st);
    // NULL: not implemented
    alm_code (*restore)(const alm_backup_source *source, const char *dir,
                        const alm_store_opts *opts, alm_backup_info *ret, alm_status *st);
    alm_code (*verify_dir)(const char *dir, const alm_store_opts *opts,
                           void (*problem)(void *arg, alm_str text), void *arg,
                           alm_verify_result *ret, alm_status *st);
    alm_code (*rebuild)(const char *dir, const alm_store_opts *opts,
                        void (*problem)(void *arg, alm_str text), void *arg,
                        alm_rebuild_result *ret, alm_status *st);
};

#endif
