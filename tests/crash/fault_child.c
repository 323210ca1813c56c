// The processes that calls fail in. What they do with the store is little and always the same;
// every answer must be a right one or a clear refusal, and what is on disk afterwards is for a
// checker.
#include "children.h"

#include "alm/alloc.h"
#include "ledger.h"
#include "proc.h"
#include "shim.h"
#include "work.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COMMIT_COUNT 2

typedef struct faulty {
    const char *dir;
    ledger *l;
    alm_store *store;
    alm_store_reader *reader;
    bool is_broken; // the store said it takes no more commits
    uint64_t rows;  // of all vintages, while nothing failed
    uint64_t seen;
    // of the preloaded library
    void (*arm)(shim_call call, uint64_t n, int error, int forever);
    uint64_t (*disarm)(void);
} faulty;

static bool fails(const char *what, alm_code code, const alm_status *st)
{
    fprintf(stderr, "%s: %s: %s\n", what, alm_code_name(code), st->message);
    return false;
}

// --- steps ---------------------------------------------------------------------------------------

static alm_code count_rows(void *arg, alm_str text, const alm_obs_columns *rows, alm_status *st)
{
    faulty *f = arg;
    uint32_t variant = work_variant_of(text);
    for (size_t i = 0; i < rows->count; i++) {
        const alm_obs row = alm_obs_at(rows, i);
        const char *defect = work_row_defect(f->l->seed, variant, &row);
        if (*defect != '\0') {
            return alm_status_set(st, ALM_DATA_LOSS, "%s", defect);
        }
    }
    f->seen += rows->count;
    return ALM_OK;
}

static alm_code read_all(faulty *f, alm_status *st)
{
    alm_read read = {.breakdown = ALM_STR("*"),
                     .all_places = true,
                     .all_periods = true,
                     .as_of = ALM_DATE_MAX,
                     .all_vintages = true};
    f->seen = 0;
    return alm_store_read(f->store, &read, count_rows, f, NULL, st);
}

static bool reads(faulty *f)
{
    alm_status st = ALM_STATUS_INIT;
    alm_vector vector;
    alm_code code = read_all(f, &st);
    if (code == ALM_OK && f->reader != NULL) {
        code = alm_store_series(f->reader, work_variants[0], 0, NULL, &vector, &st);
    }
    return code == ALM_OK || fails("a read", code, &st);
}

static bool take(faulty *f, const work_item *item, alm_code code, const alm_commit_result *result)
{
    const char *why = NULL;
    bool is_done = code == ALM_OK;
    ledger_report report = {.n = item->n,
                            .state = is_done ? LEDGER_DONE : LEDGER_REFUSED,
                            .replayed = is_done && result->replayed,
                            .sequence = is_done ? result->sequence : 0};
    if (!ledger_take(f->l, &report, &why)) {
        fprintf(stderr, "step %u: %s\n", item->n, why);
        return false;
    }
    if (code == ALM_UNAVAILABLE) { // whether it is on the disk, nobody knows
        f->l->steps[item->n].state = LEDGER_BEGUN;
    }
    return true;
}

// The next batch. Refused it may be, if so clearly.
static bool commits(faulty *f, alm_code *ret_code)
{
    work_item item;
    const char *why;
    alm_status st = ALM_STATUS_INIT;
    alm_commit_result result = {0};
    alm_arena *arena = alm_arena_create(0);
    ALM_ASSERT(arena != NULL);
    do {
        work_item_make(&item, f->l->seed, f->l->next++);
    } while (!work_is_batch(&item));
    ALM_ASSERT(ledger_take(f->l, &(ledger_report){.n = item.n, .state = LEDGER_BEGUN}, &why));
    alm_code code = work_item_run(&item, f->store, f->dir, arena, &result, &st);
    alm_arena_destroy(&arena);
    *ret_code = code;
    f->is_broken = f->is_broken || code == ALM_UNAVAILABLE;
    bool is_clear = code == ALM_OK || code == ALM_RESOURCE_EXHAUSTED || code == ALM_UNAVAILABLE;
    bool is_told = code == ALM_OK || st.message[0] != '\0';
    return ((is_clear && is_told) || fails("a commit", code, &st)) && take(f, &item, code, &result);
}

static alm_code open_store(faulty *f, alm_status *st)
{
    return alm_store_open(f->dir, NULL, &f->store, st);
}

// --- calls of the system -------------------------------------------------------------------------

// A library that is not preloaded is found nowhere.
static bool find_shim(faulty *f)
{
    *(void **)&f->arm = dlsym(RTLD_DEFAULT, "shim_arm");
    *(void **)&f->disarm = dlsym(RTLD_DEFAULT, "shim_disarm");
    return f->arm != NULL && f->disarm != NULL;
}

// A failed open is told, and leaves a store that the next one opens.
static bool open_with_fault(faulty *f, uint64_t *ret_failed, shim_call call, uint64_t n, int error,
                            int forever)
{
    alm_status st = ALM_STATUS_INIT;
    f->arm(call, n, error, forever);
    alm_code code = open_store(f, &st);
    *ret_failed = f->disarm();
    if (code != ALM_OK && st.message[0] == '\0') {
        return fails("an open without a word", code, &st);
    }
    if (code == ALM_DATA_LOSS || (error == EIO && code != ALM_OK && code != ALM_UNAVAILABLE)) {
        return fails("an open with a failing call", code, &st);
    }
    st = ALM_STATUS_INIT;
    if (code != ALM_OK && (code = open_store(f, &st)) != ALM_OK) {
        return fails("opening again", code, &st);
    }
    alm_code committed;
    bool ok = reads(f) && commits(f, &committed);
    // What an earlier process left to be folded may have met the failing call meanwhile.
    if (ok && committed != ALM_OK && !f->is_broken) {
        fprintf(stderr, "a commit after an open: %s\n", alm_code_name(committed));
        ok = false;
    }
    alm_store_close(&f->store);
    return ok;
}

// Reads go on whatever commits say, and commits do unless the store said that it takes none.
static bool commit_with_fault(faulty *f, uint64_t *ret_failed, shim_call call, uint64_t n,
                              int error, int forever)
{
    alm_status st = ALM_STATUS_INIT;
    alm_code code = open_store(f, &st);
    if (code == ALM_OK) {
        code = alm_store_reader_open(f->store, &f->reader, &st);
    }
    if (code != ALM_OK) {
        return fails("open", code, &st);
    }
    bool ok = true;
    f->arm(call, n, error, forever);
    for (int i = 0; ok && i < COMMIT_COUNT; i++) {
        ok = commits(f, &code) && reads(f);
    }
    *ret_failed = f->disarm();
    ok = ok && commits(f, &code) && reads(f);
    if (ok && code != ALM_OK && !f->is_broken) {
        fprintf(stderr, "a commit after all is well again: %s\n", alm_code_name(code));
        ok = false;
    }
    alm_store_reader_close(&f->reader);
    alm_store_close(&f->store);
    return ok;
}

// As who puts an older copy back: the open that follows makes the file anew.
static void forget_sequence(const char *dir)
{
    char path[160];
    snprintf(path, sizeof path, "%s/almanac.sequence", dir);
    ALM_ASSERT(unlink(path) == 0);
}

// DIR LEDGER_FD PHASE CALL N ERROR FOREVER. Exit status: 3 when the n-th call was never made.
int child_fault(char **words, int count)
{
    ALM_ASSERT(count == 7);
    uint64_t failed = 0;
    faulty f = {.dir = words[0], .l = proc_map((int)child_number(words[1]), sizeof *f.l)};
    if (!find_shim(&f)) {
        fputs("the library is not preloaded\n", stderr);
        return 2;
    }
    shim_call call = (shim_call)child_number(words[3]);
    uint64_t n = child_number(words[4]);
    int error = (int)child_number(words[5]);
    int forever = (int)child_number(words[6]);
    if (strcmp(words[2], "anew") == 0) {
        forget_sequence(f.dir);
    }
    bool ok = strcmp(words[2], "commit") == 0
                  ? commit_with_fault(&f, &failed, call, n, error, forever)
                  : open_with_fault(&f, &failed, call, n, error, forever);
    return !ok ? 1 : failed == 0 ? 3 : 0;
}

// --- memory --------------------------------------------------------------------------------------

typedef struct alloc_phase {
    const char *name;
    bool (*run)(faulty *f, alm_code *ret_code);
} alloc_phase;

static bool clear_refusal(const char *what, alm_code code, const alm_status *st)
{
    bool is_clear = code == ALM_OK || (code == ALM_RESOURCE_EXHAUSTED && st->message[0] != '\0');
    return is_clear || fails(what, code, st);
}

static bool phase_open(faulty *f, alm_code *ret_code)
{
    alm_status st = ALM_STATUS_INIT;
    alm_store_close(&f->store);
    *ret_code = open_store(f, &st);
    return clear_refusal("open", *ret_code, &st);
}

static bool phase_read(faulty *f, alm_code *ret_code)
{
    alm_status st = ALM_STATUS_INIT;
    *ret_code = read_all(f, &st);
    if (*ret_code == ALM_OK && f->rows == 0) {
        f->rows = f->seen;
    }
    if (*ret_code == ALM_OK && f->seen != f->rows) {
        fprintf(stderr, "a read gave %llu of %llu rows and said all is well\n",
                (unsigned long long)f->seen, (unsigned long long)f->rows);
        return false;
    }
    return clear_refusal("a read", *ret_code, &st);
}

static bool phase_verify(faulty *f, alm_code *ret_code)
{
    alm_status st = ALM_STATUS_INIT;
    alm_verify_result result = {0};
    *ret_code = alm_store_verify(f->store, NULL, NULL, &result, &st);
    if (result.problems > 0) {
        return fails("verify found problems without memory", *ret_code, &st);
    }
    return clear_refusal("verify", *ret_code, &st);
}

static alm_code pass_entry(void *arg, uint32_t id, const alm_indicator *entry, alm_status *st)
{
    (void)arg;
    (void)id;
    (void)entry;
    (void)st;
    return ALM_OK;
}

static alm_code pass_place(void *arg, alm_place_id id, const alm_place *entry, alm_status *st)
{
    (void)arg;
    (void)id;
    (void)entry;
    (void)st;
    return ALM_OK;
}

static alm_code pass_source(void *arg, uint32_t id, const alm_source *entry, alm_status *st)
{
    (void)arg;
    (void)id;
    (void)entry;
    (void)st;
    return ALM_OK;
}

static bool phase_catalog(faulty *f, alm_code *ret_code)
{
    alm_status st = ALM_STATUS_INIT;
    alm_catalog_visitor visitor = {
        .indicator = pass_entry, .place = pass_place, .source = pass_source};
    *ret_code = alm_store_visit_catalog(f->store, &visitor, NULL, &st);
    return clear_refusal("the catalogue", *ret_code, &st);
}

static alm_code pass_series(void *arg, const alm_series_info *info, alm_status *st)
{
    (void)arg;
    (void)info;
    (void)st;
    return ALM_OK;
}

static bool phase_series(faulty *f, alm_code *ret_code)
{
    alm_status st = ALM_STATUS_INIT;
    *ret_code = alm_store_visit_series(f->store, pass_series, NULL, &st);
    return clear_refusal("series", *ret_code, &st);
}

static bool phase_change(faulty *f, alm_code *ret_code)
{
    alm_change change;
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        *ret_code = ALM_RESOURCE_EXHAUSTED;
        return true;
    }
    *ret_code = alm_store_change(f->store, f->l->sequence, arena, &change, &st);
    alm_arena_destroy(&arena);
    return clear_refusal("a change", *ret_code, &st);
}

// Of the next batches, each until it is stored: one of every kind of step will be among them.
static bool phase_commit(faulty *f, alm_code *ret_code)
{
    work_item item;
    const char *why;
    alm_status st = ALM_STATUS_INIT;
    alm_commit_result result = {0};
    ledger *l = f->l;
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        *ret_code = ALM_RESOURCE_EXHAUSTED;
        return true;
    }
    work_item_make(&item, l->seed, l->next);
    if (!work_is_batch(&item)) {
        l->next++;
        alm_arena_destroy(&arena);
        return phase_commit(f, ret_code);
    }
    *ret_code = work_item_run(&item, f->store, f->dir, arena, &result, &st);
    alm_arena_destroy(&arena);
    if (*ret_code == ALM_OK) {
        ALM_ASSERT(ledger_take(l, &(ledger_report){.n = item.n, .state = LEDGER_BEGUN}, &why));
        return take(f, &item, *ret_code, &result);
    }
    return clear_refusal("a commit", *ret_code, &st);
}

static const alloc_phase alloc_phases[] = {
    {"open", phase_open},       {"read", phase_read},     {"verify", phase_verify},
    {"catalog", phase_catalog}, {"series", phase_series}, {"change", phase_change},
    {"commit", phase_commit},   {"commit", phase_commit}, {"commit", phase_commit},
    {"commit", phase_commit},   {"commit", phase_commit}, {"commit", phase_commit},
    {"commit", phase_commit},   {"commit", phase_commit}, {"commit", phase_commit},
    {"commit", phase_commit},   {"commit", phase_commit}, {"commit", phase_commit},
};

// The n-th allocation fails, for every n there is.
static bool starve(faulty *f, const alloc_phase *phase, int forever, uint64_t *ret_failures)
{
    for (uint64_t n = 1;; n++) {
        alm_code code = ALM_OK;
        (void)alm_alloc_fail_at(n, forever);
        bool ok = phase->run(f, &code);
        uint64_t made = alm_alloc_fail_at(0, 0);
        *ret_failures += made >= n;
        if (!ok) {
            fprintf(stderr, "%s: allocation %llu%s\n", phase->name, (unsigned long long)n,
                    forever ? " and all after it" : "");
            return false;
        }
        if (made < n) {
            return code == ALM_OK;
        }
    }
}

// DIR LEDGER_FD
int child_starve(char **words, int count)
{
    ALM_ASSERT(count == 2);
    uint64_t failures = 0;
    alm_status st = ALM_STATUS_INIT;
    faulty f = {.dir = words[0], .l = proc_map((int)child_number(words[1]), sizeof *f.l)};
    alm_code code = open_store(&f, &st);
    bool ok = code == ALM_OK || fails("open", code, &st);
    for (size_t i = 0; ok && i < ALM_ARRAY_LEN(alloc_phases); i++) {
        f.rows = 0;
        ok = starve(&f, &alloc_phases[i], 0, &failures) &&
             starve(&f, &alloc_phases[i], 1, &failures) && phase_open(&f, &code);
    }
    alm_store_close(&f.store);
    printf("faults: %llu allocations failed\n", (unsigned long long)failures);
    return ok ? 0 : 1;
}
