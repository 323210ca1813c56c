#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "work.h"

#define STEPS_OF_STORE 3000
#define CHECK_MS_MAX   60000
#define FIRST_MS_MAX   30000
#define EARLY_PER_CENT 15 // of the writers end before they have done anything

void rig_init(rig *r, uint64_t seed, const char *dir)
{
    *r = (rig){.random = {.state = seed}, .writer = -1, .reports = -1};
    snprintf(r->dir, sizeof r->dir, "%s", dir);
    r->l = proc_share(sizeof *r->l, &r->ledger_fd);
}

void rig_deinit(rig *r)
{
    munmap(r->l, sizeof *r->l);
    close(r->ledger_fd);
}

uint64_t rig_done(const rig *r)
{
    return r->done + r->l->done;
}

bool rig_is_part(const rig_opts *opts, const char *part)
{
    return *opts->detail == '\0' || strcmp(opts->detail, part) == 0;
}

// --- the store -----------------------------------------------------------------------------------

static void empty_folder(int fd)
{
    DIR *folder = fdopendir(fd);
    ALM_ASSERT(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        bool is_self = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!is_self && entry->d_type == DT_DIR) {
            empty_folder(openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        }
        if (!is_self) {
            (void)unlinkat(fd, entry->d_name, entry->d_type == DT_DIR ? AT_REMOVEDIR : 0);
        }
    }
    closedir(folder);
}

void rig_remove_store(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        empty_folder(fd);
    }
}

bool rig_new_store(rig *r)
{
    alm_store *store = NULL;
    alm_status st = ALM_STATUS_INIT;
    r->done += r->l->done;
    r->generations++;
    ledger_reset(r->l, crash_random_next(&r->random));
    rig_remove_store(r->dir);
    alm_code code = alm_store_open(r->dir, NULL, &store, &st);
    if (code == ALM_OK) {
        code = work_prepare(store, &st);
        alm_store_close(&store);
    }
    if (code != ALM_OK) {
        fprintf(stderr, "a new store: %s\n", st.message);
        return false;
    }
    return true;
}

bool rig_renew_store(rig *r)
{
    return r->l->next < STEPS_OF_STORE || rig_new_store(r);
}

// --- writers -------------------------------------------------------------------------------------

void rig_start_writer(rig *r, const char *preload)
{
    int fds[2];
    char seed[24], first[24], end[24], threads[24];
    ALM_ASSERT(pipe2(fds, O_CLOEXEC) == 0);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)r->l->seed);
    snprintf(first, sizeof first, "%u", r->l->next);
    snprintf(end, sizeof end, "%u", LEDGER_STEP_MAX);
    snprintf(threads, sizeof threads, "%llu",
             1 + (unsigned long long)crash_random_below(&r->random, 8));
    const char *const words[] = {"writer", r->dir, seed, first, end, threads, NULL};
    r->writer = proc_start(words, fds[1], preload);
    close(fds[1]);
    r->reports = fds[0];
}

// False with *ret_sane: no report by then.
static bool take_report(rig *r, int64_t until_ms, bool *ret_sane)
{
    ledger_report report;
    const char *why = NULL;
    *ret_sane = true;
    if (!proc_read(r->reports, &report, sizeof report, until_ms)) {
        return false;
    }
    if (report.n != LEDGER_NO_STEP && !ledger_take(r->l, &report, &why)) {
        fprintf(stderr, "step %u: %s\n", report.n, why);
        *ret_sane = false;
    } else if (report.state == LEDGER_REFUSED && !r->may_refuse) {
        fprintf(stderr, "%s %u was refused: %s: %s\n",
                report.n == LEDGER_NO_STEP ? "opening for step" : "step", r->l->next,
                alm_code_name((alm_code)report.code), report.message);
        *ret_sane = false;
    }
    return *ret_sane;
}

bool rig_watch(rig *r, int64_t us_max)
{
    bool sane = true;
    bool is_early = crash_random_below(&r->random, 100) < EARLY_PER_CENT;
    int64_t us = (int64_t)crash_random_below(&r->random, (uint64_t)us_max);
    if (is_early) {
        proc_pause_us(us / 8);
        return true;
    }
    if (!take_report(r, proc_now_ms() + FIRST_MS_MAX, &sane)) {
        fprintf(stderr, "%s", sane ? "no report of the writer in time\n" : "");
        return false;
    }
    int64_t until_ms = proc_now_ms() + us / 1000;
    while (take_report(r, until_ms, &sane)) {}
    if (sane) {
        proc_pause_us(us % 1000);
    }
    return sane;
}

bool rig_drain(rig *r)
{
    bool sane;
    while (take_report(r, proc_now_ms() + FIRST_MS_MAX, &sane)) {}
    close(r->reports);
    r->reports = -1;
    return sane;
}

bool rig_check(rig *r)
{
    char fd[24];
    snprintf(fd, sizeof fd, "%d", r->ledger_fd);
    const char *const words[] = {"check", r->dir, fd, NULL};
    return proc_wait_ok(proc_start(words, -1, NULL), CHECK_MS_MAX, "check");
}
