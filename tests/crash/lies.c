// Goal: a checker that would find nothing proves nothing. Method: a sound store is held to ledgers
// that lie about it in one way each; the checker must find every lie out, and content itself with
// the truth.
#include "runs.h"

#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEP_COUNT 40

typedef struct lie_row {
    const char *name;
    void (*tell)(rig *r);
} lie_row;

// --- lies ----------------------------------------------------------------------------------------

static uint32_t a_batch(const rig *r)
{
    for (uint32_t n = r->l->next / 2;; n++) {
        if (r->l->steps[n].state == LEDGER_DONE && r->l->steps[n].sequence > 0) {
            return n;
        }
    }
}

static void never_sent(rig *r)
{
    r->l->steps[a_batch(r)].state = LEDGER_NEVER;
}

static void refused(rig *r)
{
    r->l->steps[a_batch(r)].state = LEDGER_REFUSED;
}

static void another_sequence(rig *r)
{
    r->l->steps[a_batch(r)].sequence--;
}

static void a_batch_more(rig *r)
{
    work_item item;
    do {
        work_item_make(&item, r->l->seed, r->l->next);
        r->l->steps[r->l->next++] = (ledger_step){.state = LEDGER_DONE};
    } while (!work_is_batch(&item));
}

static void a_later_end(rig *r)
{
    r->l->sequence++;
}

// Every row then holds another value than it should.
static void another_seed(rig *r)
{
    r->l->seed++;
}

// A batch of which one row is left out, by its own name and with its own digest.
static void a_row_less(rig *r)
{
    work_item item;
    alm_store *store = NULL;
    alm_commit_result result;
    alm_arena *arena = alm_arena_create(0);
    ALM_ASSERT(arena != NULL && alm_store_open(r->dir, NULL, &store, NULL) == ALM_OK);
    do {
        work_item_make(&item, r->l->seed, r->l->next++);
    } while (item.batch.obs_count < 2);
    item.batch.obs_count--;
    ALM_ASSERT(alm_store_commit(store, &item.batch, arena, &result, NULL) == ALM_OK);
    r->l->steps[item.n] = (ledger_step){.state = LEDGER_DONE, .sequence = result.sequence};
    alm_store_close(&store);
    alm_arena_destroy(&arena);
}

static const lie_row lies[] = {
    {"a batch that is there was never sent", never_sent},
    {"a batch that is there was refused", refused},
    {"a batch has another sequence", another_sequence},
    {"a batch more was acknowledged", a_batch_more},
    {"a higher sequence was acknowledged", a_later_end},
    {"the rows hold other values", another_seed},
    {"a batch is there by half", a_row_less},
};

// --- telling them --------------------------------------------------------------------------------

static bool do_steps(rig *r)
{
    alm_store *store = NULL;
    bool ok = rig_new_store(r) && alm_store_open(r->dir, NULL, &store, NULL) == ALM_OK;
    for (; ok && r->l->next < STEP_COUNT; r->l->next++) {
        work_item item;
        alm_commit_result result = {0};
        alm_arena *arena = alm_arena_create(0);
        ALM_ASSERT(arena != NULL);
        work_item_make(&item, r->l->seed, r->l->next);
        ok = work_item_run(&item, store, r->dir, arena, &result, NULL) == ALM_OK;
        alm_arena_destroy(&arena);
        r->l->steps[r->l->next] = (ledger_step){.state = LEDGER_DONE, .sequence = result.sequence};
        r->l->sequence = ALM_MAX(r->l->sequence, result.sequence);
    }
    alm_store_close(&store);
    return ok;
}

int run_lies(const rig_opts *opts)
{
    rig r;
    char dir[] = "/tmp/alm_lies_XXXXXX";
    ALM_ASSERT(mkdtemp(dir) != NULL);
    rig_init(&r, opts->seed, dir);
    bool ok = do_steps(&r) && rig_check(&r);
    for (size_t i = 0; ok && i < ALM_ARRAY_LEN(lies); i++) {
        ok = do_steps(&r);
        lies[i].tell(&r);
        bool is_found = !rig_check(&r);
        printf("lies: %s: %s\n", lies[i].name, is_found ? "found out" : "BELIEVED");
        ok = ok && is_found;
    }
    rig_remove_store(dir);
    rmdir(dir);
    rig_deinit(&r);
    return ok ? 0 : 1;
}
