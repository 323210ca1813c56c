#include "commit_tally.h"

#include "record.h"

#include <stdlib.h>

alm_obs alm_tally_row(const alm_tally *tally, const alm_obs *row)
{
    alm_obs obs = *row;
    if (!obs.value.has_number) {
        obs.value.number = (alm_decimal){0};
    }
    obs.variant = 0;
    obs.sequence = tally->sequence;
    return obs;
}

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the commit");
}

static bool same_statement(const alm_obs *a, const alm_obs *b)
{
    return a->value.has_number == b->value.has_number &&
           a->value.number.mantissa == b->value.number.mantissa &&
           a->value.number.exponent == b->value.number.exponent &&
           alm_unit_eq(a->value.unit, b->value.unit) && a->value.qualifier == b->value.qualifier &&
           a->value.status == b->value.status && alm_str_eq(a->note, b->note);
}

static alm_code add_conflict(alm_tally *tally, size_t index, const alm_obs *known, alm_status *st)
{
    char value[ALM_VALUE_TEXT_MAX];
    char date[ALM_PERIOD_TEXT_MAX];
    alm_value_format(&known->value, ALM_LANG_EN, value);
    alm_date_format(known->published, date);
    bool is_own = known->sequence == tally->sequence;
    char *reason =
        alm_arena_printf(tally->arena, "%s of %s from the same source says %s",
                         is_own ? "another row of the batch" : "the stored vintage", date, value);
    if (reason == NULL ||
        !alm_arena_grow(tally->arena, (void **)&tally->conflicts, &tally->conflict_cap,
                        tally->conflict_count + 1, sizeof *tally->conflicts)) {
        return no_memory(st);
    }
    tally->conflicts[tally->conflict_count++] =
        (alm_conflict){.row = index, .reason = alm_str_from(reason)};
    return ALM_OK;
}

alm_code alm_tally_judge(alm_tally *tally, size_t index, const alm_obs *row, const alm_obs *known,
                         bool is_new, bool *ret_take, alm_status *st)
{
    *ret_take = known == NULL;
    if (known == NULL) {
        tally->result->added += is_new;
        tally->result->revised += !is_new;
        return ALM_OK;
    }
    if (same_statement(known, row)) {
        tally->result->unchanged++;
        return ALM_OK;
    }
    return add_conflict(tally, index, known, st);
}

alm_code alm_tally_withdrew_nothing(alm_tally *tally, size_t index, alm_status *st)
{
    if (!alm_arena_grow(tally->arena, (void **)&tally->withdrew_nothing,
                        &tally->withdrew_nothing_cap, tally->withdrew_nothing_count + 1,
                        sizeof *tally->withdrew_nothing)) {
        return no_memory(st);
    }
    tally->withdrew_nothing[tally->withdrew_nothing_count++] = index;
    return ALM_OK;
}

static int row_cmp(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static int conflict_cmp(const void *a, const void *b)
{
    const alm_conflict *x = a;
    const alm_conflict *y = b;
    return (x->row > y->row) - (x->row < y->row);
}

void alm_tally_finish(alm_tally *tally)
{
    if (tally->conflict_count > 1) {
        qsort(tally->conflicts, tally->conflict_count, sizeof *tally->conflicts, conflict_cmp);
    }
    tally->result->conflicts = tally->conflicts;
    tally->result->conflict_count = tally->conflict_count;
    if (tally->withdrew_nothing_count > 1) {
        qsort(tally->withdrew_nothing, tally->withdrew_nothing_count,
              sizeof *tally->withdrew_nothing, row_cmp);
    }
    tally->result->withdrew_nothing = tally->withdrew_nothing;
    tally->result->withdrew_nothing_count = tally->withdrew_nothing_count;
}

alm_code alm_batch_replay(alm_str bytes, const alm_batch *batch, alm_arena *arena,
                          alm_commit_result *ret, alm_status *st)
{
    alm_batch_record record;
    ALM_TRY(alm_batch_record_decode(bytes, arena, &record, st));
    if (record.digest != batch->digest) {
        return alm_status_set_field(st, ALM_ALREADY_EXISTS, "batch_id",
                                    "batch %.*s was committed before with other content",
                                    ALM_STR_ARGS(batch->id));
    }
    *ret = record.result;
    ret->replayed = true;
    return ALM_OK;
}
