// Goal: a call that fails is told and does no harm. Method: the n-th write, sync, map, open or
// truncation of a process fails, once or from then on, for every n that there is, while it opens a
// store or commits to it; and the n-th allocation likewise, in everything a store can be asked.
// Whatever the process was told, the store it leaves is held to it.
//
//   --only call, --only allocation, or a part of a row's name ("sync", "write EIO")
#include "runs.h"

#include "disk.h"
#include "image.h"
#include "shim.h"
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_COUNT   40  // of the store that all begin with
#define CALL_MAX     200 // of one kind; there are fewer
#define CHILD_MS_MAX 20000

typedef struct fault_row {
    const char *name;
    shim_call call;
    int error; // 0: does half
} fault_row;

static const fault_row rows[] = {
    {"write EIO", SHIM_WRITE, EIO},       {"write ENOSPC", SHIM_WRITE, ENOSPC},
    {"short write", SHIM_WRITE, 0},       {"sync EIO", SHIM_SYNC, EIO},
    {"sync ENOSPC", SHIM_SYNC, ENOSPC},   {"map ENOMEM", SHIM_MAP, ENOMEM},
    {"open EIO", SHIM_OPEN, EIO},         {"open EMFILE", SHIM_OPEN, EMFILE},
    {"truncate EIO", SHIM_TRUNCATE, EIO}, {"truncate ENOSPC", SHIM_TRUNCATE, ENOSPC},
};

typedef struct fault_run {
    rig r;
    image img;
    ledger *before; // as the image is
    const char *shim;
    uint32_t faults;
} fault_run;

static void restore(fault_run *run)
{
    damage none = {.kind = DAMAGE_BIT, .file = IMAGE_FILE_MAX};
    memcpy(run->r.l, run->before, sizeof *run->before);
    rig_remove_store(run->r.dir);
    image_write(&run->img, &none, run->r.dir);
}

// *ret_made: there was such a call.
static bool fail_once(fault_run *run, const fault_row *row, const char *phase, uint32_t n,
                      bool forever, bool *ret_made)
{
    bool hung;
    char fd[24], call[24], number[24], error[24];
    snprintf(fd, sizeof fd, "%d", run->r.ledger_fd);
    snprintf(call, sizeof call, "%d", row->call);
    snprintf(number, sizeof number, "%u", n);
    snprintf(error, sizeof error, "%d", row->error);
    const char *const words[] = {"fault", run->r.dir,          fd,  phase, call, number,
                                 error,   forever ? "1" : "0", NULL};
    restore(run);
    int status = proc_wait(proc_start(words, -1, run->shim), CHILD_MS_MAX, &hung);
    *ret_made = !WIFEXITED(status) || WEXITSTATUS(status) != 3;
    run->faults += *ret_made;
    bool ok = !hung && WIFEXITED(status) && (WEXITSTATUS(status) == 0 || !*ret_made);
    if (!ok || !rig_check(&run->r)) {
        fprintf(stderr, "faults: %s, %s of call %u%s: %s\n", phase, row->name, n,
                forever ? " and all after it" : "",
                hung ? "no end"
                     : (WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "see above"));
        return false;
    }
    return true;
}

static bool fail_each(fault_run *run, const fault_row *row, const char *phase, bool forever)
{
    bool ok = true, made = true;
    uint32_t n = 1;
    for (; made && n < CALL_MAX; n++) {
        ok = fail_once(run, row, phase, n, forever, &made) && ok;
    }
    return ok && !made;
}

static bool fail_calls(fault_run *run, const rig_opts *opts)
{
    bool ok = true;
    static const char *const phases[] = {"open", "anew", "commit"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        bool is_wanted = rig_is_part(opts, "call") || strstr(rows[i].name, opts->detail) != NULL;
        for (size_t phase = 0; is_wanted && phase < ALM_ARRAY_LEN(phases); phase++) {
            uint32_t before = run->faults;
            ok = fail_each(run, &rows[i], phases[phase], false) && ok;
            ok = fail_each(run, &rows[i], phases[phase], true) && ok;
            printf("faults: %-16s %-6s %3u\n", rows[i].name, phases[phase], run->faults - before);
        }
    }
    return ok;
}

static bool fail_allocations(fault_run *run)
{
    char fd[24];
    snprintf(fd, sizeof fd, "%d", run->r.ledger_fd);
    const char *const words[] = {"starve", run->r.dir, fd, NULL};
    restore(run);
    return proc_wait_ok(proc_start(words, -1, NULL), 10 * CHILD_MS_MAX, "allocations") &&
           rig_check(&run->r);
}

// The store that all begin with, and what its ledger says.
static bool make_store(fault_run *run)
{
    alm_store *store = NULL;
    alm_status st = ALM_STATUS_INIT;
    ledger *l = run->r.l;
    bool ok = rig_new_store(&run->r) && alm_store_open(run->r.dir, NULL, &store, &st) == ALM_OK;
    for (; ok && l->next < STEP_COUNT; l->next++) {
        work_item item;
        alm_commit_result result = {0};
        alm_arena *arena = alm_arena_create(0);
        ALM_ASSERT(arena != NULL);
        work_item_make(&item, l->seed, l->next);
        ok = work_item_run(&item, store, run->r.dir, arena, &result, &st) == ALM_OK;
        alm_arena_destroy(&arena);
        l->steps[l->next] = (ledger_step){.state = LEDGER_DONE, .sequence = result.sequence};
        l->sequence = ALM_MAX(l->sequence, result.sequence);
    }
    alm_store_close(&store);
    image_read(&run->img, run->r.dir);
    memcpy(run->before, l, sizeof *l);
    return ok;
}

int run_faults(const rig_opts *opts)
{
    disk d;
    int before_fd;
    char dir[] = "/tmp/alm_faults_XXXXXX";
    fault_run run = {.shim = opts->shim};
    if (opts->shim == NULL) {
        fputs("faults need --shim\n", stderr);
        return 2;
    }
    ALM_ASSERT(mkdtemp(dir) != NULL);
    bool is_own = disk_namespace() && disk_open_tmpfs(&d, (size_t)256 << 20);
    rig_init(&run.r, opts->seed, is_own ? d.mounted : dir);
    run.before = proc_share(sizeof *run.before, &before_fd);
    bool ok = make_store(&run) && fail_calls(&run, opts);
    ok = (!rig_is_part(opts, "allocation") || fail_allocations(&run)) && ok;
    printf("faults: %u calls failed, %s\n", run.faults, ok ? "each told and harmless" : "FAILED");
    image_deinit(&run.img);
    rig_remove_store(run.r.dir);
    if (is_own) {
        disk_close(&d);
    }
    rmdir(dir);
    rig_deinit(&run.r);
    return ok ? 0 : 1;
}
