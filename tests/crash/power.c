// Goal: what the store acknowledged is there after the power fails. Method: the store lies on an
// ext4 that is shut down at a random moment without writing anything more, the writers are killed,
// the file system is mounted again, and the store is held to what the writers said.
//
// --only eio: the device itself begins to fail, so that a write or a sync really does not happen;
// what was acknowledged until then is there when the device works again.
//
// --control runs the same with a library that makes every kind of sync do nothing: a harness that
// then finds no loss would find none at all, so that is what fails.
#include "runs.h"

#include "disk.h"
#include "shim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

// --- a device that fails -------------------------------------------------------------------------

#define THIN_BYTES      ((size_t)16 << 20)
#define THIN_REAL_BYTES ((size_t)2 << 20) // its file system takes one
#define WRITER_MS_MAX   30000

// Writers go on until all of them were refused.
static bool fail_once(rig *r, const disk *d, uint64_t *ret_refused)
{
    bool hung;
    rig_start_writer(r, NULL);
    r->may_refuse = true;
    bool sane = rig_drain(r);
    r->may_refuse = false;
    int status = proc_wait(r->writer, WRITER_MS_MAX, &hung);
    if (hung || !WIFEXITED(status)) {
        fprintf(stderr, "the writer: %s\n", hung ? "no end" : strsignal(WTERMSIG(status)));
        return false;
    }
    for (uint32_t n = 0; n < r->l->next; n++) {
        *ret_refused += r->l->steps[n].state == LEDGER_REFUSED;
    }
    ledger_doubt_refusals(r->l);
    disk_unmount(d);
    disk_mend(d);
    disk_mount(d);
    return sane && rig_check(r);
}

static int fail_devices(const rig_opts *opts)
{
    rig r;
    disk d;
    char dir[128];
    bool ok = true;
    uint32_t cycle = 0;
    uint64_t refused = 0;
    rig_init(&r, opts->seed, "");
    for (; ok && cycle < opts->cycles; cycle += ok) {
        if (!disk_open_thin(&d, THIN_BYTES, THIN_REAL_BYTES)) {
            return RIG_SKIPPED;
        }
        snprintf(dir, sizeof dir, "%s/store", d.mounted);
        ALM_ASSERT(mkdir(dir, 0700) == 0);
        snprintf(r.dir, sizeof r.dir, "%s", dir);
        ok = rig_new_store(&r) && fail_once(&r, &d, &refused);
        disk_close(&d);
    }
    printf("power, a device that fails: %u devices, %llu steps acknowledged, %llu refused, %s\n",
           cycle, (unsigned long long)rig_done(&r), (unsigned long long)refused,
           ok ? "none lost" : "FAILED");
    rig_deinit(&r);
    return ok && refused > 0 ? 0 : 1;
}

int run_power(const rig_opts *opts)
{
    rig r;
    disk d;
    char dir[128];
    if (!disk_namespace()) {
        return RIG_SKIPPED;
    }
    if (strcmp(opts->detail, "eio") == 0) {
        return fail_devices(opts);
    }
    if (!disk_open_ext4(&d, DISK_BYTES)) {
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
