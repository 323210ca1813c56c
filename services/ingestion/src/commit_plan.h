// How the outcome of a piece is cut into commits: each fits one message, and its answer too.
//
// The cut depends on the outcome alone, so that a repeated import names its commits as the first
// did and storage answers from the first.
#ifndef ALM_INGESTION_COMMIT_PLAN_H
#define ALM_INGESTION_COMMIT_PLAN_H

#include "piece.h"

#include "almanac/internal/storage.pb-c.h"

// "<batch id>#<piece>", and "~<eight hex digits>" when rows were set aside: of which rows. So the
// same file is another batch once the catalogue has learned what it did not know, and the rows that
// were bad are taken then (the others are unchanged).
//
// ALM_INVALID_ARGUMENT    the id is longer than COMMIT_BATCH_ID_BYTES_MAX or has control characters
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code commit_piece_id(alm_str batch_id, uint32_t piece_number,
                                      const piece_result *result, alm_arena *arena, alm_str *ret,
                                      alm_status *st);
#define COMMIT_BATCH_ID_BYTES_MAX 80 // leaves room for what is appended

// What the id of a whole file is when the client gave none: "auto-" and 32 hex digits.
ALM_MUST_USE bool commit_auto_id(const piece *p, alm_arena *arena, alm_str *ret);

// Of header, records, kind, defaults: the same batch id with another digest is a mistake.
uint64_t commit_digest(const piece *p);

// Runs of what is to commit; the first of each list is `from`, `to` is behind the last.
typedef struct commit_part {
    size_t entry_from, entry_to;
    size_t obs_from, obs_to;
    size_t aside_from, aside_to;
    uint32_t number; // 0, 1, 2 ...
} commit_part;

typedef struct commit_plan {
    const piece_result *result;
    alm_arena *arena;
    size_t entry_at, obs_at, aside_at, aside_end;
    uint32_t number;
    size_t aside_bytes_fixed;
    uint32_t *variant_seen; // by variant: the last part that had it, + 1
} commit_plan;

// Set-aside rows from aside_from on; entries and observations only when with_rows. text_bytes: what
// each quarantined row carries beside its own (batch id, file name).
ALM_MUST_USE bool commit_plan_init(commit_plan *plan, const piece_result *result, bool with_rows,
                                   size_t aside_from, size_t text_bytes, alm_arena *arena);

// False: nothing is left.
ALM_MUST_USE bool commit_plan_next(commit_plan *plan, commit_part *ret);

// What the messages of a piece's commits share.
typedef struct commit_common {
    alm_str id; // of the piece; parts after the first append ".<number>"
    uint64_t digest;
    alm_str file_name;
    const char *at; // RFC 3339
    bool dry_run;
} commit_common;

// The message of a part, in the arena. ALM_RESOURCE_EXHAUSTED, or what alm_obs_block_write says.
ALM_MUST_USE alm_code commit_request(const commit_common *common, const piece_result *result,
                                     const commit_part *part, alm_arena *arena,
                                     Almanac__Internal__CommitRequest **ret, alm_status *st);

#endif
