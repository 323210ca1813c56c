// What was published of a roll-up's groups themselves: told beside what their members make, with
// the gap between them.
#include "convert.h"
#include "period_hull.h"
#include "series_run.h"

#include "alm/id_order.h"

#include <math.h>
#include <stdio.h>

#define GROUP_COUNT_MAX 5000 // of more only what is computed is told
#define RATIO_EXPONENT  (-2) // of the gap, in percent of what was published

static bool is_rollup_alone(const alm_query_plan *plan)
{
    for (size_t stage = 0; stage < ALM_STAGE_COUNT; stage++) {
        bool is_there = plan->transforms.of[stage].op != ALM_TRANSFORM_NONE;
        if (is_there != (stage == ALM_STAGE_PLACES)) {
            return false;
        }
    }
    return true;
}

static alm_code widen(void *arg, uint32_t variant, alm_period period, alm_status *st)
{
    (void)variant;
    (void)st;
    alm_period_hull_take(arg, period);
    return ALM_OK;
}

// Those that are asked; of an open question those that members have.
static alm_code find_periods(alm_query_run *run, alm_period_expr *ret, alm_status *st)
{
    alm_period_hull hull = {0}; // of the periods that members have values in
    *ret = run->plan->periods;
    if (ret->kind == ALM_PERIOD_EXPR_RANGES) {
        return ALM_OK;
    }
    ALM_TRY(alm_visit_read(run, widen, &hull, st));
    return alm_period_hull_ranges(&hull, run->arena, ret) ? ALM_OK : alm_query_run_no_memory(st);
}

alm_code alm_series_totals_ask(alm_series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_query_plan *plan = run->plan;
    const alm_rollup_groups *groups = run->groups;
    if (groups == NULL || groups->count == 0 || groups->count > GROUP_COUNT_MAX ||
        !is_rollup_alone(plan) || !alm_query_run_is_stored(run)) {
        return ALM_OK;
    }
    it->total_places = alm_arena_calloc(run->arena, groups->count, sizeof *it->total_places);
    alm_read_beside *beside = alm_arena_alloc(run->arena, sizeof *beside);
    if (it->total_places == NULL || beside == NULL) {
        return alm_query_run_no_memory(st);
    }
    memcpy(it->total_places, groups->places, groups->count * sizeof *it->total_places);
    it->total_count = alm_ids_unique(it->total_places, groups->count);
    if (plan->periods.kind == ALM_PERIOD_EXPR_RANGES && plan->periods.range_count > 0) {
        *beside = (alm_read_beside){
            .fetch = alm_query_run_fetch_made(run, ALM_MEASURE_BIT(plan->measure), it->total_places,
                                              it->total_count, &plan->periods),
            .visit = alm_cells_visit,
            .arg = &run->cells};
        run->beside = beside;
        it->is_beside = true;
    }
    return ALM_OK;
}

alm_code alm_series_totals_read(alm_series_run *it, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_period_expr periods;
    if (it->total_count == 0 || (it->is_beside && run->beside == NULL)) {
        return ALM_OK;
    }
    run->beside = NULL;
    ALM_TRY(find_periods(run, &periods, st));
    return alm_query_run_fetch(run, ALM_MEASURE_BIT(run->plan->measure), it->total_places,
                               it->total_count, &periods, st);
}

bool alm_series_total(const alm_series_run *it, const alm_series_target *of, size_t series,
                      uint32_t t, alm_obs *ret)
{
    return it->run->groups != NULL && it->run->cells.count > 0 &&
           alm_cells_get(&it->run->cells, of->variant, it->set.places[series],
                         alm_axis_at(alm_series_last_grid(of)->axis, t), ret) &&
           ret->value.has_number;
}

// --- the gap ------------------------------------------------------------------------------------

static bool adds_up(const alm_query_run *run)
{
    return run->derived == NULL && run->indicator->over_places == ALM_AGGREGATION_SUM;
}

static const char *computed_word(const alm_query_run *run)
{
    alm_aggregation how =
        run->derived == NULL ? run->indicator->over_places : ALM_AGGREGATION_RECOMPUTE;
    switch (how) {
    case ALM_AGGREGATION_SUM:
        return "the sum";
    case ALM_AGGREGATION_AVERAGE:
        return "the average";
    case ALM_AGGREGATION_MAX:
        return "the highest";
    case ALM_AGGREGATION_MIN:
        return "the lowest";
    default:
        return "the rate";
    }
}

// Ends that were scaled are off by roundings.
static bool meet(alm_interval a, alm_interval b, double size)
{
    double slack = size * 1e-12;
    return a.lower <= b.upper + slack && b.lower <= a.upper + slack;
}

// " (0.26 %)", of percentages " points"; "" of what does not fit. size: more than
// ALM_DECIMAL_TEXT_MAX.
static void put_share(alm_decimal gap, const alm_value *total, char *out, size_t size)
{
    char text[ALM_DECIMAL_TEXT_MAX];
    alm_decimal whole = total->number;
    alm_decimal percent;
    whole.mantissa = whole.mantissa < 0 ? -whole.mantissa : whole.mantissa;
    if (alm_unit_dimension(total->unit) == ALM_DIMENSION_RATIO) {
        (void)snprintf(out, size, "%s",
                       alm_unit_eq(total->unit, ALM_UNIT_PERCENT) ? " points" : "");
    } else if (whole.mantissa != 0 && alm_decimal_shift(gap, 2, &gap, NULL) == ALM_OK &&
               alm_decimal_div(gap, whole, RATIO_EXPONENT, &percent, NULL) == ALM_OK) {
        (void)alm_decimal_format(percent, ',', text);
        (void)snprintf(out, size, " (%s %%)", text);
    } else {
        out[0] = '\0';
    }
}

alm_code alm_series_total_gap(alm_series_run *it, const alm_obs *published, const alm_value *value,
                              alm_interval interval, const char **ret, alm_status *st)
{
    const alm_value *total = &published->value;
    alm_decimal computed;
    alm_decimal gap;
    *ret = "";
    if (!alm_unit_convertible(value->unit, total->unit) ||
        alm_number_in_unit(value, total->unit, &computed, NULL) != ALM_OK ||
        alm_decimal_sub(computed, total->number, &gap, NULL) != ALM_OK) {
        return ALM_OK;
    }
    alm_interval own = alm_interval_scale(interval, alm_unit_factor(value->unit, total->unit));
    if (meet(own, alm_value_interval(total), fabs(alm_decimal_to_double(total->number)))) {
        return ALM_OK;
    }
    bool is_below = gap.mantissa < 0;
    char told[ALM_VALUE_TEXT_MAX];
    char number[ALM_DECIMAL_TEXT_MAX];
    char share[ALM_DECIMAL_TEXT_MAX + 8];
    gap.mantissa = is_below ? -gap.mantissa : gap.mantissa;
    (void)alm_value_format(total, ALM_LANG_EN, told);
    (void)alm_decimal_format(gap, ',', number);
    put_share(gap, total, share, sizeof share);
    return alm_query_run_text(it->run, ret, st, "published %s is %s; %s is %s%s %s",
                              adds_up(it->run) ? "total" : "value", told, computed_word(it->run),
                              number, share, is_below ? "below" : "above");
}

alm_code alm_series_total_mention(alm_series_run *it, const alm_obs *published, const char **reason,
                                  alm_status *st)
{
    char told[ALM_VALUE_TEXT_MAX];
    (void)alm_value_format(&published->value, ALM_LANG_EN, told);
    return alm_query_run_text(it->run, reason, st, "%s; published %s is %s", *reason,
                              adds_up(it->run) ? "total" : "value", told);
}
