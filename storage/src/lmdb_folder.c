// The thread that folds. A round looks at every part once, each in a snapshot of its own.
#include "lmdb_fold.h"

#define FOLD_BUF_BYTES_MAX ((size_t)1 << 30)

// Which parts a round folds.
typedef struct ripeness {
    size_t changes;  // with at least so many
    uint64_t before; // or with one as old as this
} ripeness;

static bool is_ripe(const alm_part *part, const ripeness *ripe)
{
    size_t i = 0;
    while (i < part->count && part->changes[i].first > ripe->before) {
        i++;
    }
    return part->count >= ripe->changes || i < part->count;
}

// The first ripe part at or after (variant, chunk), in this snapshot.
static alm_code find_part(const lmdb_txn *txn, const ripeness *ripe, alm_arena *scratch,
                          lmdb_fold *fold, bool *ret_found, alm_status *st)
{
    lmdb_scan scan;
    lmdb_key key = lmdb_key_of_pair(fold->variant, fold->chunk);
    *ret_found = false;
    ALM_TRY(lmdb_scan_open(txn, LMDB_PART, &scan, st));
    alm_code code = lmdb_scan_seek(&scan, &key, st);
    while (code == ALM_OK && scan.found && !*ret_found) {
        alm_part part;
        alm_arena_reset(scratch);
        if (!lmdb_pair_from_key(scan.key, &fold->variant, &fold->chunk)) {
            code = alm_status_set(st, ALM_DATA_LOSS, "the key of a part is damaged");
        } else if ((code = alm_part_decode(scan.value, scratch, &part, st)) == ALM_OK) {
            *ret_found = is_ripe(&part, ripe);
            code = *ret_found ? ALM_OK : lmdb_scan_next(&scan, st);
        }
    }
    lmdb_scan_close(&scan);
    return code;
}

// Finds the next ripe part and makes its series.
static alm_code make_next(lmdb_store *store, const ripeness *ripe, lmdb_fold *fold, bool *ret_found,
                          alm_status *st)
{
    lmdb_txn txn;
    alm_head head;
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    alm_code code = lmdb_head_get(&txn, &head, st);
    if (code == ALM_OK) {
        fold->sequence = head.sequence;
        code = find_part(&txn, ripe, fold->arena, fold, ret_found, st);
    }
    if (code == ALM_OK && *ret_found) {
        alm_arena_reset(fold->arena);
        code = lmdb_fold_make(&txn, fold, st);
    }
    lmdb_abort(&txn);
    return code;
}

static bool is_stopping(lmdb_store *store)
{
    pthread_mutex_lock(&store->mutex);
    bool stopping = store->stopping;
    pthread_mutex_unlock(&store->mutex);
    return stopping;
}

static alm_code fold_one(lmdb_store *store, const ripeness *ripe, lmdb_fold *fold, bool *ret_found,
                         alm_status *st)
{
    int64_t from_us = store->clock.mono_us(store->clock.self);
    fold->groups = NULL;
    fold->count = 0;
    fold->cap = 0;
    fold->has_base = false;
    fold->slice_count = 0;
    alm_buf_reset(&fold->bytes);
    alm_arena_reset(fold->arena);
    ALM_TRY(make_next(store, ripe, fold, ret_found, st));
    if (!*ret_found) {
        return ALM_OK;
    }
    int64_t made_us = store->clock.mono_us(store->clock.self);
    ALM_TRY(lmdb_writer_fold(store, fold, st));
    pthread_mutex_lock(&store->mutex);
    store->folds++;
    store->folded_at_us = store->clock.wall_us(store->clock.self);
    pthread_mutex_unlock(&store->mutex);
    alm_log_debug(store->log, "store.fold", ALM_KV_U64("groups", fold->count),
                  ALM_KV_U64("bytes", fold->bytes.len), ALM_KV_MS("made_ms", made_us - from_us),
                  ALM_KV_MS("put_ms", store->clock.mono_us(store->clock.self) - made_us));
    return ALM_OK;
}

// Folds every ripe part.
static alm_code run_round(lmdb_store *store, const ripeness *ripe, alm_status *st)
{
    lmdb_fold fold = {.arena = alm_arena_create(0)};
    alm_code code = ALM_OK;
    bool found = true;
    alm_buf_init(&fold.bytes, FOLD_BUF_BYTES_MAX);
    if (fold.arena == NULL) {
        code = alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to fold slices");
    }
    while (code == ALM_OK && found && !is_stopping(store)) {
        code = fold_one(store, ripe, &fold, &found, st);
        fold.chunk++; // a chunk's number is far from the largest
    }
    alm_buf_deinit(&fold.bytes);
    alm_arena_destroy(&fold.arena);
    return code;
}

// A round that failed is tried again when more has changed: slices answer meanwhile.
static void *folder_main(void *arg)
{
    lmdb_store *store = arg;
    pthread_mutex_lock(&store->mutex);
    while (!store->stopping) {
        if (!store->fold_wanted && store->fold_ended == store->fold_asked) {
            pthread_cond_wait(&store->ripe, &store->mutex);
            continue;
        }
        alm_status st = ALM_STATUS_INIT;
        uint64_t asked = store->fold_asked;
        bool is_asked = store->fold_ended != asked;
        ripeness ripe = {.changes = is_asked ? 1 : LMDB_FOLD_CHANGE_COUNT,
                         .before = store->fold_before};
        store->fold_wanted = false;
        pthread_mutex_unlock(&store->mutex);
        alm_code code = run_round(store, &ripe, &st);
        if (code == ALM_OK && is_asked) {
            code = lmdb_writer_trim(store, &st);
        }
        if (code != ALM_OK && !is_stopping(store)) {
            alm_log_warn(store->log, "store.fold_failed", ALM_KV_CSTR("error", st.message));
        }
        pthread_mutex_lock(&store->mutex);
        if (is_asked) {
            store->fold_ended = asked;
            store->fold_failed = st;
        }
        pthread_cond_broadcast(&store->done);
    }
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}

alm_code lmdb_compact(alm_store *base, alm_status *st)
{
    lmdb_store *store = lmdb_of(base);
    pthread_mutex_lock(&store->mutex);
    uint64_t asked = ++store->fold_asked;
    pthread_cond_signal(&store->ripe);
    while (store->fold_ended < asked && !store->stopping) {
        pthread_cond_wait(&store->done, &store->mutex);
    }
    bool is_over = store->fold_ended >= asked;
    alm_status failed = store->fold_failed;
    pthread_mutex_unlock(&store->mutex);
    if (!is_over) {
        return alm_status_set(st, ALM_UNAVAILABLE, "the store is closing");
    }
    return failed.code != ALM_OK ? alm_status_copy(st, &failed) : ALM_OK;
}

alm_code lmdb_folder_start(lmdb_store *store, alm_status *st)
{
    store->fold_wanted = true; // what an earlier process left
    int error = pthread_create(&store->folder, NULL, folder_main, store);
    if (error != 0) {
        return alm_status_from_errno(st, error, "starting the folder");
    }
    store->has_folder = true;
    return ALM_OK;
}

// What the round has queued is answered by whoever writes, and refused from now on.
void lmdb_folder_stop(lmdb_store *store)
{
    pthread_mutex_lock(&store->mutex);
    store->stopping = true;
    pthread_cond_broadcast(&store->ripe);
    pthread_cond_broadcast(&store->done);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->folder, NULL);
    store->has_folder = false;
}
