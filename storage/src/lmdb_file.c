#include "lmdb_file.h"

#include "alm/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMIT_BYTES ((size_t)32 << 20)

static alm_code failed(const lmdb_file *file, int error, alm_status *st)
{
    return alm_status_from_lmdb(st, error, file->path);
}

static alm_code begin(lmdb_file *file, unsigned flags, alm_status *st)
{
    file->txn = (lmdb_txn){.dbis = file->dbis, .bases = lmdb_bases_create()};
    int error =
        file->txn.bases == NULL ? ENOMEM : mdb_txn_begin(file->env, NULL, flags, &file->txn.txn);
    return error == MDB_SUCCESS ? ALM_OK : failed(file, error, st);
}

static alm_code open_env(lmdb_file *file, size_t map_bytes, unsigned flags, alm_status *st)
{
    int error = mdb_env_create(&file->env);
    if (error != MDB_SUCCESS) {
        file->env = NULL;
        return failed(file, error, st);
    }
    flags |= MDB_NOSUBDIR | MDB_NOLOCK | MDB_NORDAHEAD;
    if ((error = mdb_env_set_mapsize(file->env, map_bytes)) != MDB_SUCCESS ||
        (error = mdb_env_set_maxdbs(file->env, LMDB_DBI_COUNT)) != MDB_SUCCESS ||
        (error = mdb_env_open(file->env, file->path, flags, 0640)) != MDB_SUCCESS) {
        return failed(file, error, st);
    }
    return ALM_OK;
}

static alm_code open_dbis(lmdb_file *file, int dbi_count, unsigned flags, alm_status *st)
{
    for (int i = 1; i < dbi_count; i++) {
        const char *name = lmdb_dbi_name((lmdb_dbi)i);
        int error = mdb_dbi_open(file->txn.txn, name, flags, &file->dbis[i]);
        if (error == MDB_NOTFOUND) {
            return alm_status_set(st, ALM_DATA_LOSS, "%s is not a store: it has no database \"%s\"",
                                  file->path, name);
        }
        if (error != MDB_SUCCESS) {
            return failed(file, error, st);
        }
    }
    return ALM_OK;
}

static alm_code open_file(lmdb_file *file, size_t map_bytes, bool is_new, int dbi_count,
                          alm_status *st)
{
    ALM_TRY(open_env(file, map_bytes, is_new ? MDB_NOSYNC : MDB_RDONLY, st));
    ALM_TRY(begin(file, is_new ? 0 : MDB_RDONLY, st));
    return open_dbis(file, dbi_count, is_new ? MDB_CREATE : 0, st);
}

// LMDB would write its first pages into an empty file.
static alm_code check_not_empty(const char *path, alm_status *st)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return lmdb_file_failed(st, errno, path);
    }
    return info.st_size > 0
               ? ALM_OK
               : alm_status_set(st, ALM_DATA_LOSS, "%s is not a store: it is empty", path);
}

alm_code lmdb_file_open(const char *path, size_t map_bytes, int dbi_count, lmdb_file *ret,
                        alm_status *st)
{
    *ret = (lmdb_file){0};
    snprintf(ret->path, sizeof ret->path, "%s", path);
    ALM_TRY(check_not_empty(path, st));
    alm_code code = open_file(ret, map_bytes, false, dbi_count, st);
    if (code != ALM_OK) {
        lmdb_file_close(ret);
    }
    return code;
}

alm_code lmdb_file_make(const char *path, size_t map_bytes, lmdb_file *ret, alm_status *st)
{
    *ret = (lmdb_file){0};
    snprintf(ret->path, sizeof ret->path, "%s", path);
    if (unlink(path) != 0 && errno != ENOENT) {
        return lmdb_file_failed(st, errno, path);
    }
    alm_code code = open_file(ret, map_bytes, true, LMDB_DBI_COUNT, st);
    if (code != ALM_OK) {
        lmdb_file_close(ret);
    }
    return code;
}

static alm_code commit(lmdb_file *file, alm_status *st)
{
    int error = mdb_txn_commit(file->txn.txn);
    file->txn.txn = NULL;
    lmdb_abort(&file->txn);
    file->pending_bytes = 0;
    return error == MDB_SUCCESS ? ALM_OK : failed(file, error, st);
}

alm_code lmdb_file_put(lmdb_file *file, lmdb_dbi dbi, const lmdb_key *key, alm_buf *value,
                       unsigned flags, alm_status *st)
{
    ALM_TRY(lmdb_put(&file->txn, dbi, key, value, flags, st));
    file->pending_bytes += key->len + value->len;
    if (file->pending_bytes < COMMIT_BYTES) {
        return ALM_OK;
    }
    ALM_TRY(commit(file, st));
    return begin(file, 0, st);
}

uint64_t lmdb_file_bytes(const lmdb_file *file)
{
    MDB_envinfo info;
    MDB_stat stat;
    mdb_env_info(file->env, &info);
    mdb_env_stat(file->env, &stat);
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

// LMDB does not write pages that it frees again in one transaction, so that the file may be shorter
// than its meta page says; opening takes that for damage.
static alm_code fill_up(const lmdb_file *file, alm_status *st)
{
    int fd;
    struct stat info;
    uint64_t bytes = lmdb_file_bytes(file);
    int error = mdb_env_get_fd(file->env, &fd);
    if (error != MDB_SUCCESS) {
        return failed(file, error, st);
    }
    if (fstat(fd, &info) != 0 ||
        ((uint64_t)info.st_size < bytes && ftruncate(fd, (off_t)bytes) != 0) || fsync(fd) != 0) {
        return lmdb_file_failed(st, errno, file->path);
    }
    return ALM_OK;
}

alm_code lmdb_file_finish(lmdb_file *file, alm_status *st)
{
    alm_code code = commit(file, st);
    if (code == ALM_OK) {
        int error = mdb_env_sync(file->env, 1);
        code = error == MDB_SUCCESS ? fill_up(file, st) : failed(file, error, st);
    }
    lmdb_file_close(file);
    return code;
}

void lmdb_file_close(lmdb_file *file)
{
    lmdb_abort(&file->txn);
    if (file->env != NULL) {
        mdb_env_close(file->env);
        file->env = NULL;
    }
}

alm_code lmdb_dir_sync(const char *dir, alm_status *st)
{
    char any[PATH_MAX];
    int len = snprintf(any, sizeof any, "%s/", dir);
    int error = len < 0 || (size_t)len >= sizeof any ? ENAMETOOLONG : alm_file_sync_name(any);
    return error == 0 ? ALM_OK : lmdb_file_failed(st, error, dir);
}
