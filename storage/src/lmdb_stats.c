// The store's figures.
#include "lmdb_store.h"

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
    ALM_TRY(lmdb_count_free(txn, 0, &free_pages, st));
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
    lmdb_readers readers;
    *ret = (alm_store_stats){0};
    mdb_env_info(store->env, &info);
    ret->oldest_snapshot_us = (uint64_t)lmdb_count_readers(store, &readers);
    ret->snapshots = readers.live;
    if (readers.live > 0 && readers.oldest < info.me_last_txnid) {
        ret->oldest_snapshot_lag = info.me_last_txnid - readers.oldest;
    }
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    alm_code code = read_stats(&txn, ret, st);
    lmdb_abort(&txn);
    ALM_TRY(code);
    ret->bytes_used = (info.me_last_pgno + 1) * store->page_bytes;
    ret->bytes_max = info.me_mapsize;
    ret->is_nearly_full =
        lmdb_map_percent(ret->bytes_used, ret->bytes_max) >= LMDB_MAP_ALARM_PERCENT;
    ret->damaged = store->found.damaged;
    copy_counts(store, ret);
    return ALM_OK;
}
