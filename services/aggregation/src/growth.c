// Year on year, by the calendar: (x(t) / x(one year earlier) - 1) x 100, with what was published
// beside it.
#include "asked.h"
#include "computed.h"

static alm_code why_none(alm_query_run *run, const alm_asked_cell *cell, const alm_obs *now,
                         const alm_obs *base, alm_period base_period, const char **ret,
                         alm_status *st)
{
    alm_measure measure = run->plan->measure;
    bool has_now = now != NULL && now->value.has_number;
    if (!has_now) {
        return alm_query_run_why_missing(run, now, measure, ALM_PLACE_NONE, cell->period, ret, st);
    }
    return alm_query_run_why_missing(run, base, measure, ALM_PLACE_NONE, base_period, ret, st);
}

// *ret_reason: "" when there is a number.
static alm_code compute(alm_query_run *run, const alm_asked_cell *cell, alm_computed *computed,
                        const char **ret_reason, alm_status *st)
{
    *ret_reason = "";
    if (run->indicator->value_type == ALM_VALUE_TYPE_RATE) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING);
        return alm_query_run_text(run, ret_reason, st,
                                  "%.*s is a rate: it changes by percentage points",
                                  ALM_STR_ARGS(run->indicator->code));
    }
    alm_period base_period;
    if (alm_period_add_years(cell->period, -1, &base_period, NULL) != ALM_OK) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING);
        *ret_reason = "the year before has no such period";
        return ALM_OK;
    }
    const alm_obs *now = alm_cells_find(&run->cells, cell->variant, cell->place, cell->period);
    const alm_obs *base = alm_cells_find(&run->cells, cell->variant, cell->place, base_period);
    if (now != NULL) {
        alm_computed_input(computed, now);
    }
    if (base != NULL) {
        alm_computed_input(computed, base);
    }
    if (now == NULL || base == NULL || !now->value.has_number || !base->value.has_number) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING_UNSPECIFIED);
        return why_none(run, cell, now, base, base_period, ret_reason, st);
    }
    alm_percent percent;
    alm_ratio_result result = alm_percent_growth(&now->value, &base->value, &percent);
    if (result != ALM_RATIO_OK) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING);
        return alm_query_run_text(run, ret_reason, st, "base %s", alm_ratio_reason(result));
    }
    alm_computed_percent(computed, &percent);
    return ALM_OK;
}

static alm_code answer(alm_query_run *run, const alm_asked_cell *cell, alm_status *st)
{
    alm_computed computed = alm_computed_begin(ALM_UNIT_PERCENT);
    const char *reason;
    uint32_t variant;
    ALM_TRY(compute(run, cell, &computed, &reason, st));
    if (!computed.value.has_number) {
        ALM_TRY(alm_asked_mention_published(run, cell, "growth", &reason, st));
    }
    ALM_TRY(alm_asked_answer_variant(run, cell->variant, ALM_MEASURE_GROWTH_YOY, (alm_str){0},
                                     &variant, st));
    return alm_computed_answer(&computed, variant, cell->place, cell->period, reason, 0, 0,
                               &run->answers, st);
}

alm_code alm_growth_run(alm_query_run *run, alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    alm_asked asked;
    alm_period_expr base_periods;
    ALM_TRY(alm_asked_collect(run, ALM_MEASURE_GROWTH_YOY, &asked, st));
    // The bases lie outside the window that was asked.
    ALM_TRY(alm_asked_periods(&asked, -1, run->arena, &base_periods, st));
    ALM_TRY(alm_query_run_fetch(run, ALM_MEASURE_BIT(plan->measure), plan->place_ids,
                                plan->places.count, &base_periods, st));
    for (size_t i = 0; i < asked.count; i++) {
        ALM_TRY(answer(run, &asked.cells[i], st));
    }
    return ALM_OK;
}
