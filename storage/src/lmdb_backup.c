// A snapshot into a stream of records, and a store made of one: written beside its place and put
// there when the stream has ended as it should.
#include "backup.h"
#include "lmdb_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define NEW_NAME LMDB_DATA_NAME ".new"

// --- backup --------------------------------------------------------------------------------------

static alm_code count_records(const lmdb_txn *txn, uint64_t *ret, alm_status *st)
{
    *ret = 0;
    for (int i = 1; i < LMDB_DBI_COUNT; i++) {
        MDB_stat stat;
        int error = mdb_stat(txn->txn, txn->dbis[i], &stat);
        if (error != MDB_SUCCESS) {
            return alm_status_from_lmdb(st, error, lmdb_dbi_name((lmdb_dbi)i));
        }
        *ret += stat.ms_entries;
    }
    return ALM_OK;
}

static alm_code put_database(lmdb_store *store, const lmdb_txn *txn, lmdb_dbi dbi,
                             alm_backup_writer *writer, alm_status *st)
{
    lmdb_scan scan;
    ALM_TRY(lmdb_scan_open(txn, dbi, &scan, st));
    alm_code code = lmdb_scan_seek(&scan, NULL, st);
    while (code == ALM_OK && scan.found) {
        alm_str key = {.data = scan.key.mv_data, .len = scan.key.mv_size};
        code = alm_backup_put(writer, (uint8_t)dbi, key, scan.value, st);
        if (code == ALM_OK) {
            code = lmdb_may_go_on(store, txn, st);
        }
        if (code == ALM_OK) {
            code = lmdb_scan_next(&scan, st);
        }
    }
    lmdb_scan_close(&scan);
    return code;
}

static alm_code put_all(lmdb_store *store, const lmdb_txn *txn, const alm_backup_info *info,
                        const alm_backup_sink *sink, alm_backup_info *ret, alm_status *st)
{
    alm_backup_writer *writer = NULL;
    ALM_TRY(alm_backup_begin(info, sink, &writer, st));
    alm_code code = ALM_OK;
    for (int i = 1; i < LMDB_DBI_COUNT && code == ALM_OK; i++) {
        code = put_database(store, txn, (lmdb_dbi)i, writer, st);
    }
    if (code == ALM_OK) {
        code = alm_backup_end(writer, ret, st);
    }
    alm_backup_writer_destroy(&writer);
    return code;
}

static alm_code backup_snapshot(lmdb_store *store, const lmdb_txn *txn, const alm_backup_sink *sink,
                                alm_backup_info *ret, alm_status *st)
{
    alm_head head;
    ALM_TRY(lmdb_head_get(txn, &head, st));
    alm_backup_info info = {.format = LMDB_FORMAT_VERSION,
                            .sequence = head.sequence,
                            .at_us = store->clock.wall_us(store->clock.self),
                            .observations = head.observations,
                            .cells = head.cells};
    ALM_TRY(count_records(txn, &info.records, st));
    return put_all(store, txn, &info, sink, ret, st);
}

alm_code lmdb_backup(alm_store *base, const alm_backup_sink *sink, alm_backup_info *ret,
                     alm_status *st)
{
    lmdb_store *store = lmdb_of(base);
    lmdb_txn txn;
    int64_t from_us = store->clock.mono_us(store->clock.self);
    ALM_TRY(lmdb_begin_read(store, &txn, st));
    alm_code code = backup_snapshot(store, &txn, sink, ret, st);
    lmdb_abort(&txn);
    if (code == ALM_OK) {
        alm_log_info(store->log, "store.backup", ALM_KV_U64("sequence", ret->sequence),
                     ALM_KV_U64("bytes", ret->bytes),
                     ALM_KV_MS("took_ms", store->clock.mono_us(store->clock.self) - from_us));
    }
    return code;
}

// --- restore -------------------------------------------------------------------------------------

// What an earlier attempt that was killed leaves does not count.
static bool is_leftover(const char *name)
{
    static const char *const names[] = {".", "..", LMDB_LOCK_NAME, NEW_NAME};
    for (size_t i = 0; i < ALM_ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static alm_code check_empty(const char *dir, alm_status *st)
{
    alm_code code = ALM_OK;
    DIR *list = opendir(dir);
    if (list == NULL) {
        return errno == ENOENT ? ALM_OK : lmdb_file_failed(st, errno, dir);
    }
    for (const struct dirent *entry; code == ALM_OK && (entry = readdir(list)) != NULL;) {
        if (!is_leftover(entry->d_name)) {
            code = alm_status_set(st, ALM_FAILED_PRECONDITION,
                                  "%s is not empty (%s is there): restore into a folder of its own",
                                  dir, entry->d_name);
        }
    }
    closedir(list);
    return code;
}

static alm_code put_record(lmdb_file *file, const alm_backup_record *record, alm_buf *buf,
                           alm_status *st)
{
    if (record->database == 0 || record->database >= LMDB_DBI_COUNT) {
        return alm_status_set(st, ALM_DATA_LOSS,
                              "the backup is damaged: a record of database %u, which is not there",
                              record->database);
    }
    lmdb_key key = lmdb_key_of_text(record->key);
    alm_buf_reset(buf);
    alm_buf_str(buf, record->value);
    return lmdb_file_put(file, (lmdb_dbi)record->database, &key, buf, MDB_APPEND, st);
}

static alm_code put_records(lmdb_file *file, alm_backup_reader *reader, alm_backup_info *ret,
                            alm_status *st)
{
    alm_buf buf;
    bool found = true;
    alm_code code = ALM_OK;
    alm_buf_init(&buf, SIZE_MAX);
    while (code == ALM_OK && found) {
        alm_backup_record record;
        code = alm_backup_next(reader, &found, &record, ret, st);
        if (code == ALM_OK && found) {
            code = put_record(file, &record, &buf, st);
        }
    }
    alm_buf_deinit(&buf);
    return code;
}

static alm_code check_version(const alm_backup_info *info, alm_status *st)
{
    if (info->format != LMDB_FORMAT_VERSION) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "the backup is of a store of format %u, and this program restores "
                              "format %d: use the one it was made with",
                              info->format, LMDB_FORMAT_VERSION);
    }
    return ALM_OK;
}

// Is what was put the state that the backup says it is?
static alm_code check_head(const lmdb_file *file, const alm_backup_info *info, alm_status *st)
{
    alm_head head;
    ALM_TRY(lmdb_format_check(&file->txn, st));
    ALM_TRY(lmdb_head_get(&file->txn, &head, st));
    if (head.sequence != info->sequence || head.observations != info->observations ||
        head.cells != info->cells) {
        return alm_status_set(
            st, ALM_DATA_LOSS, "the backup says it is of commit %llu, and what is in it of %llu",
            (unsigned long long)info->sequence, (unsigned long long)head.sequence);
    }
    return ALM_OK;
}

static alm_code write_file(const alm_backup_source *source, const char *path, size_t map_bytes,
                           alm_backup_info *ret, alm_status *st)
{
    lmdb_file file = {0};
    alm_backup_reader *reader = NULL;
    ALM_TRY(alm_backup_open(source, &reader, ret, st));
    alm_code code = check_version(ret, st);
    if (code == ALM_OK) {
        code = lmdb_file_make(path, map_bytes, &file, st);
    }
    if (code == ALM_OK) {
        code = put_records(&file, reader, ret, st);
    }
    if (code == ALM_OK) {
        code = check_head(&file, ret, st);
    }
    if (code == ALM_OK) {
        code = lmdb_file_finish(&file, st);
    }
    lmdb_file_close(&file);
    alm_backup_reader_destroy(&reader);
    return code;
}

static alm_code restore_locked(const alm_backup_source *source, const char *dir, size_t map_bytes,
                               alm_backup_info *ret, alm_status *st)
{
    char made[LMDB_PATH_BYTES_MAX];
    char path[LMDB_PATH_BYTES_MAX];
    snprintf(made, sizeof made, "%s/" NEW_NAME, dir);
    snprintf(path, sizeof path, "%s/" LMDB_DATA_NAME, dir);
    alm_code code = write_file(source, made, map_bytes, ret, st);
    if (code == ALM_OK && rename(made, path) != 0) {
        code = lmdb_file_failed(st, errno, path);
    }
    if (code != ALM_OK) {
        (void)unlink(made);
        return code;
    }
    return lmdb_dir_sync(dir, st);
}

alm_code lmdb_restore(const alm_backup_source *source, const char *dir, const alm_store_opts *opts,
                      alm_backup_info *ret, alm_status *st)
{
    lmdb_store folder = {.lock_fd = -1, .log = opts->log};
    ALM_TRY(check_empty(dir, st));
    folder.clock = opts->clock.wall_us != NULL ? opts->clock : alm_clock_system();
    alm_code code = lmdb_dir_open(&folder, dir, st);
    if (code == ALM_OK) {
        code = restore_locked(source, dir, lmdb_map_bytes(opts->bytes_max), ret, st);
    }
    if (folder.lock_fd >= 0) {
        close(folder.lock_fd);
    }
    if (code == ALM_OK) { // can it be opened?
        alm_store *store = NULL;
        code = alm_store_open(dir, opts, &store, st);
        alm_store_close(&store);
    }
    return code;
}
