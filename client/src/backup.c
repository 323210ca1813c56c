#include "client.h"

#include "alm/file.h"

#include "almanac/v1/gateway.pb-c.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKUP_MS_DEFAULT ((int64_t)24 * 60 * 60 * 1000)
#define PATH_BYTES_MAX    4096

typedef struct backup {
    const almanac_backup_opts *opts;
    almanac_backup_result *result;
    FILE *file;
    uint64_t bytes;
} backup;

static void take_end(backup *b, const Almanac__V1__BackupEnd *end)
{
    almanac_backup_result *r = b->result;
    r->sequence = end->sequence;
    r->observations = end->observations;
    r->cells = end->cells;
    r->records = end->records;
    r->bytes = end->bytes;
    (void)snprintf(r->at, sizeof r->at, "%s", end->at);
    for (size_t i = 0; i < end->hash.len && 2 * i + 2 < sizeof r->hash; i++) {
        (void)snprintf(r->hash + 2 * i, 3, "%02x", end->hash.data[i]);
    }
}

// How many bytes there will be is guessed from the records.
static alm_code tell_progress(backup *b, const Almanac__V1__BackupResponse *part, alm_status *st)
{
    uint64_t done = part->records_done > 0 ? part->records_done : 1;
    almanac_progress progress = {
        .bytes_done = b->bytes,
        .bytes_total = (uint64_t)((double)b->bytes * (double)part->records / (double)done),
        .rows_done = part->records_done};
    if (b->opts->on_progress != NULL && !b->opts->on_progress(b->opts->arg, &progress)) {
        return alm_status_set(st, ALM_CANCELLED, "backup: stopped");
    }
    return ALM_OK;
}

static alm_code take_part(backup *b, const Almanac__V1__BackupResponse *part, alm_status *st)
{
    if (fwrite(part->data.data, 1, part->data.len, b->file) != part->data.len) {
        return alm_status_from_errno(st, errno, "writing the backup");
    }
    b->bytes += part->data.len;
    if (part->end != NULL) {
        take_end(b, part->end);
    }
    return tell_progress(b, part, st);
}

static alm_code take_all(backup *b, alm_feed *feed, alm_status *st)
{
    for (;;) {
        ProtobufCMessage *message = NULL;
        alm_arena_reset(feed->arena);
        ALM_TRY(alm_feed_next(feed, &message, st));
        if (message == NULL) {
            break;
        }
        ALM_TRY(take_part(b, (const Almanac__V1__BackupResponse *)message, st));
    }
    if (b->result->bytes == 0 || b->result->bytes != b->bytes) {
        return alm_status_set(st, ALM_DATA_LOSS, "the backup was cut short after %llu bytes",
                              (unsigned long long)b->bytes);
    }
    if (fflush(b->file) != 0 || fsync(fileno(b->file)) != 0) {
        return alm_status_from_errno(st, errno, "writing the backup");
    }
    return ALM_OK;
}

static alm_code fetch(almanac_client *client, backup *b, alm_status *st)
{
    alm_feed feed;
    Almanac__V1__BackupRequest request;
    almanac__v1__backup_request__init(&request);
    int64_t timeout_ms = b->opts->timeout_ms != 0 ? b->opts->timeout_ms : BACKUP_MS_DEFAULT;
    ALM_TRY(alm_feed_open(client, "Backup", timeout_ms, &request.base, &feed, st));
    alm_code code = take_all(b, &feed, st);
    alm_feed_close(&feed);
    return code;
}

// Where a backup goes: a name beside the file that nobody else has, until it is whole.
typedef struct target {
    char path[PATH_BYTES_MAX]; // of the file; where a link leads
    char part[PATH_BYTES_MAX];
} target;

// Devices, pipes and folders are no place for a file that is renamed onto its name.
static alm_code find_target(const char *path, target *ret, alm_status *st)
{
    struct stat info;
    char real[PATH_MAX];
    bool is_there = lstat(path, &info) == 0;
    if (is_there && S_ISLNK(info.st_mode)) {
        if (realpath(path, real) == NULL || stat(real, &info) != 0) {
            return alm_status_from_errno(st, errno, path);
        }
        path = real;
    }
    if (is_there && !S_ISREG(info.st_mode)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "%s: no file; a backup is written to one",
                              path);
    }
    int len = snprintf(ret->path, sizeof ret->path, "%s", path);
    int part_len = snprintf(ret->part, sizeof ret->part, "%s.part-XXXXXX", path);
    if (len >= (int)sizeof ret->path || part_len >= (int)sizeof ret->part) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "the file's path is too long");
    }
    return ALM_OK;
}

// For its owner alone: it holds all that the store does.
static alm_code open_part(target *t, FILE **ret, alm_status *st)
{
    int fd = mkstemp(t->part);
    if (fd < 0) {
        return alm_status_from_errno(st, errno, t->part);
    }
    *ret = fdopen(fd, "wb");
    if (*ret == NULL) {
        (void)close(fd);
        (void)unlink(t->part);
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "backup: out of memory");
    }
    return ALM_OK;
}

static alm_code backup_file(almanac_client *client, const char *path,
                            const almanac_backup_opts *opts, almanac_backup_result *ret,
                            alm_status *st)
{
    static const almanac_backup_opts usual = {0};
    target t;
    backup b = {.opts = opts != NULL ? opts : &usual, .result = ret};
    *ret = (almanac_backup_result){0};
    ALM_TRY(find_target(path, &t, st));
    ALM_TRY(open_part(&t, &b.file, st));
    alm_code code = fetch(client, &b, st);
    if (fclose(b.file) != 0 && code == ALM_OK) {
        code = alm_status_from_errno(st, errno, t.part);
    }
    if (code == ALM_OK && rename(t.part, t.path) != 0) {
        code = alm_status_from_errno(st, errno, t.path);
    }
    if (code != ALM_OK) {
        (void)unlink(t.part);
        return code;
    }
    int error = alm_file_sync_name(t.path);
    // EINVAL: a file system that does not sync folders, as shared ones; the file itself is synced.
    return error == 0 || error == EINVAL ? ALM_OK : alm_status_from_errno(st, error, t.path);
}

almanac_code almanac_backup_file(almanac_client *client, const char *path,
                                 const almanac_backup_opts *opts, almanac_backup_result *ret_result,
                                 almanac_error *error)
{
    alm_status st = ALM_STATUS_INIT;
    return alm_client_answer(backup_file(client, path, opts, ret_result, &st), &st, error);
}
