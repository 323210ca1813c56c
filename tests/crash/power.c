// Goal: what the store acknowledged is there after the power fails. Method: the store lies on an
// ext4 that is shut down at a random moment without writing anything more, the writers are killed,
// the file system is mounted again, and the store is held to what the writers said.
//
// --control runs the same with a library that makes every kind of sync do nothing: a harness that
// then finds no loss would find none at all, so that is what fails.
#include "runs.h"

#include "disk.h"
#include "shim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISK_BYTES  ((size_t)256 << 20)
#define LIFE_US_MAX 40000

// False: what the writers said cannot be true.
static bool cut_once(rig *r, const disk *d, const char *preload)
{
    bool hung;
    rig_start_writer(r, preload);
    bool sane = rig_watch(r, LIFE_US_MAX);
    disk_cut(d);
    kill(r->writer, SIGKILL);
    r->may_refuse = true; // without a disk, steps fail
    sane = rig_drain(r) && sane;
    r->may_refuse = false;
    ledger_doubt_refusals(r->l);
    (void)proc_wait(r->writer, 10000, &hung);
    disk_unmount(d);
    disk_mount(d);
    return sane;
}

static bool new_store(rig *r, bool only_if_large)
{
    bool ok = only_if_large ? rig_renew_store(r) : rig_new_store(r);
    sync(); // the folder itself, or a control would lose no more than that
    return ok;
}

// --- the promise ---------------------------------------------------------------------------------

static int keep(rig *r, const disk *d, const rig_opts *opts)
{
    uint32_t cycle = 0;
    bool ok = new_store(r, false);
    for (; ok && cycle < opts->cycles; cycle += ok) {
        ok = new_store(r, true) && cut_once(r, d, NULL) && rig_check(r);
    }
    printf("power: %u cuts, %u stores, %llu steps acknowledged, %s\n", cycle, r->generations,
           (unsigned long long)rig_done(r), ok ? "none lost" : "FAILED");
    return ok ? 0 : 1;
}

// --- the control ---------------------------------------------------------------------------------

static int lose(rig *r, const disk *d, const rig_opts *opts)
{
    bool ok = new_store(r, false) && setenv(SHIM_NO_SYNC, "1", 1) == 0;
    bool lost = false;
    uint32_t cycle = 0;
    while (ok && !lost && cycle++ < opts->cycles) {
        ok = cut_once(r, d, opts->shim);
        lost = ok && !rig_check(r);
    }
    printf("power, without any sync: %s\n", !ok    ? "FAILED"
                                            : lost ? "a loss was seen, as it must be"
                                                   : "no loss was seen: FAILED");
    printf("power, without any sync: cut %u, %llu steps acknowledged\n", cycle,
           (unsigned long long)rig_done(r));
    return ok && lost ? 0 : 1;
}

int run_power(const rig_opts *opts)
{
    rig r;
    disk d;
    char dir[128];
    if (!disk_namespace() || !disk_open_ext4(&d, DISK_BYTES)) {
        return RIG_SKIPPED;
    }
    if (opts->is_control && opts->shim == NULL) {
        fputs("the control needs --shim\n", stderr);
        return 2;
    }
    snprintf(dir, sizeof dir, "%s/store", d.mounted);
    ALM_ASSERT(mkdir(dir, 0700) == 0);
    rig_init(&r, opts->seed, dir);
    int status = opts->is_control ? lose(&r, &d, opts) : keep(&r, &d, opts);
    rig_deinit(&r);
    disk_close(&d);
    return status;
}
