#include "lmdb_file.h"
#include "lmdb_variant_table.h"

#include "alm/alloc.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

// Address space costs nothing, the file is as long as what stands in it, and a map that is full
// needs somebody to open it larger. Where a process may have less (RLIMIT_AS, valgrind, several
// stores under the thread sanitizer), quarters of it are tried down to the least.
#define MAP_BYTES_DEFAULT ((size_t)1 << 40)
#define MAP_BYTES_LEAST   ((size_t)1 << 28)
#define READER_COUNT_MAX  1024
_Static_assert(sizeof(size_t) == 8, "the map needs addresses of 64 bits");

// --- head ----------------------------------------------------------------------------------------

// The record: the head, sums of keys by database from 1 on (u64), how many they are (u8).
static alm_code split_head(alm_str value, alm_str *ret_head, alm_reader *ret_sums,
                           size_t *ret_count, alm_status *st)
{
    size_t count = value.len > 0 ? (uint8_t)value.data[value.len - 1] : 0;
    size_t bytes = count * sizeof(uint64_t) + 1;
    if (value.len < bytes || count >= LMDB_DBI_COUNT) {
        return alm_status_set(st, ALM_DATA_LOSS, "the head is damaged");
    }
    *ret_head = (alm_str){.data = value.data, .len = value.len - bytes};
    *ret_sums = alm_reader_of(value.data + ret_head->len, bytes - 1);
    *ret_count = count;
    return ALM_OK;
}

// A head without sums is from who does not keep them: what was found is taken for right. A new
// store has none.
static alm_code read_key_sums(const lmdb_store *store, alm_str value, uint64_t *ret, alm_status *st)
{
    alm_str head;
    alm_reader sums;
    size_t count;
    ALM_TRY(split_head(value, &head, &sums, &count, st));
    memcpy(ret, store->found.key_sums, sizeof store->found.key_sums);
    for (size_t i = 1; i <= count; i++) {
        ret[i] = alm_read_u64(&sums);
    }
    return ALM_OK;
}

static alm_code load_key_sums(lmdb_store *store, const lmdb_txn *txn, alm_status *st)
{
    bool found;
    alm_str value;
    lmdb_key key = lmdb_key_of_text(ALM_STR("head"));
    memset(store->key_sums, 0, sizeof store->key_sums);
    if (!store->has_dbis) {
        return ALM_OK;
    }
    ALM_TRY(lmdb_get(txn, LMDB_META, &key, &found, &value, st));
    return found ? read_key_sums(store, value, store->key_sums, st) : ALM_OK;
}

alm_code lmdb_head_get(const lmdb_txn *txn, alm_head *ret, alm_status *st)
{
    alm_str value, head;
    alm_reader sums;
    size_t count;
    lmdb_key key = lmdb_key_of_text(ALM_STR("head"));
    ALM_TRY(lmdb_require(txn, LMDB_META, &key, &value, st));
    ALM_TRY(split_head(value, &head, &sums, &count, st));
    return alm_head_decode(head, ret, st);
}

alm_code lmdb_head_put(const lmdb_txn *txn, const alm_head *head, alm_buf *scratch, alm_status *st)
{
    lmdb_key key = lmdb_key_of_text(ALM_STR("head"));
    uint8_t count = txn->key_sums != NULL ? LMDB_DBI_COUNT - 1 : 0;
    alm_buf_reset(scratch);
    alm_head_encode(head, scratch);
    for (uint8_t i = 1; i <= count; i++) {
        alm_buf_u64(scratch, txn->key_sums[i]);
    }
    alm_buf_u8(scratch, count);
    return lmdb_put(txn, LMDB_META, &key, scratch, 0, st);
}

// --- reading on ----------------------------------------------------------------------------------

// When a meta page cannot be written, LMDB gives no transaction of the environment any more, not
// even to read: MDB_PANIC. It would have to be closed and opened anew, but others hold snapshots of
// it, and readers keep theirs from question to question: to wait for all of them, every question
// would have to be counted. So commits are over until the store is opened again, and reads go on in
// a second environment, opened beside the first one when it is needed.
//
// That is safe because nothing writes to the file any more. No page that a snapshot shows is used
// again, so readers need not be told to a writer: the second one does without LMDB's lock file
// (MDB_NOLOCK), and that file is what may not be opened twice in one process. It shows the last
// commit whose meta page is whole: the one before that failed, or, where writing the old page back
// failed too, the failed one itself, whose caller was told that nobody knows (ALM_UNAVAILABLE).

static int open_beside_dbis(lmdb_store *store)
{
    MDB_txn *txn;
    int error = mdb_txn_begin(store->beside, NULL, MDB_RDONLY, &txn);
    if (error != MDB_SUCCESS) {
        return error;
    }
    for (int i = 1; i < LMDB_DBI_COUNT && error == MDB_SUCCESS; i++) {
        error = mdb_dbi_open(txn, lmdb_dbi_name((lmdb_dbi)i), 0, &store->beside_dbis[i]);
    }
    if (error != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        return error;
    }
    return mdb_txn_commit(txn); // keeps the handles
}

static int open_beside(lmdb_store *store)
{
    const char *path;
    int error = mdb_env_get_path(store->env, &path);
    if (error == MDB_SUCCESS) {
        error = mdb_env_create(&store->beside);
    }
    if (error != MDB_SUCCESS) {
        return error;
    }
    // As large as the file, of which LMDB takes care.
    if ((error = mdb_env_set_mapsize(store->beside, store->page_bytes)) != MDB_SUCCESS ||
        (error = mdb_env_set_maxdbs(store->beside, LMDB_DBI_COUNT)) != MDB_SUCCESS ||
        (error = mdb_env_open(store->beside, path,
                              MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS | MDB_NORDAHEAD, 0640)) !=
            MDB_SUCCESS ||
        (error = open_beside_dbis(store)) != MDB_SUCCESS) {
        mdb_env_close(store->beside);
        store->beside = NULL;
    }
    return error;
}

static int begin_beside(lmdb_store *store, lmdb_txn *ret)
{
    pthread_mutex_lock(&store->mutex);
    int error = store->beside == NULL ? open_beside(store) : MDB_SUCCESS;
    pthread_mutex_unlock(&store->mutex);
    ret->dbis = store->beside_dbis;
    return error == MDB_SUCCESS ? mdb_txn_begin(store->beside, NULL, MDB_RDONLY, &ret->txn) : error;
}

// --- transactions --------------------------------------------------------------------------------

static int begin(lmdb_store *store, unsigned flags, lmdb_txn *ret)
{
    *ret = (lmdb_txn){.dbis = store->dbis, .bases = lmdb_bases_create()};
    if (ret->bases == NULL) {
        return ENOMEM;
    }
    int error = mdb_txn_begin(store->env, NULL, flags, &ret->txn);
    return error == MDB_PANIC && flags == MDB_RDONLY ? begin_beside(store, ret) : error;
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
    ret->key_sums = store->key_sums;
    alm_code code = load_key_sums(store, ret, st);
    if (code != ALM_OK) {
        lmdb_abort(ret);
    }
    return code;
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

// Whether LMDB gives no transactions any more.
static bool is_over(lmdb_store *store)
{
    MDB_txn *txn = NULL;
    int error = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (error == MDB_SUCCESS) {
        mdb_txn_abort(txn);
    }
    return error == MDB_PANIC;
}

// Warns when the map gets full, and again with each further percent.
static void tell_map(lmdb_store *store)
{
    MDB_envinfo info;
    mdb_env_info(store->env, &info);
    uint64_t used = (info.me_last_pgno + 1) * store->page_bytes;
    unsigned percent = lmdb_map_percent(used, info.me_mapsize);
    if (percent >= LMDB_MAP_ALARM_PERCENT && percent > store->map_percent_told) {
        alm_log_warn(store->log, "store.nearly_full", ALM_KV_U64("percent", percent),
                     ALM_KV_U64("bytes_used", used), ALM_KV_U64("bytes_max", info.me_mapsize),
                     ALM_KV_CSTR("next", "commits are refused when it is full; open it larger"));
        store->map_percent_told = percent;
    }
}

alm_code lmdb_commit(lmdb_store *store, lmdb_txn *txn, alm_status *st)
{
    int64_t from_us = store->clock.mono_us(store->clock.self);
    int error = mdb_txn_commit(txn->txn);
    txn->txn = NULL;
    lmdb_abort(txn);
    pthread_mutex_lock(&store->mutex);
    store->syncs++;
    store->sync_us += (uint64_t)(store->clock.mono_us(store->clock.self) - from_us);
    pthread_mutex_unlock(&store->mutex);
    if (error == EIO && is_disk_full(store)) {
        error = ENOSPC;
    }
    if (error != MDB_SUCCESS && is_over(store)) {
        return alm_status_set(st, ALM_UNAVAILABLE,
                              "committing, in the last step, which may have been done: %s",
                              mdb_strerror(error));
    }
    if (error != MDB_SUCCESS) {
        return alm_status_from_lmdb(st, error, "committing");
    }
    lmdb_dir_grow(store);
    tell_map(store);
    return ALM_OK;
}

// --- opening -------------------------------------------------------------------------------------

static alm_code open_dbis(lmdb_store *store, const lmdb_txn *txn, int count, unsigned flags,
                          alm_status *st)
{
    for (int i = 1; i < count; i++) {
        const char *name = lmdb_dbi_name((lmdb_dbi)i);
        int error = mdb_dbi_open(txn->txn, name, flags, &store->dbis[i]);
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

static alm_code check_keys(lmdb_store *store, const lmdb_txn *txn, alm_status *st)
{
    alm_str value;
    uint64_t written[LMDB_DBI_COUNT];
    lmdb_key key = lmdb_key_of_text(ALM_STR("head"));
    ALM_TRY(lmdb_require(txn, LMDB_META, &key, &value, st));
    ALM_TRY(read_key_sums(store, value, written, st));
    return lmdb_check_keys(store, txn, written, st);
}

static alm_code make_store(lmdb_store *store, const lmdb_txn *txn, alm_status *st)
{
    alm_buf scratch;
    alm_buf_init(&scratch, 0);
    alm_code code = open_dbis(store, txn, LMDB_DBI_COUNT, MDB_CREATE, st);
    if (code == ALM_OK) {
        code = lmdb_format_put(txn, &scratch, st);
    }
    // The second time its own key is among those that are summed up.
    for (int i = 0; i < 2 && code == ALM_OK; i++) {
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
        // The stamp first: another format has other databases.
        ALM_TRY(open_dbis(store, txn, LMDB_META + 1, 0, st));
        ALM_TRY(lmdb_format_check(txn, st));
        ALM_TRY(open_dbis(store, txn, LMDB_DBI_COUNT, 0, st));
        ALM_TRY(check_keys(store, txn, st));
    }
    store->has_dbis = true;
    store->page_bytes = stat.ms_psize;
    alm_head head;
    ALM_TRY(lmdb_head_get(txn, &head, st));
    store->sequence = head.sequence;
    return ALM_OK;
}

// One that failed cannot be opened again.
static int try_env(lmdb_store *store, const char *dir)
{
    int dead;
    int error = mdb_env_create(&store->env);
    if (error != MDB_SUCCESS) {
        store->env = NULL;
        return error;
    }
    if ((error = mdb_env_set_mapsize(store->env, store->map_bytes)) != MDB_SUCCESS ||
        (error = mdb_env_set_maxdbs(store->env, LMDB_DBI_COUNT)) != MDB_SUCCESS ||
        (error = mdb_env_set_maxreaders(store->env, READER_COUNT_MAX)) != MDB_SUCCESS ||
        (error = mdb_env_open(store->env, dir, MDB_NOTLS | MDB_NORDAHEAD, 0640)) != MDB_SUCCESS ||
        (error = mdb_reader_check(store->env, &dead)) != MDB_SUCCESS) {
        mdb_env_close(store->env);
        store->env = NULL;
    }
    return error;
}

static alm_code open_map(lmdb_store *store, const char *dir, alm_status *st)
{
    bool is_default = store->map_bytes == 0;
    store->map_bytes = is_default ? MAP_BYTES_DEFAULT : store->map_bytes;
    int error = try_env(store, dir);
    while ((error == ENOMEM || error == EINVAL) && is_default &&
           store->map_bytes > MAP_BYTES_LEAST) {
        store->map_bytes /= 4;
        error = try_env(store, dir);
    }
    if (error != MDB_SUCCESS) {
        return alm_status_from_lmdb(st, error, dir);
    }
    if (is_default && store->map_bytes < MAP_BYTES_DEFAULT) {
        alm_log_warn(store->log, "store.small", ALM_KV_U64("bytes_max", store->map_bytes),
                     ALM_KV_CSTR("why", "this process may not have more address space"));
    }
    return ALM_OK;
}

// Of the machine's memory a store may take so much, 1 / n, and be touched when it is opened.
#define TOUCH_MEMORY_SHARE 4

// Where LMDB has mapped the file, which it does not say; but a leaf page begins with its number,
// and a record is in one. NULL: no record.
static char *map_of(const lmdb_store *store, const lmdb_txn *txn)
{
    uint64_t page;
    MDB_val value;
    char name[] = "head";
    MDB_val key = {.mv_size = sizeof name - 1, .mv_data = name};
    if (mdb_get(txn->txn, txn->dbis[LMDB_META], &key, &value) != MDB_SUCCESS) {
        return NULL;
    }
    char *at = (char *)((uintptr_t)value.mv_data & ~(uintptr_t)(store->page_bytes - 1));
    memcpy(&page, at, sizeof page);
    return at - page * store->page_bytes;
}

static void touch_pages(const lmdb_store *store, char *from, size_t count)
{
    (void)!madvise(from, count * store->page_bytes, MADV_POPULATE_READ); // all of them in one go
    for (size_t i = 0; i < count; i++) {
        (void)*(const volatile char *)(from + i * store->page_bytes);
    }
}

// Fills the page tables for what the system has in memory of the file. Otherwise the first question
// that meets a page waits for the kernel, and under some hypervisors for those, too: 30 us for a
// slice of 8. What is not in memory is not read for this.
static void touch_map(const lmdb_store *store, const lmdb_txn *txn)
{
    MDB_envinfo info;
    char *map = map_of(store, txn);
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGE_SIZE);
    mdb_env_info(store->env, &info);
    size_t pages = info.me_last_pgno + 1;
    unsigned char *is_there = NULL;
    if (map != NULL && store->page_bytes == (size_t)sysconf(_SC_PAGE_SIZE) &&
        pages * store->page_bytes <= memory / TOUCH_MEMORY_SHARE) {
        is_there = alm_calloc(pages, 1);
    }
    if (is_there != NULL && mincore(map, pages * store->page_bytes, is_there) == 0) {
        for (size_t i = 0; i < pages;) {
            size_t from = i;
            while (i < pages && is_there[i] & 1) {
                i++;
            }
            if (i == from) {
                i++;
                continue;
            }
            touch_pages(store, map + from * store->page_bytes, i - from);
        }
    }
    alm_free(is_there);
}

static alm_code open_env(lmdb_store *store, const char *dir, alm_status *st)
{
    ALM_TRY(open_map(store, dir, st));
    lmdb_txn txn;
    ALM_TRY(lmdb_begin_write(store, &txn, st));
    alm_code code = open_store(store, &txn, st);
    if (code != ALM_OK) {
        lmdb_abort(&txn);
        return code;
    }
    ALM_TRY(lmdb_commit(store, &txn, st));
    ALM_TRY(lmdb_dir_check_sequence(store, dir, st));
    ALM_TRY(lmdb_dir_sync(dir, st));
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    touch_map(store, &txn);
    lmdb_abort(&txn);
    return ALM_OK;
}

static void close_store(alm_store *base)
{
    lmdb_store *store = lmdb_of(base);
    if (store->has_folder) {
        lmdb_folder_stop(store);
    }
    lmdb_writer_stop(store);
    if (store->beside != NULL) {
        mdb_env_close(store->beside);
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
    lmdb_read_memory_destroy(store);
    pthread_cond_destroy(&store->ripe);
    pthread_cond_destroy(&store->done);
    pthread_mutex_destroy(&store->mutex);
    alm_free(store);
}

static const alm_store_ops lmdb_ops = {
    .close = close_store,
    .commit = lmdb_writer_commit,
    .read = lmdb_read,
    .totals = lmdb_totals,
    .reader_open = lmdb_reader_open,
    .reader_close = lmdb_reader_close,
    .series = lmdb_reader_series,
    .slice = lmdb_reader_slice,
    .sums = lmdb_reader_sums,
    .visit_catalog = lmdb_catalog_visit,
    .visit_entries = lmdb_entries_visit,
    .find_series = lmdb_series_find,
    .visit_quarantine = lmdb_quarantine_visit,
    .change = lmdb_feed_change,
    .wait = lmdb_feed_wait,
    .stats = lmdb_stats,
    .sizes = lmdb_sizes,
    .compact = lmdb_compact,
    .verify = lmdb_verify,
    .backup = lmdb_backup,
};

size_t lmdb_map_bytes(size_t asked)
{
    return asked != 0 ? asked : (size_t)64 << 30;
}

static bool init_locks(lmdb_store *store)
{
    pthread_condattr_t attr;
    // Waits are bounded by the monotonic clock: a step of the wall clock must not stretch them.
    bool ok = pthread_condattr_init(&attr) == 0 &&
              pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
              pthread_mutex_init(&store->mutex, NULL) == 0 &&
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
    store->map_bytes = opts->bytes_max;
    store->clock = opts->clock.wall_us != NULL ? opts->clock : alm_clock_system();
    store->log = opts->log;
    store->feed.commits = opts->feed_commits != 0 ? opts->feed_commits : ALM_FEED_COMMITS;
    store->feed.bytes = opts->feed_bytes != 0 ? opts->feed_bytes : ALM_FEED_BYTES;
    store->held_max = opts->held_bytes != 0 ? opts->held_bytes : ALM_HELD_BYTES;
    store->queue_end = &store->queue;

    store->variants = lmdb_variant_table_create();
    alm_code code = store->variants == NULL
                        ? alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a store")
                        : lmdb_dir_open(store, dir, st);
    if (code == ALM_OK) {
        code = lmdb_migrate(store, dir, st);
    }
    if (code == ALM_OK) {
        code = open_env(store, dir, st);
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

const alm_engine alm_engine_lmdb = {.open = open_engine,
                                    .restore = lmdb_restore,
                                    .verify_dir = lmdb_verify_dir,
                                    .rebuild = lmdb_rebuild_dir};
