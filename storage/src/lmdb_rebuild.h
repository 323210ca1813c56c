// What the parts of a rebuild share. Every vintage stands in a slice and again in a group of
// series, the newest in the log as well, and nothing is ever overwritten: so the rows of all
// undamaged records, each once, are all that can be had.
#ifndef ALM_STORAGE_LMDB_REBUILD_H
#define ALM_STORAGE_LMDB_REBUILD_H

#include "apart.h"
#include "lmdb_file.h"

// Rows of one commit: by the log, and those that were found.
typedef struct rebuild_commit {
    uint64_t log_sum, sum; // of fingerprints
    uint64_t log_count, count;
    bool has_log, has_rows; // the log's record is undamaged; it holds the rows
    alm_str batch_id;       // of one that has no record
} rebuild_commit;

typedef struct lmdb_rebuild {
    lmdb_file old, made;
    alm_problem problem;
    void *problem_arg;
    alm_rebuild_result *result;    // shared with the child that makes the file
    int *reading;                  // likewise: the database it reads, for when it dies of that
    bool readable[LMDB_DBI_COUNT]; // a scan of it comes to its end
    bool was_read[LMDB_DBI_COUNT]; // what is damaged of it was told
    alm_arena *keep;               // as long as the rebuild
    alm_arena *part;               // as long as one part, or one commit
    alm_arena *step;               // as long as one record
    alm_buf buf, others;
    alm_head head; // of what is made
    alm_precedence precedence;
    alm_str *variants; // text by id; empty: not known
    size_t variant_count, variant_cap;
    rebuild_commit *commits; // by sequence
} lmdb_rebuild;

// Tells what was found, and goes on.
void rebuild_report(lmdb_rebuild *r, const char *fmt, ...) ALM_PRINTF(2, 3);

// Calls take for each undamaged record; what is damaged is told and counted the first time.
typedef alm_code (*rebuild_take)(lmdb_rebuild *r, const lmdb_scan *scan, alm_status *st);
ALM_MUST_USE alm_code rebuild_each(lmdb_rebuild *r, lmdb_dbi dbi, rebuild_take take,
                                   alm_status *st);
alm_code rebuild_no_memory(alm_status *st);

// Writes the slices of all parts from slices and series.
ALM_MUST_USE alm_code rebuild_parts(lmdb_rebuild *r, alm_status *st);
// Adds the rows of a commit's record in the log that are not there yet.
ALM_MUST_USE alm_code rebuild_from_log(lmdb_rebuild *r, const alm_log_record *record,
                                       alm_status *st);

#endif
