// The store's figures, and readers that hold a snapshot too long: pages that commits give up cannot
// be used again before the oldest snapshot ends, and the file grows meanwhile.
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

typedef struct reader_count {
    uint32_t live;
    uint64_t oldest; // transaction id; UINT64_MAX: none
    char line[96];   // of the oldest, as LMDB tells it
} reader_count;

// LMDB tells its readers as lines "pid thread txnid", the last "-" where a slot is idle.
static int count_reader(const char *line, void *arg)
{
    reader_count *count = arg;
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

// The oldest one's age, at least; 0: nothing was committed since it began.
static int64_t count_readers(lmdb_store *store, reader_count *ret)
{
    int64_t at_us;
    *ret = (reader_count){.oldest = UINT64_MAX};
    (void)mdb_reader_list(store->env, count_reader, ret);
    return ret->live > 0 && find_next(store, ret->oldest, &at_us)
               ? store->clock.mono_us(store->clock.self) - at_us
               : 0;
}

void lmdb_tend_readers(lmdb_store *store)
{
    int dead = 0;
    reader_count readers;
    int64_t now_us = store->clock.mono_us(store->clock.self);
    if (store->tended_us != 0 && now_us - store->tended_us < TEND_US) {
        return;
    }
    store->tended_us = now_us;
    (void)mdb_reader_check(store->env, &dead);
    int64_t age_us = count_readers(store, &readers);
    if (dead > 0) {
        alm_log_warn(store->log, "store.dead_readers_cleared", ALM_KV_I64("count", dead));
    }
    if (age_us >= READER_HELD_US) {
        alm_log_warn(store->log, "store.reader_held", ALM_KV_MS("at_least_ms", age_us),
                     ALM_KV_CSTR("pid_thread_txn", readers.line),
                     ALM_KV_CSTR("meanwhile", "the file grows with every commit"));
    }
}

// --- bytes ---------------------------------------------------------------------------------------

static alm_store_part part_of(lmdb_dbi dbi)
{
    switch (dbi) {
    case LMDB_LOG:
        return ALM_STORE_PART_LOG;
    case LMDB_SLICE:
        return ALM_STORE_PART_SLICES;
    case LMDB_VINTAGES:
        return ALM_STORE_PART_VINTAGES;
    case LMDB_SERIES:
        return ALM_STORE_PART_SERIES;
    case LMDB_BASE:
        return ALM_STORE_PART_BASES;
    case LMDB_ENTRY:
    case LMDB_CODE:
        return ALM_STORE_PART_CATALOG;
    default:
        return ALM_STORE_PART_OTHER;
    }
}

// Each record of LMDB's list of free pages begins with how many it names.
static alm_code count_free(const lmdb_txn *txn, uint64_t *ret_pages, alm_status *st)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int error = mdb_cursor_open(txn->txn, 0, &cursor);
    if (error != MDB_SUCCESS) {
        return alm_status_from_lmdb(st, error, "the list of free pages");
    }
    while ((error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        size_t pages = 0;
        memcpy(&pages, value.mv_data, ALM_MIN(value.mv_size, sizeof pages));
        *ret_pages += pages;
    }
    mdb_cursor_close(cursor);
    return error == MDB_NOTFOUND ? ALM_OK
                                 : alm_status_from_lmdb(st, error, "the list of free pages");
}

static alm_code pages_of(const lmdb_txn *txn, lmdb_dbi dbi, MDB_stat *ret, alm_status *st)
{
    int error = mdb_stat(txn->txn, txn->dbis[dbi], ret);
    return error == MDB_SUCCESS ? ALM_OK : alm_status_from_lmdb(st, error, lmdb_dbi_name(dbi));
}

static alm_code count_bytes(const lmdb_txn *txn, size_t page_bytes, uint64_t *ret, alm_status *st)
{
    uint64_t free_pages = 0;
    for (int i = 1; i < LMDB_DBI_COUNT; i++) {
        MDB_stat stat;
        ALM_TRY(pages_of(txn, (lmdb_dbi)i, &stat, st));
        size_t pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
        ret[part_of((lmdb_dbi)i)] += (uint64_t)pages * page_bytes;
    }
    ALM_TRY(count_free(txn, &free_pages, st));
    ret[ALM_STORE_PART_FREE] = free_pages * page_bytes;
    return ALM_OK;
}

alm_code lmdb_sizes(alm_store *base, uint64_t *ret, alm_status *st)
{
    lmdb_store *store = lmdb_of(base);
    lmdb_txn txn;
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    alm_code code = count_bytes(&txn, store->page_bytes, ret, st);
    lmdb_abort(&txn);
    return code;
}

// --- all of it -----------------------------------------------------------------------------------

static void copy_head(const alm_head *head, alm_store_stats *ret)
{
    ret->sequence = head->sequence;
    ret->catalog_sequence = head->catalog_sequence;
    ret->observations = head->observations;
    ret->cells = head->cells;
    ret->indicators = head->indicators;
    ret->places = head->places;
    ret->sources = head->sources;
    ret->series_variants = head->variants;
    ret->quarantined = head->quarantined;
    ret->feed_from = head->feed_trimmed + 1;
    ret->feed_bytes = head->feed_bytes;
}

static void copy_counts(lmdb_store *store, alm_store_stats *ret)
{
    pthread_mutex_lock(&store->mutex);
    ret->commits = store->commits;
    ret->commit_groups = store->commit_groups;
    ret->syncs = store->syncs;
    ret->sync_us = store->sync_us;
    ret->folds = store->folds;
    ret->folded_at_us = store->folded_at_us;
    ret->queued = lmdb_writer_queued(store);
    pthread_mutex_unlock(&store->mutex);
}

static alm_code read_stats(const lmdb_txn *txn, alm_store_stats *ret, alm_status *st)
{
    alm_head head;
    MDB_stat parts;
    ALM_TRY(lmdb_head_get(txn, &head, st));
    ALM_TRY(pages_of(txn, LMDB_PART, &parts, st));
    copy_head(&head, ret);
    ret->parts_waiting = parts.ms_entries;
    return ALM_OK;
}

alm_code lmdb_stats(alm_store *base, alm_store_stats *ret, alm_status *st)
{
    lmdb_store *store = lmdb_of(base);
    lmdb_txn txn;
    MDB_envinfo info;
    reader_count readers;
    *ret = (alm_store_stats){0};
    mdb_env_info(store->env, &info);
    ret->oldest_reader_us = (uint64_t)count_readers(store, &readers);
    ret->readers = readers.live;
    if (readers.live > 0 && readers.oldest < info.me_last_txnid) {
        ret->oldest_reader_lag = info.me_last_txnid - readers.oldest;
    }
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    alm_code code = read_stats(&txn, ret, st);
    lmdb_abort(&txn);
    ALM_TRY(code);
    ret->bytes_used = (info.me_last_pgno + 1) * store->page_bytes;
    ret->bytes_map = info.me_mapsize;
    ret->is_nearly_full =
        lmdb_map_percent(ret->bytes_used, ret->bytes_map) >= LMDB_MAP_ALARM_PERCENT;
    ret->damaged = store->found.damaged;
    copy_counts(store, ret);
    return ALM_OK;
}
