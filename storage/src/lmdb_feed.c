// The change feed, and waiting for it.
#include "lmdb_store.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a change");
}

// --- changes -------------------------------------------------------------------------------------

typedef struct row_list {
    alm_obs *rows;
    size_t count, cap;
} row_list;

static alm_code copy_text(alm_arena *arena, alm_str text, alm_str *ret, alm_status *st)
{
    char *copy = alm_arena_strdup(arena, text);
    *ret = (alm_str){.data = copy, .len = text.len};
    return copy != NULL ? ALM_OK : no_memory(st);
}

static alm_code read_block(const alm_log_record *record, uint64_t sequence, alm_str bytes,
                           alm_arena *arena, row_list *rows, alm_status *st)
{
    alm_block block;
    size_t most = ALM_COMMIT_ROW_COUNT_MAX - rows->count;
    ALM_TRY(alm_block_open(bytes, most, NULL, arena, &block, st));
    if (block.count == 0) {
        return ALM_OK;
    }
    if (!alm_arena_grow(arena, (void **)&rows->rows, &rows->cap, rows->count + block.count,
                        sizeof *rows->rows)) {
        return no_memory(st);
    }
    alm_obs *list = rows->rows + rows->count;
    ALM_TRY(alm_block_get(&block, 0, block.count, list, st));
    for (size_t i = 0; i < block.count; i++) {
        if (list[i].variant >= record->variant_count || list[i].sequence != sequence) {
            return alm_status_set(st, ALM_DATA_LOSS, "commit %llu of the log is damaged: row %zu",
                                  (unsigned long long)sequence, rows->count + i);
        }
        ALM_TRY(copy_text(arena, list[i].note, &list[i].note, st));
    }
    rows->count += block.count;
    return ALM_OK;
}

static alm_code read_rows(const alm_log_record *record, uint64_t sequence, alm_arena *arena,
                          alm_change *ret, alm_status *st)
{
    bool found;
    alm_str bytes;
    alm_str left = record->blocks;
    row_list rows = {0};
    ALM_TRY(alm_log_next_block(&left, &found, &bytes, st));
    while (found) {
        ALM_TRY(read_block(record, sequence, bytes, arena, &rows, st));
        ALM_TRY(alm_log_next_block(&left, &found, &bytes, st));
    }
    ret->obs = rows.rows;
    ret->obs_count = rows.count;
    return ALM_OK;
}

static alm_code read_change(const lmdb_txn *txn, uint64_t sequence, alm_str bytes, alm_arena *arena,
                            alm_change *ret, alm_status *st)
{
    alm_log_record record;
    ALM_TRY(alm_log_record_decode(bytes, arena, &record, st));
    *ret = (alm_change){.sequence = sequence,
                        .at_us = record.at_us,
                        .added = record.added,
                        .revised = record.revised,
                        .catalog_changed = record.catalog_changed,
                        .has_rows = record.has_rows,
                        .variant_count = record.variant_count};
    ALM_TRY(copy_text(arena, record.batch_id, &ret->batch_id, st));
    alm_str *texts = alm_arena_calloc(arena, record.variant_count, sizeof *texts);
    if (texts == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < record.variant_count; i++) {
        ALM_TRY(lmdb_variant_text(txn, record.variants[i], arena, &texts[i], st));
    }
    ret->variants = texts;
    return record.has_rows ? read_rows(&record, sequence, arena, ret, st) : ALM_OK;
}

static alm_code find_change(const lmdb_txn *txn, uint64_t from, alm_arena *arena, alm_change *ret,
                            alm_status *st)
{
    alm_head head;
    alm_str value;
    uint64_t sequence = ALM_MAX(from, (uint64_t)1);
    lmdb_key key = lmdb_key_of_u64(sequence);
    ALM_TRY(lmdb_head_get(txn, &head, st));
    if (sequence > head.sequence) {
        return alm_status_set(st, ALM_NOT_FOUND, "there is no commit %llu yet",
                              (unsigned long long)sequence);
    }
    // Sequences have no gaps: another commit than this one is never the answer.
    ALM_TRY(lmdb_require(txn, LMDB_LOG, &key, &value, st));
    return read_change(txn, sequence, value, arena, ret, st);
}

alm_code lmdb_feed_change(alm_store *store, uint64_t from_sequence, alm_arena *arena,
                          alm_change *ret, alm_status *st)
{
    lmdb_txn txn;
    ALM_TRY(lmdb_begin_read(lmdb_of(store), &txn, st));
    alm_code code = find_change(&txn, from_sequence, arena, ret, st);
    lmdb_abort(&txn);
    return code;
}

// --- waiting -------------------------------------------------------------------------------------

static struct timespec deadline_in(int64_t timeout_ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ms = ALM_MAX(timeout_ms, 0);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

alm_code lmdb_feed_wait(alm_store *base, uint64_t sequence, int64_t timeout_ms, alm_status *st)
{
    lmdb_store *store = lmdb_of(base);
    struct timespec until = deadline_in(timeout_ms);
    int error = 0;
    pthread_mutex_lock(&store->mutex);
    while (store->sequence < sequence && error == 0 && !store->stopping) {
        error = pthread_cond_timedwait(&store->done, &store->mutex, &until);
    }
    uint64_t reached = store->sequence;
    bool stopping = store->stopping;
    pthread_mutex_unlock(&store->mutex);
    if (reached >= sequence) {
        return ALM_OK;
    }
    if (stopping) {
        return alm_status_set(st, ALM_UNAVAILABLE, "the store is closing");
    }
    return alm_status_set(st, ALM_DEADLINE_EXCEEDED,
                          "commit %llu is not there yet; the newest is %llu",
                          (unsigned long long)sequence, (unsigned long long)reached);
}
