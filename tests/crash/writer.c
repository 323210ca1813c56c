// A process that does one step after the other, from several threads, until it is killed or one is
// refused. On stdout it says which step it is about to do, and what became of it: after the store
// has said so.
#include "children.h"

#include "alm/clock.h"
#include "ledger.h"
#include "work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define THREAD_COUNT_MAX 16

typedef struct writer {
    alm_store *store;
    const char *dir;
    uint64_t seed;
    atomic_uint next;
    uint32_t end;
} writer;

// Few enough bytes for the pipe to take whole.
static bool tell(const ledger_report *report)
{
    return write(STDOUT_FILENO, report, sizeof *report) == (ssize_t)sizeof *report;
}

static bool tell_refused(uint32_t n, const alm_status *st)
{
    ledger_report report = {.n = n, .state = LEDGER_REFUSED, .code = (uint8_t)st->code};
    snprintf(report.message, sizeof report.message, "%.*s", (int)sizeof report.message - 1,
             st->message);
    return tell(&report);
}

static bool do_step(writer *w, uint32_t n, alm_arena *arena)
{
    work_item item;
    alm_commit_result result = {0};
    alm_status st = ALM_STATUS_INIT;
    work_item_make(&item, w->seed, n);
    if (!tell(&(ledger_report){.n = n, .state = LEDGER_BEGUN})) {
        return false;
    }
    alm_code code = work_item_run(&item, w->store, w->dir, arena, &result, &st);
    if (code != ALM_OK) {
        (void)tell_refused(n, &st);
        return false;
    }
    return tell(&(ledger_report){
        .n = n, .state = LEDGER_DONE, .replayed = result.replayed, .sequence = result.sequence});
}

static void *run_thread(void *arg)
{
    writer *w = arg;
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        return NULL;
    }
    for (uint32_t n; (n = atomic_fetch_add(&w->next, 1)) < w->end;) {
        if (!do_step(w, n, arena)) {
            break;
        }
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
    return NULL;
}

// DIR SEED FIRST END THREADS
int child_writer(char **words, int count)
{
    ALM_ASSERT(count == 5);
    pthread_t threads[THREAD_COUNT_MAX];
    alm_status st = ALM_STATUS_INIT;
    uint64_t thread_count = ALM_MIN(child_number(words[4]), THREAD_COUNT_MAX);
    writer w = {.dir = words[0],
                .seed = child_number(words[1]),
                .next = (unsigned)child_number(words[2]),
                .end = (uint32_t)child_number(words[3])};
    if (alm_store_open(w.dir, NULL, &w.store, &st) != ALM_OK) {
        return tell_refused(LEDGER_NO_STEP, &st) ? 1 : 2;
    }
    for (uint64_t i = 0; i < thread_count; i++) {
        ALM_ASSERT(pthread_create(&threads[i], NULL, run_thread, &w) == 0);
    }
    for (uint64_t i = 0; i < thread_count; i++) {
        pthread_join(threads[i], NULL);
    }
    alm_store_close(&w.store);
    return 0;
}
