// Goal: what the store acknowledged is there after SIGKILL, and no batch is there by half. Method:
// writers are killed at random moments, also while they open the store, with every core busy; after
// each kill the store is held to what the writers said.
//
// The page cache survives SIGKILL, so this tests atomicity and the order of things, not the disk's
// flush: that is power.c.
#include "runs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIFE_US_MAX 60000

static bool kill_once(rig *r)
{
    bool hung;
    rig_start_writer(r, NULL);
    bool sane = rig_watch(r, LIFE_US_MAX);
    kill(r->writer, SIGKILL);
    sane = rig_drain(r) && sane;
    int status = proc_wait(r->writer, 10000, &hung);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        fprintf(stderr, "the writer ended by itself, with status %d\n", status);
        return false;
    }
    return sane && rig_check(r);
}

int run_kill(const rig_opts *opts)
{
    rig r;
    proc_load load;
    char dir[] = "/tmp/alm_kill_XXXXXX";
    ALM_ASSERT(mkdtemp(dir) != NULL);
    rig_init(&r, opts->seed, dir);
    bool ok = rig_new_store(&r);
    proc_load_start(&load);
    uint32_t cycle = 0;
    for (; ok && cycle < opts->cycles; cycle += ok) {
        ok = rig_renew_store(&r) && kill_once(&r);
    }
    proc_load_stop(&load);
    printf("kill: %u cycles, %u stores, %llu steps acknowledged, %s\n", cycle, r.generations,
           (unsigned long long)rig_done(&r), ok ? "none lost" : "FAILED");
    rig_remove_store(dir);
    rmdir(dir);
    rig_deinit(&r);
    return ok ? 0 : 1;
}
