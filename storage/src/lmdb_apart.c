// Verify of a folder that nobody has open: read only, and in a process of its own.
#include "apart.h"
#include "lmdb_file.h"

#include <stdio.h>
#include <unistd.h>

typedef struct folder_check {
    const char *dir, *path;
    size_t map_bytes;
} folder_check;

static alm_code check_format(const folder_check *check, alm_status *st)
{
    lmdb_file file;
    ALM_TRY(lmdb_file_open(check->path, check->map_bytes, LMDB_META + 1, &file, st));
    alm_code code = lmdb_format_check(&file.txn, st);
    lmdb_file_close(&file);
    return code;
}

// Was more acknowledged than is there? The store itself cannot tell.
static alm_code check_acknowledged(const folder_check *check, const lmdb_txn *txn,
                                   alm_problem problem, void *problem_arg, alm_verify_result *ret,
                                   alm_status *st)
{
    alm_head head;
    alm_status why = ALM_STATUS_INIT;
    if (lmdb_head_get(txn, &head, NULL) != ALM_OK) {
        return ALM_OK; // told already
    }
    alm_code code = lmdb_dir_verify_sequence(check->dir, head.sequence, &why);
    if (code == ALM_DATA_LOSS) {
        ret->problems++;
        problem(problem_arg, alm_str_from(why.message));
        return ALM_OK;
    }
    return alm_status_copy(st, &why);
}

static alm_code check_folder(void *arg, alm_problem problem, void *problem_arg,
                             alm_verify_result *ret, alm_status *st)
{
    lmdb_file file;
    const folder_check *check = arg;
    ALM_TRY(check_format(check, st));
    ALM_TRY(lmdb_file_open(check->path, check->map_bytes, LMDB_DBI_COUNT, &file, st));
    alm_code code = lmdb_verify_snapshot(NULL, &file.txn, problem, problem_arg, ret, st);
    if (code == ALM_OK) {
        code = check_acknowledged(check, &file.txn, problem, problem_arg, ret, st);
    }
    lmdb_file_close(&file);
    return code;
}

alm_code lmdb_verify_dir(const char *dir, const alm_store_opts *opts, alm_problem problem,
                         void *problem_arg, alm_verify_result *ret, alm_status *st)
{
    lmdb_store folder = {.lock_fd = -1, .log = opts->log};
    char path[LMDB_PATH_BYTES_MAX];
    snprintf(path, sizeof path, "%s/" LMDB_DATA_NAME, dir);
    if (access(path, F_OK) != 0) {
        return alm_status_set(st, ALM_NOT_FOUND, "%s: no store is there", dir);
    }
    folder.clock = opts->clock.wall_us != NULL ? opts->clock : alm_clock_system();
    alm_code code = lmdb_dir_open(&folder, dir, st);
    if (code == ALM_OK) {
        folder_check check = {
            .dir = dir, .path = path, .map_bytes = lmdb_map_bytes(opts->bytes_max)};
        alm_apart apart = {.arg = &check, .check = check_folder};
        code = alm_apart_run(&apart, problem, problem_arg, ret, st);
    }
    if (folder.lock_fd >= 0) {
        close(folder.lock_fd);
    }
    return code;
}
