#include "lmdb_variant_table.h"

#include "alm/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MAP_BYTES_DEFAULT ((size_t)64 << 30)
#define READER_COUNT_MAX  1024

// --- transactions --------------------------------------------------------------------------------

static int begin(lmdb_store *store, unsigned flags, lmdb_txn *ret)
{
    *ret = (lmdb_txn){.dbis = store->dbis, .bases = lmdb_bases_create()};
    return ret->bases == NULL ? ENOMEM : mdb_txn_begin(store->env, NULL, flags, &ret->txn);
}

alm_code lmdb_begin_read(lmdb_store *store, lmdb_txn *ret, alm_status *st)
{
    int error = begin(store, MDB_RDONLY, ret);
    if (error == MDB_READERS_FULL) {
        int dead;
        (void)mdb_reader_check(store->env, &dead);
        lmdb_bases_destroy(&ret->bases);
        error = begin(store, MDB_RDONLY, ret);
    }
    if (error != MDB_SUCCESS) {
        lmdb_abort(ret);
        return alm_status_from_lmdb(st, error, "opening a snapshot");
    }
    return ALM_OK;
}

alm_code lmdb_begin_write(lmdb_store *store, lmdb_txn *ret, alm_status *st)
{
    int error = begin(store, 0, ret);
    if (error != MDB_SUCCESS) {
        lmdb_abort(ret);
        return alm_status_from_lmdb(st, error, "opening a write transaction");
    }
    return ALM_OK;
}

void lmdb_abort(lmdb_txn *txn)
{
    if (txn->txn != NULL) {
        mdb_txn_abort(txn->txn);
        txn->txn = NULL;
    }
    lmdb_bases_destroy(&txn->bases);
}

#define FULL_BYTES ((uint64_t)1 << 20)

// LMDB calls a short write EIO, and a disk that fills up in the middle of one makes short writes.
static bool is_disk_full(lmdb_store *store)
{
    int fd;
    struct statvfs info;
    return mdb_env_get_fd(store->env, &fd) == MDB_SUCCESS && fstatvfs(fd, &info) == 0 &&
           (uint64_t)info.f_bavail * info.f_frsize < FULL_BYTES;
}

alm_code lmdb_commit(lmdb_store *store, lmdb_txn *txn, alm_status *st)
{
    int error = mdb_txn_commit(txn->txn);
    txn->txn = NULL;
    lmdb_abort(txn);
    if (error == EIO && is_disk_full(store)) {
        error = ENOSPC;
    }
    if (error != MDB_SUCCESS) {
        return alm_status_from_lmdb(st, error, "committing");
    }
    lmdb_dir_grow(store);
    return ALM_OK;
}

// --- head ----------------------------------------------------------------------------------------

alm_code lmdb_head_get(const lmdb_txn *txn, alm_head *ret, alm_status *st)
{
    alm_str value;
    lmdb_key key = lmdb_key_of_text(ALM_STR("head"));
    ALM_TRY(lmdb_require(txn, LMDB_META, &key, &value, st));
    return alm_head_decode(value, ret, st);
}

alm_code lmdb_head_put(const lmdb_txn *txn, const alm_head *head, alm_buf *scratch, alm_status *st)
{
    lmdb_key key = lmdb_key_of_text(ALM_STR("head"));
    alm_buf_reset(scratch);
    alm_head_encode(head, scratch);
    return lmdb_put(txn, LMDB_META, &key, scratch, 0, st);
}

// --- format --------------------------------------------------------------------------------------

#define FORMAT_MAGIC   "ALMSTORE"
#define FORMAT_VERSION 3
#define FORMAT_WRITER  "almanac 0.1"

static alm_code put_format(const lmdb_txn *txn, alm_buf *scratch, alm_status *st)
{
    lmdb_key key = lmdb_key_of_text(ALM_STR("format"));
    alm_buf_reset(scratch);
    alm_buf_str(scratch, ALM_STR(FORMAT_MAGIC));
    alm_buf_u32(scratch, FORMAT_VERSION);
    alm_buf_str(scratch, ALM_STR(FORMAT_WRITER));
    return lmdb_put(txn, LMDB_META, &key, scratch, 0, st);
}

static alm_code check_format(const lmdb_txn *txn, alm_status *st)
{
    alm_str value;
    lmdb_key key = lmdb_key_of_text(ALM_STR("format"));
    ALM_TRY(lmdb_require(txn, LMDB_META, &key, &value, st));
    alm_reader r = alm_reader_of(value.data, value.len);
    alm_str magic = alm_read_bytes(&r, strlen(FORMAT_MAGIC));
    uint32_t version = alm_read_u32(&r);
    if (r.failed || !alm_str_eq(magic, ALM_STR(FORMAT_MAGIC))) {
        return alm_status_set(st, ALM_DATA_LOSS, "the format stamp is damaged");
    }
    if (version != FORMAT_VERSION) {
        alm_str writer = alm_read_bytes(&r, alm_reader_left(&r));
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "the store has format %u, written by %.*s; this program knows format "
                              "%d: use one at least as new",
                              version, ALM_STR_ARGS(writer), FORMAT_VERSION);
    }
    return ALM_OK;
}

// --- opening -------------------------------------------------------------------------------------

static alm_code open_dbis(lmdb_store *store, const lmdb_txn *txn, unsigned flags, alm_status *st)
{
#define LMDB_DBI_LIST(name, number, text) LMDB_##name,
    static const lmdb_dbi all[] = {LMDB_DBI_MAP(LMDB_DBI_LIST)};
#undef LMDB_DBI_LIST
    for (size_t i = 0; i < ALM_ARRAY_LEN(all); i++) {
        const char *name = lmdb_dbi_name(all[i]);
        int error = mdb_dbi_open(txn->txn, name, flags, &store->dbis[all[i]]);
        if (error == MDB_NOTFOUND) {
            return alm_status_set(st, ALM_DATA_LOSS, "not a store: it has no database \"%s\"",
                                  name);
        }
        if (error != MDB_SUCCESS) {
            return alm_status_from_lmdb(st, error, name);
        }
    }
    return ALM_OK;
}

static alm_code make_store(lmdb_store *store, const lmdb_txn *txn, alm_status *st)
{
    alm_buf scratch;
    alm_buf_init(&scratch, 0);
    alm_code code = open_dbis(store, txn, MDB_CREATE, st);
    if (code == ALM_OK) {
        code = put_format(txn, &scratch, st);
    }
    if (code == ALM_OK) {
        code = lmdb_head_put(txn, &(alm_head){0}, &scratch, st);
    }
    alm_buf_deinit(&scratch);
    return code;
}

static alm_code open_store(lmdb_store *store, const lmdb_txn *txn, alm_status *st)
{
    MDB_dbi main_dbi;
    MDB_stat stat;
    int error = mdb_dbi_open(txn->txn, NULL, 0, &main_dbi);
    if (error == MDB_SUCCESS) {
        error = mdb_stat(txn->txn, main_dbi, &stat);
    }
    if (error != MDB_SUCCESS) {
        return alm_status_from_lmdb(st, error, "the main database");
    }
    if (stat.ms_entries == 0) {
        ALM_TRY(make_store(store, txn, st));
    } else {
        ALM_TRY(open_dbis(store, txn, 0, st));
        ALM_TRY(check_format(txn, st));
    }
    store->page_bytes = stat.ms_psize;
    alm_head head;
    ALM_TRY(lmdb_head_get(txn, &head, st));
    store->sequence = head.sequence;
    return ALM_OK;
}

static alm_code sync_dir(const char *dir, alm_status *st)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return alm_status_from_errno(st, errno, dir);
    }
    alm_code code = fsync(fd) == 0 ? ALM_OK : alm_status_from_errno(st, errno, dir);
    close(fd);
    return code;
}

static alm_code open_env(lmdb_store *store, const char *dir, alm_status *st)
{
    int dead;
    int error = mdb_env_create(&store->env);
    if (error != MDB_SUCCESS) {
        store->env = NULL;
        return alm_status_from_lmdb(st, error, dir);
    }
    if ((error = mdb_env_set_mapsize(store->env, store->map_bytes)) != MDB_SUCCESS ||
        (error = mdb_env_set_maxdbs(store->env, LMDB_DBI_COUNT)) != MDB_SUCCESS ||
        (error = mdb_env_set_maxreaders(store->env, READER_COUNT_MAX)) != MDB_SUCCESS ||
        (error = mdb_env_open(store->env, dir, MDB_NOTLS | MDB_NORDAHEAD, 0640)) != MDB_SUCCESS ||
        (error = mdb_reader_check(store->env, &dead)) != MDB_SUCCESS) {
        return alm_status_from_lmdb(st, error, dir);
    }
    lmdb_txn txn;
    ALM_TRY(lmdb_begin_write(store, &txn, st));
    alm_code code = open_store(store, &txn, st);
    if (code != ALM_OK) {
        lmdb_abort(&txn);
        return code;
    }
    ALM_TRY(lmdb_commit(store, &txn, st));
    ALM_TRY(lmdb_dir_check_sequence(store, dir, st));
    return sync_dir(dir, st);
}

static void close_store(alm_store *base)
{
    lmdb_store *store = lmdb_of(base);
    if (store->has_folder) {
        lmdb_folder_stop(store);
    }
    if (store->has_writer) {
        lmdb_writer_stop(store);
    }
    if (store->env != NULL) {
        mdb_env_close(store->env);
    }
    if (store->sequence_fd >= 0) {
        close(store->sequence_fd);
    }
    if (store->lock_fd >= 0) {
        close(store->lock_fd);
    }
    lmdb_variant_table_destroy(&store->variants);
    pthread_cond_destroy(&store->ripe);
    pthread_cond_destroy(&store->done);
    pthread_cond_destroy(&store->work);
    pthread_mutex_destroy(&store->mutex);
    alm_free(store);
}

static const alm_store_ops lmdb_ops = {
    .close = close_store,
    .commit = lmdb_writer_commit,
    .read = lmdb_read,
    .reader_open = lmdb_reader_open,
    .reader_close = lmdb_reader_close,
    .series = lmdb_reader_series,
    .slice = lmdb_reader_slice,
    .visit_catalog = lmdb_catalog_visit,
    .visit_entries = lmdb_entries_visit,
    .find_series = lmdb_series_find,
    .visit_quarantine = lmdb_quarantine_visit,
    .change = lmdb_feed_change,
    .wait = lmdb_feed_wait,
    .stats = lmdb_stats,
    .compact = lmdb_compact,
    .verify = lmdb_verify,
};

static bool init_locks(lmdb_store *store)
{
    pthread_condattr_t attr;
    // Waits are bounded by the monotonic clock: a step of the wall clock must not stretch them.
    bool ok = pthread_condattr_init(&attr) == 0 &&
              pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
              pthread_mutex_init(&store->mutex, NULL) == 0 &&
              pthread_cond_init(&store->work, &attr) == 0 &&
              pthread_cond_init(&store->done, &attr) == 0 &&
              pthread_cond_init(&store->ripe, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return ok;
}

static alm_code open_engine(const char *dir, const alm_store_opts *opts, alm_store **ret,
                            alm_status *st)
{
    lmdb_store *store = alm_calloc(1, sizeof *store);
    if (store == NULL || !init_locks(store)) {
        alm_free(store);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a store");
    }
    store->base.ops = &lmdb_ops;
    store->lock_fd = -1;
    store->sequence_fd = -1;
    store->map_bytes = opts->map_bytes != 0 ? opts->map_bytes : MAP_BYTES_DEFAULT;
    store->clock = opts->clock.wall_us != NULL ? opts->clock : alm_clock_system();
    store->log = opts->log;
    store->feed.commits = opts->feed_commits != 0 ? opts->feed_commits : ALM_FEED_COMMITS;
    store->feed.bytes = opts->feed_bytes != 0 ? opts->feed_bytes : ALM_FEED_BYTES;
    store->queue_end = &store->queue;

    store->variants = lmdb_variant_table_create();
    alm_code code = store->variants == NULL
                        ? alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a store")
                        : lmdb_dir_open(dir, &store->lock_fd, st);
    if (code == ALM_OK) {
        code = open_env(store, dir, st);
    }
    if (code == ALM_OK) {
        code = lmdb_writer_start(store, st);
    }
    if (code == ALM_OK) {
        code = lmdb_folder_start(store, st);
    }
    if (code != ALM_OK) {
        close_store(&store->base);
        return code;
    }
    *ret = &store->base;
    return ALM_OK;
}

const alm_engine alm_engine_lmdb = {.open = open_engine};
