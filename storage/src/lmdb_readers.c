// Snapshots that are held: pages that commits give up cannot be used again before the oldest of
// them ends, and the file grows meanwhile. So they may keep so many bytes and no more.
#include "lmdb_store.h"

#define TICK_US        INT64_C(1000000)
#define TEND_US        INT64_C(60000000)
#define READER_HELD_US INT64_C(60000000)

// --- how long a snapshot has been held -----------------------------------------------------------

// LMDB does not tell when a snapshot was begun, but it was before the next transaction was
// committed: so it is at least as old as that.
void lmdb_note_commit(lmdb_store *store)
{
    MDB_envinfo info;
    lmdb_timeline *line = &store->timeline;
    mdb_env_info(store->env, &info);
    line->latest =
        (lmdb_moment){.txn = info.me_last_txnid, .at_us = store->clock.mono_us(store->clock.self)};
    const lmdb_moment *last = &line->moments[(line->count - 1) % LMDB_MOMENT_COUNT];
    if (line->count == 0 || line->latest.at_us - last->at_us >= TICK_US) {
        line->moments[line->count++ % LMDB_MOMENT_COUNT] = line->latest;
    }
}

// When the first transaction behind txn was committed, or a little later. False: not yet.
static bool find_next(lmdb_store *store, uint64_t txn, int64_t *ret_at_us)
{
    const lmdb_timeline *line = &store->timeline;
    pthread_mutex_lock(&store->mutex);
    uint64_t first = line->count - ALM_MIN(line->count, (uint64_t)LMDB_MOMENT_COUNT);
    const lmdb_moment *found = line->latest.txn > txn ? &line->latest : NULL;
    for (uint64_t i = first; i < line->count && found == &line->latest; i++) {
        const lmdb_moment *moment = &line->moments[i % LMDB_MOMENT_COUNT];
        found = moment->txn > txn ? moment : found;
    }
    *ret_at_us = found != NULL ? found->at_us : 0;
    pthread_mutex_unlock(&store->mutex);
    return found != NULL;
}

// --- readers -------------------------------------------------------------------------------------

// LMDB tells its readers as lines "pid thread txnid", the last "-" where a slot is idle.
static int count_reader(const char *line, void *arg)
{
    lmdb_readers *count = arg;
    int64_t txn;
    alm_str text = alm_str_trim(alm_str_from(line));
    size_t at = text.len;
    while (at > 0 && text.data[at - 1] != ' ') {
        at--;
    }
    if (!alm_str_to_i64(alm_str_slice(text, at, text.len), &txn)) {
        return 0;
    }
    count->live++;
    if ((uint64_t)txn < count->oldest) {
        size_t len = ALM_MIN(text.len, sizeof count->line - 1);
        count->oldest = (uint64_t)txn;
        memcpy(count->line, text.data, len);
        count->line[len] = '\0';
    }
    return 0;
}

int64_t lmdb_count_readers(lmdb_store *store, lmdb_readers *ret)
{
    int64_t at_us;
    *ret = (lmdb_readers){.oldest = UINT64_MAX};
    (void)mdb_reader_list(store->env, count_reader, ret);
    return ret->live > 0 && find_next(store, ret->oldest, &at_us)
               ? store->clock.mono_us(store->clock.self) - at_us
               : 0;
}

void lmdb_tend_readers(lmdb_store *store)
{
    int dead = 0;
    lmdb_readers readers;
    int64_t now_us = store->clock.mono_us(store->clock.self);
    if (store->tended_us != 0 && now_us - store->tended_us < TEND_US) {
        return;
    }
    store->tended_us = now_us;
    (void)mdb_reader_check(store->env, &dead);
    int64_t age_us = lmdb_count_readers(store, &readers);
    if (dead > 0) {
        alm_log_warn(store->log, "store.dead_readers_cleared", ALM_KV_I64("count", dead));
    }
    if (age_us >= READER_HELD_US) {
        alm_log_warn(store->log, "store.reader_held", ALM_KV_MS("at_least_ms", age_us),
                     ALM_KV_CSTR("pid_thread_txn", readers.line),
                     ALM_KV_CSTR("meanwhile", "the file grows with every commit"));
    }
}

// --- what they keep ------------------------------------------------------------------------------

alm_code lmdb_count_free(const lmdb_txn *txn, uint64_t from, uint64_t *ret_pages, alm_status *st)
{
    MDB_cursor *cursor;
    size_t first = from;
    MDB_val key = {.mv_size = sizeof first, .mv_data = &first};
    MDB_val value;
    int error = mdb_cursor_open(txn->txn, 0, &cursor); // LMDB's own list, by transaction
    if (error != MDB_SUCCESS) {
        return alm_status_from_lmdb(st, error, "the list of free pages");
    }
    error = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (error == MDB_SUCCESS) {
        size_t pages = 0; // each record begins with how many it names
        memcpy(&pages, value.mv_data, ALM_MIN(value.mv_size, sizeof pages));
        *ret_pages += pages;
        error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return error == MDB_NOTFOUND ? ALM_OK
                                 : alm_status_from_lmdb(st, error, "the list of free pages");
}

// Looked at again when the file has grown by a share of what may be kept.
#define HELD_LOOK_SHARE 8

static alm_code refuse(lmdb_store *store, const lmdb_readers *readers, int64_t age_us,
                       uint64_t held_bytes, alm_status *st)
{
    int64_t now_us = store->clock.mono_us(store->clock.self);
    if (store->held_told_us == 0 || now_us - store->held_told_us >= TEND_US) {
        store->held_told_us = now_us;
        alm_log_error(store->log, "store.held_too_much", ALM_KV_U64("bytes", held_bytes),
                      ALM_KV_U64("bytes_most", store->held_max), ALM_KV_MS("at_least_ms", age_us),
                      ALM_KV_CSTR("pid_thread_txn", readers->line));
    }
    return alm_status_set(
        st, ALM_RESOURCE_EXHAUSTED,
        "a snapshot (process, thread and transaction %s) is held since %lld s and "
        "keeps %llu bytes of pages that were given up, of %llu at most: commits "
        "are refused until it is over",
        readers->line, (long long)(age_us / 1000000), (unsigned long long)held_bytes,
        (unsigned long long)store->held_max);
}

// Pages that transactions gave up from the oldest snapshot on. 0 if no reader slot is free to look.
static uint64_t count_held(lmdb_store *store, const lmdb_readers *readers)
{
    lmdb_txn txn;
    uint64_t pages = 0;
    if (lmdb_begin_read(store, &txn, NULL) != ALM_OK) {
        return 0;
    }
    (void)!lmdb_count_free(&txn, readers->oldest, &pages, NULL);
    lmdb_abort(&txn);
    return pages * store->page_bytes;
}

alm_code lmdb_check_held(lmdb_store *store, alm_status *st)
{
    MDB_envinfo info;
    lmdb_readers readers;
    uint64_t held_bytes = 0;
    mdb_env_info(store->env, &info);
    uint64_t used = (info.me_last_pgno + 1) * store->page_bytes;
    if (used < store->held_look_at) {
        return ALM_OK;
    }
    int64_t age_us = lmdb_count_readers(store, &readers);
    if (readers.live > 0 && readers.oldest < info.me_last_txnid) {
        held_bytes = count_held(store, &readers);
    }
    pthread_mutex_lock(&store->mutex);
    store->held_txn = held_bytes > store->held_max / 2 ? readers.oldest : 0;
    pthread_mutex_unlock(&store->mutex);
    if (held_bytes > store->held_max) {
        return refuse(store, &readers, age_us, held_bytes, st);
    }
    store->held_look_at = used + store->held_max / HELD_LOOK_SHARE;
    return ALM_OK;
}

alm_code lmdb_may_go_on(lmdb_store *store, const lmdb_txn *txn, alm_status *st)
{
    pthread_mutex_lock(&store->mutex);
    bool is_over = mdb_txn_id(txn->txn) <= store->held_txn;
    pthread_mutex_unlock(&store->mutex);
    return is_over ? alm_status_set(st, ALM_ABORTED,
                                    "commits gave up more than %llu bytes of pages while this went "
                                    "on, which it keeps: it is ended so that commits can go on",
                                    (unsigned long long)store->held_max / 2)
                   : ALM_OK;
}
