#include "lmdb_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LOCK_NAME      LMDB_LOCK_NAME
#define DATA_NAME      LMDB_DATA_NAME
#define SEQUENCE_NAME  "almanac.sequence"
#define PATH_MAX_BYTES 4096

alm_code lmdb_file_failed(alm_status *st, int error, const char *path)
{
    // A disk that does not answer says nothing about the data, and may again.
    return error == EIO ? alm_status_set(st, ALM_UNAVAILABLE, "%s: %s", path, strerror(error))
                        : alm_status_from_errno(st, error, path);
}

// --- file system ---------------------------------------------------------------------------------

typedef struct remote_fs {
    uint32_t magic;
    const char *name;
} remote_fs;

// statfs(2). LMDB's locks and its mapping need one machine's page cache.
static const remote_fs remote_filesystems[] = {
    {0x6969, "NFS"},        {0x517b, "SMB"},        {0xff534d42, "CIFS"},  {0xfe534d42, "SMB2"},
    {0x65735546, "FUSE"},   {0x00c36400, "Ceph"},   {0x01021997, "9P"},    {0x5346414f, "AFS"},
    {0x73757245, "Coda"},   {0x0bd00bd0, "Lustre"}, {0x01161970, "GFS2"},  {0x7461636f, "OCFS2"},
    {0x19830326, "BeeGFS"}, {0x47504653, "GPFS"},   {0x6b414653, "k-AFS"},
};

static alm_code refuse_remote(const char *dir, alm_status *st)
{
    struct statfs info;
    if (statfs(dir, &info) != 0) {
        return lmdb_file_failed(st, errno, dir);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(remote_filesystems); i++) {
        if ((uint32_t)info.f_type == remote_filesystems[i].magic) {
            return alm_status_set(
                st, ALM_FAILED_PRECONDITION,
                "%s is on a network file system (%s); the store needs a local disk", dir,
                remote_filesystems[i].name);
        }
    }
    return ALM_OK;
}

// --- lock ----------------------------------------------------------------------------------------

static void write_pid(int fd)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    // Only for the message to the one who comes second.
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
        return;
    }
}

static alm_code refuse_second(int fd, const char *dir, alm_status *st)
{
    char text[32] = "";
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    alm_str pid = alm_str_trim((alm_str){.data = text, .len = len > 0 ? (size_t)len : 0});
    return alm_status_set(st, ALM_FAILED_PRECONDITION,
                          "%s is open in another process (%.*s); a store has one owner", dir,
                          ALM_STR_ARGS(pid));
}

static alm_code take_lock(const char *dir, int *ret_fd, alm_status *st)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s/" LOCK_NAME, dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        return lmdb_file_failed(st, errno, path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        alm_code code =
            errno == EWOULDBLOCK ? refuse_second(fd, dir, st) : lmdb_file_failed(st, errno, path);
        close(fd);
        return code;
    }
    write_pid(fd);
    *ret_fd = fd;
    return ALM_OK;
}

// --- the data file ---------------------------------------------------------------------------

// LMDB 0.9's two meta pages, as far as we look: offsets within a page.
enum {
    META_MAGIC = 16,
    META_VERSION = 20,
    META_PAGE_BYTES = 40,
    META_LAST_PAGE = 136,
    META_TXN = 144,
    META_BYTES = 152,
    META_PAGE_COUNT = 2,
};
#define LMDB_MAGIC   UINT32_C(0xbeefc0de)
#define LMDB_VERSION UINT32_C(1)

// The bytes the file must have by one meta page; false: no meta page.
static bool meta_claims(int fd, off_t at, uint64_t *ret_bytes, uint64_t *ret_txn,
                        uint32_t *ret_page_bytes)
{
    uint8_t page[META_BYTES];
    uint32_t magic, version;
    uint64_t last_page;
    if (pread(fd, page, sizeof page, at) != (ssize_t)sizeof page) {
        return false;
    }
    memcpy(&magic, page + META_MAGIC, sizeof magic);
    memcpy(&version, page + META_VERSION, sizeof version);
    memcpy(ret_page_bytes, page + META_PAGE_BYTES, sizeof *ret_page_bytes);
    memcpy(&last_page, page + META_LAST_PAGE, sizeof last_page);
    memcpy(ret_txn, page + META_TXN, sizeof *ret_txn);
    bool is_plausible = *ret_page_bytes >= 256 && *ret_page_bytes <= 65536 &&
                        last_page < UINT64_MAX / *ret_page_bytes - 1;
    *ret_bytes = is_plausible ? (last_page + 1) * *ret_page_bytes : 0;
    return magic == LMDB_MAGIC && version == LMDB_VERSION && is_plausible;
}

static alm_code check_metas(int fd, uint64_t file_bytes, const char *path, alm_status *st)
{
    uint64_t bytes, txn, newest_bytes = 0, newest_txn = 0;
    uint32_t page_bytes;
    if (!meta_claims(fd, 0, &newest_bytes, &newest_txn, &page_bytes)) {
        return alm_status_set(st, ALM_DATA_LOSS, "%s is not a store", path);
    }
    if (!meta_claims(fd, (off_t)page_bytes, &bytes, &txn, &page_bytes)) {
        return alm_status_set(st, ALM_DATA_LOSS, "%s is damaged: its second meta page", path);
    }
    if (txn > newest_txn) {
        newest_bytes = bytes;
    }
    if (file_bytes < newest_bytes) {
        return alm_status_set(st, ALM_DATA_LOSS,
                              "%s is cut short: %llu bytes, and its meta page says %llu", path,
                              (unsigned long long)file_bytes, (unsigned long long)newest_bytes);
    }
    return ALM_OK;
}

alm_code lmdb_dir_check(lmdb_store *store, const char *dir, alm_status *st)
{
    char path[PATH_MAX_BYTES];
    struct stat info;
    snprintf(path, sizeof path, "%s/" DATA_NAME, dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? ALM_OK : lmdb_file_failed(st, errno, path);
    }
    alm_code code = ALM_OK;
    if (fstat(fd, &info) != 0) {
        code = lmdb_file_failed(st, errno, path);
    } else if (info.st_size > 0) {
        code = check_metas(fd, (uint64_t)info.st_size, path, st);
        if (code == ALM_OK) {
            code = lmdb_check_pages(store, fd, (uint64_t)info.st_size, path, st);
        }
    }
    close(fd); // before LMDB opens the file: its own locks are on another one
    return code;
}

alm_code lmdb_dir_lock(lmdb_store *store, const char *dir, alm_status *st)
{
    if (strlen(dir) + sizeof SEQUENCE_NAME + 1 > PATH_MAX_BYTES) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "the folder's path is too long");
    }
    if (mkdir(dir, 0750) != 0 && errno != EEXIST) {
        return lmdb_file_failed(st, errno, dir);
    }
    ALM_TRY(refuse_remote(dir, st));
    return take_lock(dir, &store->lock_fd, st);
}

alm_code lmdb_dir_open(lmdb_store *store, const char *dir, alm_status *st)
{
    ALM_TRY(lmdb_dir_lock(store, dir, st));
    return lmdb_dir_check(store, dir, st);
}

// --- acknowledged sequence -----------------------------------------------------------------------

// Twenty digits and a newline, so that one write in place replaces it.
enum { SEQUENCE_BYTES = 21 };

static void print_sequence(uint64_t sequence, char out[SEQUENCE_BYTES + 1])
{
    snprintf(out, SEQUENCE_BYTES + 1, "%020llu\n", (unsigned long long)sequence);
}

static alm_code read_sequence(int fd, const char *path, uint64_t *ret, alm_status *st)
{
    char text[SEQUENCE_BYTES + 1];
    char *end = text;
    ssize_t len = pread(fd, text, SEQUENCE_BYTES, 0);
    if (len < 0) {
        return lmdb_file_failed(st, errno, path);
    }
    text[len] = '\0';
    *ret = strtoull(text, &end, 10);
    if (len != SEQUENCE_BYTES || end != text + len - 1 || *end != '\n') {
        return alm_status_set(st, ALM_DATA_LOSS,
                              "%s is damaged: expected a sequence of twenty digits; remove it to "
                              "open the store without it",
                              path);
    }
    return ALM_OK;
}

static int write_new(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) {
        return errno;
    }
    ssize_t len = pwrite(fd, text, SEQUENCE_BYTES, 0);
    int error = len < 0 ? errno : len != SEQUENCE_BYTES ? EIO : 0;
    if (error == 0 && fsync(fd) != 0) {
        error = errno;
    }
    close(fd);
    return error;
}

// Written beside it and put in its place whole: whenever the process or the power ends, the file is
// not there or has its digits. So an empty one is damage.
static alm_code make_sequence(const char *path, uint64_t sequence, alm_status *st)
{
    char text[SEQUENCE_BYTES + 1];
    char beside[PATH_MAX_BYTES + sizeof ".new"];
    snprintf(beside, sizeof beside, "%s.new", path);
    print_sequence(sequence, text);
    int error = write_new(beside, text);
    if (error == 0 && rename(beside, path) != 0) {
        error = errno;
    }
    if (error != 0) {
        (void)unlink(beside);
        return lmdb_file_failed(st, error, path);
    }
    return ALM_OK;
}

static alm_code open_sequence(lmdb_store *store, const char *path, alm_status *st)
{
    store->sequence_fd = open(path, O_RDWR | O_CLOEXEC);
    if (store->sequence_fd < 0 && errno == ENOENT) {
        ALM_TRY(make_sequence(path, store->sequence, st));
        store->sequence_fd = open(path, O_RDWR | O_CLOEXEC);
    }
    return store->sequence_fd >= 0 ? ALM_OK : lmdb_file_failed(st, errno, path);
}

static alm_code compare_sequence(int fd, const char *dir, const char *path, uint64_t sequence,
                                 alm_status *st)
{
    uint64_t acknowledged = 0;
    ALM_TRY(read_sequence(fd, path, &acknowledged, st));
    if (sequence < acknowledged) {
        return alm_status_set(
            st, ALM_DATA_LOSS,
            "%s/" DATA_NAME " ends at sequence %llu, and %llu was acknowledged: it is damaged, or "
            "an older copy was put back; if that was meant, remove %s",
            dir, (unsigned long long)sequence, (unsigned long long)acknowledged, path);
    }
    return ALM_OK;
}

alm_code lmdb_dir_check_sequence(lmdb_store *store, const char *dir, alm_status *st)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s/" SEQUENCE_NAME, dir);
    ALM_TRY(open_sequence(store, path, st));
    return compare_sequence(store->sequence_fd, dir, path, store->sequence, st);
}

alm_code lmdb_dir_verify_sequence(const char *dir, uint64_t sequence, alm_status *st)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s/" SEQUENCE_NAME, dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? ALM_OK : lmdb_file_failed(st, errno, path);
    }
    alm_code code = compare_sequence(fd, dir, path, sequence, st);
    close(fd);
    return code;
}

void lmdb_dir_note_sequence(const lmdb_store *store, uint64_t sequence)
{
    char text[SEQUENCE_BYTES + 1];
    print_sequence(sequence, text);
    if (pwrite(store->sequence_fd, text, SEQUENCE_BYTES, 0) != SEQUENCE_BYTES) {
        alm_log_warn(store->log, "store.sequence_not_noted", ALM_KV_U64("sequence", sequence),
                     ALM_KV_CSTR("error", strerror(errno)));
    }
}

// --- growing -------------------------------------------------------------------------------------

// Sparse, so the slack costs nothing until it is used.
#define GROW_SLACK_BYTES ((size_t)64 << 20)

// Failing is harmless: the next commit tries again.
void lmdb_dir_grow(lmdb_store *store)
{
    MDB_envinfo info;
    struct stat file;
    int fd;
    mdb_env_info(store->env, &info);
    size_t used = (info.me_last_pgno + 1) * store->page_bytes;
    size_t want = ALM_MAX(used, ALM_MIN(used + GROW_SLACK_BYTES, info.me_mapsize));
    if (store->file_bytes >= want - GROW_SLACK_BYTES / 2 && store->file_bytes >= used) {
        return;
    }
    if (mdb_env_get_fd(store->env, &fd) != MDB_SUCCESS || fstat(fd, &file) != 0) {
        return;
    }
    if ((size_t)file.st_size < want && ftruncate(fd, (off_t)want) != 0) {
        return;
    }
    store->file_bytes = ALM_MAX(want, (size_t)file.st_size);
}
