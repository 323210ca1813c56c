// Of the parent place, in percent: x(place) / x(parent) x 100, with what was published beside it.
#include "asked.h"
#include "computed.h"
#include "alm/id_order.h"

#include <stdlib.h>

static bool has_number(const alm_obs *obs)
{
    return obs != NULL && obs->value.has_number;
}

// The parent's value must be of the same variant and period; the same unit it need not be of.
static alm_code compute(alm_query_run *run, const alm_asked_cell *cell, alm_place_id parent,
                        alm_computed *computed, const char **ret_reason, alm_status *st)
{
    alm_measure measure = run->plan->measure;
    const alm_obs *part = alm_cells_find(&run->cells, cell->variant, cell->place, cell->period);
    const alm_obs *whole = alm_cells_find(&run->cells, cell->variant, parent, cell->period);
    if (part != NULL) {
        alm_computed_input(computed, part);
    }
    if (whole != NULL) {
        alm_computed_input(computed, whole);
    }
    if (!has_number(part) || !has_number(whole)) {
        const alm_obs *missing = has_number(part) ? whole : part;
        alm_place_id place = has_number(part) ? parent : cell->place;
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING_UNSPECIFIED);
        return alm_query_run_why_missing(run, missing, measure, place, cell->period, ret_reason,
                                         st);
    }
    alm_percent percent;
    alm_ratio_result result = alm_percent_of(&part->value, &whole->value, &percent);
    if (result != ALM_RATIO_OK) {
        alm_str code = alm_place_tree_get(run->plan->tree, parent)->code;
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING);
        return alm_query_run_text(run, ret_reason, st, "%s of %.*s %s", alm_measure_code(measure),
                                  ALM_STR_ARGS(code), alm_ratio_reason(result));
    }
    alm_computed_percent(computed, &percent);
    return ALM_OK;
}

static bool has_shares(const alm_indicator *indicator)
{
    return indicator->value_type != ALM_VALUE_TYPE_RATE &&
           indicator->value_type != ALM_VALUE_TYPE_INDEX;
}

static alm_code compute_or_refuse(alm_query_run *run, const alm_asked_cell *cell,
                                  alm_place_id parent, alm_computed *computed,
                                  const char **ret_reason, alm_status *st)
{
    *ret_reason = "";
    if (!has_shares(run->indicator)) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING);
        return alm_query_run_text(
            run, ret_reason, st, "%.*s is a%s: it has no parts", ALM_STR_ARGS(run->indicator->code),
            run->indicator->value_type == ALM_VALUE_TYPE_RATE ? " rate" : "n index");
    }
    if (parent == ALM_PLACE_NONE) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING);
        alm_str code = alm_place_tree_get(run->plan->tree, cell->place)->code;
        return alm_query_run_text(run, ret_reason, st, "%.*s has no parent place",
                                  ALM_STR_ARGS(code));
    }
    return compute(run, cell, parent, computed, ret_reason, st);
}

static alm_code answer(alm_query_run *run, const alm_asked_cell *cell, alm_status *st)
{
    alm_place_id parent = alm_place_tree_parent(run->plan->tree, cell->place);
    alm_str parent_code =
        parent == ALM_PLACE_NONE ? (alm_str){0} : alm_place_tree_get(run->plan->tree, parent)->code;
    alm_computed computed = alm_computed_begin(ALM_UNIT_PERCENT);
    const char *reason;
    uint32_t variant;
    ALM_TRY(compute_or_refuse(run, cell, parent, &computed, &reason, st));
    if (!computed.value.has_number) {
        ALM_TRY(alm_asked_mention_published(run, cell, "share", &reason, st));
    }
    ALM_TRY(alm_asked_answer_variant(run, cell->variant, ALM_MEASURE_SHARE_OF, parent_code,
                                     &variant, st));
    return alm_computed_answer(&computed, variant, cell->place, cell->period, reason, 0, 0,
                               &run->answers, st);
}

// The parents of the asked places, each once, ascending.
static alm_code find_parents(alm_query_run *run, alm_place_list *ret, alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    alm_place_id *ids = alm_arena_calloc(run->arena, plan->places.count, sizeof *ids);
    if (ids == NULL) {
        return alm_query_run_no_memory(st);
    }
    size_t count = 0;
    for (size_t i = 0; i < plan->places.count; i++) {
        alm_place_id parent = alm_place_tree_parent(plan->tree, plan->places.ids[i]);
        if (parent != ALM_PLACE_NONE) {
            ids[count++] = parent;
        }
    }
    qsort(ids, count, sizeof *ids, alm_id_order);
    *ret = (alm_place_list){.ids = ids};
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || ids[i] != ids[ret->count - 1]) {
            ids[ret->count++] = ids[i];
        }
    }
    return ALM_OK;
}

alm_code alm_share_run(alm_query_run *run, alm_status *st)
{
    alm_asked asked;
    alm_place_list parents = {0};
    alm_period_expr periods;
    ALM_TRY(alm_asked_collect(run, ALM_MEASURE_SHARE_OF, &asked, st));
    ALM_TRY(alm_asked_periods(&asked, 0, run->arena, &periods, st));
    ALM_TRY(find_parents(run, &parents, st));
    ALM_TRY(alm_query_run_fetch(run, ALM_MEASURE_BIT(run->plan->measure), parents.ids,
                                parents.count, &periods, st));
    for (size_t i = 0; i < asked.count; i++) {
        ALM_TRY(answer(run, &asked.cells[i], st));
    }
    return ALM_OK;
}
