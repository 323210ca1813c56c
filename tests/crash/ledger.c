#include "ledger.h"

#include "alm/assert.h"

#include <string.h>

void ledger_reset(ledger *l, uint64_t seed)
{
    memset(l, 0, sizeof *l);
    l->seed = seed;
}

static bool take_done(ledger *l, const ledger_report *report, const char **ret_why)
{
    if (report->replayed) {
        *ret_why = "the store said it had the batch already, and nobody had sent it";
        return false;
    }
    l->steps[report->n].state = LEDGER_DONE;
    l->steps[report->n].sequence = report->sequence;
    l->sequence = ALM_MAX(l->sequence, report->sequence);
    l->done++;
    return true;
}

bool ledger_take(ledger *l, const ledger_report *report, const char **ret_why)
{
    ALM_ASSERT(report->n < LEDGER_STEP_MAX);
    ledger_step *step = &l->steps[report->n];
    bool is_begin = report->state == LEDGER_BEGUN;
    if (step->state != (is_begin ? LEDGER_NEVER : LEDGER_BEGUN)) {
        *ret_why = is_begin ? "a step was begun twice" : "an answer to what was not begun";
        return false;
    }
    l->next = ALM_MAX(l->next, report->n + 1);
    if (report->state == LEDGER_DONE) {
        return take_done(l, report, ret_why);
    }
    step->state = report->state;
    return true;
}

void ledger_doubt_refusals(ledger *l)
{
    for (uint32_t n = 0; n < l->next; n++) {
        if (l->steps[n].state == LEDGER_REFUSED) {
            l->steps[n].state = LEDGER_BEGUN;
        }
    }
}
