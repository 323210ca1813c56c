// Goal: a full disk is an error, not an outage. Method: on a small file system beside a file that
// takes room, steps are done until one is refused; reads go on all the while; the other file is
// removed, and commits must go through within a second, in the same store; then the disk is filled
// again, the store is opened anew, and is held to what was acknowledged.
//
//   --only map, --only tmpfs, --only ext4
#include "runs.h"

#include "disk.h"
#include "work.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOM_BYTES     ((size_t)1 << 20) // beside the ballast
#define FULL_TRIES     40                // refusals in a row before it counts as full
#define RESUME_MS_MAX  1000              // from room to an acknowledgment
#define READ_COUNT_MIN 5                 // while it is full

typedef struct bench {
    rig r;
    alm_store *store;
    char ballast[128];
    size_t bytes_max;
    const char *cause; // what a refusal must say
    pthread_t reader;
    atomic_bool stopping;
    atomic_uint reads, failed_reads;
} bench;

static bool failed(const char *what, const char *why)
{
    fprintf(stderr, "full: %s: %s\n", what, why);
    return false;
}

// --- reading all the while -----------------------------------------------------------------------

static alm_code judge_rows(void *arg, alm_str text, const alm_obs_columns *rows, alm_status *st)
{
    const bench *b = arg;
    uint32_t variant = work_variant_of(text);
    for (size_t i = 0; i < rows->count; i++) {
        const alm_obs row = alm_obs_at(rows, i);
        const char *defect = work_row_defect(b->r.l->seed, variant, &row);
        if (*defect != '\0') {
            return alm_status_set(st, ALM_DATA_LOSS, "%s", defect);
        }
    }
    return ALM_OK;
}

static void *keep_reading(void *arg)
{
    bench *b = arg;
    alm_read read = {.breakdown = ALM_STR("*"),
                     .all_places = true,
                     .all_periods = true,
                     .as_of = ALM_DATE_MAX,
                     .all_vintages = true};
    while (!atomic_load(&b->stopping)) {
        alm_status st = ALM_STATUS_INIT;
        if (alm_store_read(b->store, &read, judge_rows, b, NULL, &st) != ALM_OK) {
            atomic_fetch_add(&b->failed_reads, 1);
            failed("reading", st.message);
        }
        atomic_fetch_add(&b->reads, 1);
        proc_pause_us(50000);
    }
    return NULL;
}

// --- writing -------------------------------------------------------------------------------------

// Does the next step. False: it was refused otherwise than a full disk is.
static bool do_step(bench *b, bool *ret_done)
{
    work_item item;
    ledger *l = b->r.l;
    const char *why = NULL;
    alm_status st = ALM_STATUS_INIT;
    alm_commit_result result = {0};
    alm_arena *arena = alm_arena_create(0);
    ALM_ASSERT(arena != NULL);
    work_item_make(&item, l->seed, l->next);
    ledger_report report = {.n = item.n, .state = LEDGER_BEGUN};
    ALM_ASSERT(ledger_take(l, &report, &why));
    alm_code code = work_item_run(&item, b->store, b->r.dir, arena, &result, &st);
    alm_arena_destroy(&arena);
    *ret_done = code == ALM_OK;
    report.state = code == ALM_OK ? LEDGER_DONE : LEDGER_REFUSED;
    report.sequence = result.sequence;
    report.replayed = result.replayed;
    if (!ledger_take(l, &report, &why)) {
        return failed("a step", why);
    }
    if (code != ALM_OK &&
        (code != ALM_RESOURCE_EXHAUSTED || strstr(st.message, b->cause) == NULL)) {
        return failed(alm_code_name(code), st.message);
    }
    return true;
}

static bool fill(bench *b, uint32_t *ret_steps)
{
    int refused = 0;
    *ret_steps = 0;
    while (refused < FULL_TRIES) {
        bool done;
        if (b->r.l->next + 1 >= LEDGER_STEP_MAX) {
            return failed("filling", "the disk does not get full");
        }
        if (!do_step(b, &done)) {
            return false;
        }
        refused = done ? 0 : refused + 1;
        *ret_steps += done;
    }
    return true;
}

// --- the sequence of events ----------------------------------------------------------------------

static bool put_ballast(const bench *b)
{
    static const char zeros[1 << 16];
    struct statvfs info;
    int fd = open(b->ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && fstatvfs(fd, &info) == 0;
    size_t bytes = ok ? (size_t)info.f_bavail * info.f_frsize - ROOM_BYTES : 0;
    for (size_t i = 0; ok && i < bytes / sizeof zeros; i++) {
        ok = write(fd, zeros, sizeof zeros) == (ssize_t)sizeof zeros;
    }
    return ok && fsync(fd) == 0 && close(fd) == 0;
}

static bool wait_for_reads(bench *b)
{
    unsigned from = atomic_load(&b->reads);
    int64_t until_ms = proc_now_ms() + 10000;
    while (atomic_load(&b->reads) < from + READ_COUNT_MIN && proc_now_ms() < until_ms) {
        proc_pause_us(1000);
    }
    return atomic_load(&b->reads) >= from + READ_COUNT_MIN && atomic_load(&b->failed_reads) == 0;
}

static bool resume(bench *b, int64_t *ret_ms)
{
    bool done = false;
    int64_t from_ms = proc_now_ms();
    ALM_ASSERT(unlink(b->ballast) == 0);
    while (!done && proc_now_ms() - from_ms <= RESUME_MS_MAX) {
        if (!do_step(b, &done)) {
            return false;
        }
    }
    *ret_ms = proc_now_ms() - from_ms;
    return done || failed("room again", "no commit went through");
}

static bool open_store(bench *b)
{
    alm_status st = ALM_STATUS_INIT;
    alm_store_opts opts = {.bytes_max = b->bytes_max};
    return alm_store_open(b->r.dir, &opts, &b->store, &st) == ALM_OK || failed("open", st.message);
}

static void start_reader(bench *b)
{
    atomic_store(&b->stopping, false);
    ALM_ASSERT(pthread_create(&b->reader, NULL, keep_reading, b) == 0);
}

static void stop_reader(bench *b)
{
    atomic_store(&b->stopping, true);
    pthread_join(b->reader, NULL);
}

// Fills, frees, fills: with one store open and one thread that reads.
static bool use(bench *b, const char *what)
{
    uint32_t first = 0, second = 0;
    int64_t resume_ms = 0;
    if (!open_store(b)) {
        return false;
    }
    start_reader(b);
    bool ok = fill(b, &first) && wait_for_reads(b) && resume(b, &resume_ms) && fill(b, &second) &&
              wait_for_reads(b);
    stop_reader(b);
    alm_store_close(&b->store);
    printf("full: %s: %u steps, %u more after %lld ms with room; %u reads, %u failed\n", what,
           first, second, (long long)resume_ms, atomic_load(&b->reads),
           atomic_load(&b->failed_reads));
    return ok && first > 0 && second > 0;
}

// The disk is still full: the store opens and answers.
static bool open_full(bench *b)
{
    if (!open_store(b)) {
        return false;
    }
    start_reader(b);
    bool ok = wait_for_reads(b);
    stop_reader(b);
    alm_store_close(&b->store);
    return ok;
}

static bool fill_disk(const disk *d, const rig_opts *opts, const char *what)
{
    bench b = {.cause = "No space left"};
    char dir[128];
    snprintf(dir, sizeof dir, "%s/store", d->mounted);
    snprintf(b.ballast, sizeof b.ballast, "%s/ballast", d->mounted);
    ALM_ASSERT(mkdir(dir, 0700) == 0);
    rig_init(&b.r, opts->seed, dir);
    bool ok =
        put_ballast(&b) && rig_new_store(&b.r) && use(&b, what) && open_full(&b) && rig_check(&b.r);
    rig_deinit(&b.r);
    return ok;
}

// A full map is as a full disk, but that room comes with opening it larger.
static bool fill_map(const disk *d, const rig_opts *opts)
{
    uint32_t first = 0, second = 0;
    bench b = {.cause = "MDB_MAP_FULL", .bytes_max = (size_t)1 << 20};
    rig_init(&b.r, opts->seed, d->mounted);
    bool ok = rig_new_store(&b.r) && open_store(&b);
    if (ok) {
        start_reader(&b);
        ok = fill(&b, &first) && wait_for_reads(&b);
        stop_reader(&b);
        alm_store_close(&b.store);
    }
    b.bytes_max *= 2;
    ok = ok && open_store(&b) && fill(&b, &second);
    alm_store_close(&b.store);
    printf("full: map: %u steps, %u more in one twice as large; %u reads, %u failed\n", first,
           second, atomic_load(&b.reads), atomic_load(&b.failed_reads));
    ok = ok && first > 0 && second > 0 && rig_check(&b.r);
    rig_deinit(&b.r);
    return ok;
}

typedef struct full_row {
    const char *name;
    bool (*open)(disk *d, size_t bytes);
    size_t bytes;
} full_row;

static const full_row full_rows[] = {
    {"map", disk_open_tmpfs, (size_t)64 << 20},
    {"tmpfs", disk_open_tmpfs, (size_t)2 << 20},
    {"ext4", disk_open_ext4, (size_t)6 << 20},
};

int run_full(const rig_opts *opts)
{
    bool ok = true;
    bool skipped = !disk_namespace();
    for (size_t i = 0; !skipped && i < ALM_ARRAY_LEN(full_rows); i++) {
        disk d;
        const full_row *row = &full_rows[i];
        if (!rig_is_part(opts, row->name)) {
            continue;
        }
        skipped = !row->open(&d, row->bytes);
        if (!skipped) {
            ok = (i == 0 ? fill_map(&d, opts) : fill_disk(&d, opts, row->name)) && ok;
            disk_close(&d);
        }
    }
    return !ok ? 1 : skipped ? RIG_SKIPPED : 0;
}
