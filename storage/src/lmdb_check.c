// What is looked at before a data file is opened: its pages, for LMDB trusts them; the checksums of
// the values that lie in the tree, which the pages hold anyway; and whether the keys are those that
// were written.
//
// A damaged value is told and the store opens: who reads it is answered DATA_LOSS, and everything
// else is as good as ever. A damaged key is refused: the record would not be found where it belongs
// and a read that passes over it could not know. That is seen by sums over the keys of each
// database, which stand in the head.
#include "lmdb_store.h"

#include <stdio.h>

#define TELL_EVERY_US 1000000

typedef struct checking {
    lmdb_store *store;
    int64_t from_us, told_us;
    const char *name; // of the database at hand; they come one after the other
    lmdb_dbi dbi;
} checking;

// --- the walk ------------------------------------------------------------------------------------

// LMDB_DBI_COUNT: none of ours.
static lmdb_dbi dbi_of(alm_str name)
{
    int i = 1;
    while (i < LMDB_DBI_COUNT && !alm_str_eq(name, alm_str_from(lmdb_dbi_name((lmdb_dbi)i)))) {
        i++;
    }
    return (lmdb_dbi)i;
}

static void note_damaged(lmdb_found *found, lmdb_dbi dbi, MDB_val key)
{
    if (found->damaged < ALM_ARRAY_LEN(found->labels)) {
        lmdb_label(dbi, key, found->labels[found->damaged]);
    }
    found->damaged++;
}

// LMDB takes what it does not write to as void *.
static MDB_val val_of(alm_bytes bytes)
{
    union {
        const uint8_t *in;
        void *out;
    } data = {.in = bytes.data};
    return (MDB_val){.mv_size = bytes.len, .mv_data = data.out};
}

static alm_code look_at_record(void *arg, alm_str database, alm_bytes key, alm_bytes value,
                               alm_status *st)
{
    checking *c = arg;
    lmdb_found *found = &c->store->found;
    (void)st;
    if (c->name != database.data) {
        c->name = database.data;
        c->dbi = dbi_of(database);
    }
    if (c->dbi == LMDB_DBI_COUNT) {
        return ALM_OK; // no store of ours, as will be said when it is opened
    }
    MDB_val k = val_of(key);
    found->key_sums[c->dbi] += lmdb_key_hash(c->dbi, k);
    if (value.data != NULL && !lmdb_value_fits(c->dbi, k, val_of(value))) {
        note_damaged(found, c->dbi, k);
    }
    return ALM_OK;
}

static void tell_progress(void *arg, uint64_t done, uint64_t all)
{
    checking *c = arg;
    const lmdb_store *store = c->store;
    int64_t now_us = store->clock.mono_us(store->clock.self);
    if (now_us - c->told_us >= TELL_EVERY_US) {
        c->told_us = now_us;
        alm_log_info(store->log, "store.checking", ALM_KV_U64("pages", done),
                     ALM_KV_U64("of_pages", all), ALM_KV_MS("took_ms", now_us - c->from_us));
    }
}

alm_code lmdb_check_pages(lmdb_store *store, int fd, uint64_t file_bytes, const char *path,
                          alm_status *st)
{
    checking c = {.store = store, .from_us = store->clock.mono_us(store->clock.self)};
    lmdb_pages_visitor visitor = {.arg = &c, .record = look_at_record, .progress = tell_progress};
    lmdb_pages_info info;
    c.told_us = c.from_us;
    store->found = (lmdb_found){0};
    if (lmdb_pages_check(fd, file_bytes, &visitor, &info, st) != ALM_OK) {
        return alm_status_prefix(st, "%s", path);
    }
    int64_t took_us = store->clock.mono_us(store->clock.self) - c.from_us;
    if (took_us >= TELL_EVERY_US) {
        alm_log_info(store->log, "store.checked", ALM_KV_U64("pages", info.pages),
                     ALM_KV_MS("took_ms", took_us));
    }
    return ALM_OK;
}

// --- keys ----------------------------------------------------------------------------------------

// The first damaged record of the database. Its checksum is bound to its key, so one under another
// key is among them.
static void find_damaged(const lmdb_txn *txn, lmdb_dbi dbi, alm_status *ret)
{
    lmdb_scan scan;
    alm_code code = lmdb_scan_open(txn, dbi, &scan, ret);
    if (code == ALM_OK) {
        code = lmdb_scan_seek(&scan, NULL, ret);
    }
    while (code == ALM_OK && scan.found) {
        code = lmdb_scan_next(&scan, ret);
    }
    lmdb_scan_close(&scan);
    if (code == ALM_OK) {
        (void)alm_status_set(ret, ALM_DATA_LOSS, "no record is damaged: one is gone, or too many");
    }
}

alm_code lmdb_check_keys(lmdb_store *store, const lmdb_txn *txn, const uint64_t *written,
                         alm_status *st)
{
    const lmdb_found *found = &store->found;
    for (int i = 1; i < LMDB_DBI_COUNT; i++) {
        if (found->key_sums[i] != written[i]) {
            alm_status which = ALM_STATUS_INIT;
            find_damaged(txn, (lmdb_dbi)i, &which);
            return alm_status_set(st, ALM_DATA_LOSS,
                                  "the keys of database \"%s\" are not those that were written, so "
                                  "that reads would miss a record: %s",
                                  lmdb_dbi_name((lmdb_dbi)i), which.message);
        }
    }
    for (uint64_t i = 0; i < found->damaged && i < ALM_ARRAY_LEN(found->labels); i++) {
        alm_log_warn(store->log, "store.record_damaged", ALM_KV_CSTR("record", found->labels[i]),
                     ALM_KV_U64("of_records", found->damaged),
                     ALM_KV_CSTR("next", "reads of it are answered DATA_LOSS, all others go on"));
    }
    return ALM_OK;
}
