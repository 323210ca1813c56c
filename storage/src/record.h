// The store's other records as bytes: the head, commits of the log, answers of batches, quarantine.
// Like block.h it knows nothing of keys or files, and decoding validates.
#ifndef ALM_STORAGE_RECORD_H
#define ALM_STORAGE_RECORD_H

#include "alm/buf.h"
#include "alm/store.h"

// What the whole store is at a commit.
typedef struct alm_head {
    uint64_t sequence;         // the newest commit; 0: none yet
    uint64_t catalog_sequence; // the newest commit that changed the catalogue
    uint64_t precedence_epoch; // the newest commit that changed a known source's precedence
    uint64_t observations;     // vintages stored
    uint64_t cells;            // with a value that is not withdrawn
    uint64_t indicators, places, sources, variants, quarantined;
    uint64_t feed_trimmed; // the oldest commits, whose rows left the log
    uint64_t feed_bytes;   // of the rows the log holds
    uint64_t last_day;     // no vintage was published later, in days since 1970; 0: nor since then
} alm_head;

#define ALM_DAY_UNKNOWN UINT64_MAX // a head that was written before it told the last day

// Takes the day of one more vintage into the head's last.
static inline void alm_head_take_day(alm_head *head, alm_date published)
{
    uint64_t day = published < 0 ? 0 : (uint64_t)published;
    head->last_day = ALM_MAX(head->last_day, day);
}

void alm_head_encode(const alm_head *head, alm_buf *out);
ALM_MUST_USE alm_code alm_head_decode(alm_str bytes, alm_head *ret, alm_status *st);

// A commit of the log. Variants are ids of the store; a row's variant is an index into them.
typedef struct alm_log_record {
    int64_t at_us;
    alm_str batch_id;
    uint64_t added, revised;
    bool catalog_changed;
    uint64_t fingerprint; // of all its rows (fingerprint.h), also of those that left the log
    bool has_rows;        // false: they are in slices and groups only
    const uint32_t *variants;
    size_t variant_count;
    alm_str blocks; // of rows, each behind its length; empty without rows
} alm_log_record;

// What its rows take of the log, as the head counts it.
static inline uint64_t alm_log_record_row_bytes(const alm_log_record *record)
{
    return record->added + record->revised > 0 ? record->blocks.len : 0;
}
// All but the blocks, which the caller appends.
void alm_log_record_encode(const alm_log_record *record, alm_buf *out);
// Views the bytes; variants are in the arena.
ALM_MUST_USE alm_code alm_log_record_decode(alm_str bytes, alm_arena *arena, alm_log_record *ret,
                                            alm_status *st);

// Appends a block as a record has it.
void alm_log_put_block(alm_str block, alm_buf *out);
// Takes the next block off the record's; *ret_found false: there is none. ALM_DATA_LOSS: malformed.
ALM_MUST_USE alm_code alm_log_next_block(alm_str *blocks, bool *ret_found, alm_str *ret,
                                         alm_status *st);

// The slices of a part, one variant over one chunk of places, that changed since its groups of
// series were made.
typedef struct alm_part_change {
    uint64_t period;   // alm_period_pack
    uint64_t first;    // no change before it is among those since
    uint64_t sequence; // of the last change
} alm_part_change;
typedef struct alm_part {
    const alm_part_change *changes; // by period
    size_t count;
} alm_part;

void alm_part_encode(const alm_part *part, alm_buf *out);
// The changes are in the arena.
ALM_MUST_USE alm_code alm_part_decode(alm_str bytes, alm_arena *arena, alm_part *ret,
                                      alm_status *st);

// How a batch was answered.
typedef struct alm_batch_record {
    uint64_t digest;
    alm_commit_result result;
} alm_batch_record;

void alm_batch_record_encode(const alm_batch_record *record, alm_buf *out);
// Everything is copied to the arena.
ALM_MUST_USE alm_code alm_batch_record_decode(alm_str bytes, alm_arena *arena,
                                              alm_batch_record *ret, alm_status *st);

// record->record is cut to ALM_QUARANTINE_RECORD_BYTES.
void alm_quarantined_encode(const alm_quarantined *record, alm_buf *out);
// Views the bytes.
ALM_MUST_USE alm_code alm_quarantined_decode(alm_str bytes, alm_quarantined *ret, alm_status *st);

#endif
