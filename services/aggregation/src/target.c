// Progress against stored targets: which are asked, what was reached over what was planned, and
// whether that is on time.
#include "target_pace.h"

#include "period_hull.h"

#include <stdlib.h>

// --- which targets ------------------------------------------------------------------------------

// Does the horizon touch the asked periods? By days: a plan of 2021/2025 answers a question about
// 2023-Q2.
static bool is_asked(const alm_query_plan *plan, alm_period horizon)
{
    if (plan->periods.kind != ALM_PERIOD_EXPR_RANGES) {
        return true;
    }
    alm_date first = alm_period_first_day(horizon);
    alm_date last = alm_period_last_day(horizon);
    for (size_t i = 0; i < plan->periods.range_count; i++) {
        alm_period_range range = plan->periods.ranges[i];
        bool starts = range.from.freq == ALM_FREQ_NONE || alm_period_first_day(range.from) <= last;
        bool ends = range.to.freq == ALM_FREQ_NONE || alm_period_last_day(range.to) >= first;
        if (starts && ends) {
            return true;
        }
    }
    return false;
}

// Rows of one series and horizon length, newest first.
static int by_newest(const void *a, const void *b)
{
    const alm_obs *x = a;
    const alm_obs *y = b;
    if (x->variant != y->variant) {
        return x->variant < y->variant ? -1 : 1;
    }
    if (x->place != y->place) {
        return x->place < y->place ? -1 : 1;
    }
    if (x->period.length != y->period.length) {
        return x->period.length < y->period.length ? -1 : 1;
    }
    return alm_period_cmp(y->period, x->period);
}

static bool is_next_of(const alm_obs *a, const alm_obs *b)
{
    return a->variant == b->variant && a->place == b->place && a->period.length == b->period.length;
}

// The targets that are asked. A plan of five years and this year's target stand beside each other:
// "last:n" means the newest n of each length, and a missing or withdrawn one is none of them.
static alm_code choose_targets(alm_query_run *run, alm_obs **ret, size_t *ret_count, alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    bool is_last = plan->periods.kind == ALM_PERIOD_EXPR_LAST;
    size_t count = 0;
    alm_obs *rows = alm_arena_calloc(run->arena, run->cells.count, sizeof *rows);
    if (rows == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t i = 0; i < run->cells.count; i++) {
        alm_obs row = alm_cells_row(&run->cells, i);
        if (!is_last || !alm_obs_status_missing(row.value.status)) {
            rows[count++] = row;
        }
    }
    if (count > 0) {
        qsort(rows, count, sizeof *rows, by_newest);
    }
    size_t kept = 0;
    uint32_t nth = 0;
    alm_obs before = {0};
    for (size_t i = 0; i < count; i++) {
        nth = i > 0 && is_next_of(&rows[i], &before) ? nth + 1 : 1;
        before = rows[i];
        bool is_new_enough = !is_last || nth <= plan->periods.last;
        if (is_new_enough && is_asked(plan, rows[i].period)) {
            rows[kept++] = rows[i];
        }
    }
    *ret = rows;
    *ret_count = kept;
    return ALM_OK;
}

// Horizons have lengths of their own, which no range of ordinary periods matches: all are read.
static alm_code fetch_targets(alm_query_run *run, alm_obs **ret, size_t *ret_count, alm_status *st)
{
    alm_period_expr all = {.kind = ALM_PERIOD_EXPR_ALL};
    ALM_TRY(alm_query_run_fetch(run, ALM_MEASURE_BIT(ALM_MEASURE_TARGET), run->plan->place_ids,
                                run->plan->places.count, &all, st));
    return choose_targets(run, ret, ret_count, st);
}

// --- what else is read --------------------------------------------------------------------------

// A horizon in its own frequency and in coarser and finer ones, and the period before it.
static void take_horizon(alm_period_hull *it, alm_period horizon)
{
    alm_period run, before;
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_DAY; freq++) {
        if ((freq > ALM_FREQ_MONTH && freq != horizon.freq) ||
            alm_period_expand(horizon, freq, &run, NULL) != ALM_OK) {
            continue;
        }
        alm_period_hull_take(it, alm_period_unit(run, 0));
        alm_period_hull_take(it, alm_period_unit(run, run.length - 1U));
        if (alm_period_add(alm_period_unit(run, 0), -1, &before, NULL) == ALM_OK) {
            alm_period_hull_take(it, before);
        }
    }
}

static alm_period horizon_of(const alm_variant *variant, alm_period period)
{
    alm_period horizon = period;
    if (variant->accumulation == ALM_ACCUMULATION_CUMULATIVE && variant->freq != ALM_FREQ_ANNUAL) {
        horizon = alm_period_year_to_date(alm_period_unit(period, period.length - 1U));
    }
    return horizon.freq == ALM_FREQ_NONE ? period : horizon;
}

static const alm_variant *variant_of(const alm_query_run *run, const alm_obs *obs)
{
    return &alm_variant_table_get(&run->variants, obs->variant)->variant;
}

// The horizons, and those within a year a year earlier.
static alm_code fetch_actuals(alm_query_run *run, const alm_obs *targets, size_t count,
                              alm_status *st)
{
    alm_period_hull all = {0};
    uint32_t measures = 0;
    alm_period_expr periods;
    for (size_t i = 0; i < count; i++) {
        const alm_variant *variant = variant_of(run, &targets[i]);
        alm_period horizon = horizon_of(variant, targets[i].period);
        alm_period before;
        measures |= alm_target_measures(variant);
        take_horizon(&all, horizon);
        if (alm_period_year(horizon) == alm_period_last_year(horizon) &&
            alm_period_add_years(horizon, -1, &before, NULL) == ALM_OK) {
            take_horizon(&all, before);
        }
    }
    if (!alm_period_hull_ranges(&all, run->arena, &periods)) {
        return alm_query_run_no_memory(st);
    }
    return alm_query_run_fetch_every(run, measures, run->plan->place_ids, run->plan->places.count,
                                     &periods, st);
}

// --- one target ---------------------------------------------------------------------------------

// "At least 5" is to be reached, "at most 5" not to be passed, whichever way the indicator is
// better; 5 is what is planned.
static void take_sense(alm_target *it)
{
    it->is_ceiling = it->run->indicator->direction == ALM_DIRECTION_DOWN;
    switch (it->planned.qualifier) {
    case ALM_QUALIFIER_MORE_THAN:
    case ALM_QUALIFIER_AT_LEAST:
    case ALM_QUALIFIER_PASSED_THRESHOLD:
        it->is_ceiling = false;
        it->planned.qualifier = ALM_QUALIFIER_EXACT;
        break;
    case ALM_QUALIFIER_LESS_THAN:
    case ALM_QUALIFIER_AT_MOST:
        it->is_ceiling = true;
        it->planned.qualifier = ALM_QUALIFIER_EXACT;
        break;
    default:
        break;
    }
}

static void take_goal(alm_target *it)
{
    it->goal = alm_pace_number_of(&it->planned);
    if (alm_pace_is_over(&it->goal) && alm_pace_is_under(&it->goal)) {
        it->goal.interval = it->goal.claim;
    }
}

static alm_code begin(alm_query_run *run, const alm_obs *obs, alm_target *ret, alm_status *st)
{
    *ret = (alm_target){.run = run, .obs = obs, .variant = variant_of(run, obs)};
    ret->horizon = horizon_of(ret->variant, obs->period);
    ret->unit = obs->value.unit;
    ret->planned = obs->value;
    take_sense(ret);
    take_goal(ret);
    ALM_TRY(alm_target_choose_measure(ret, st));
    // The first place is the best, whatever is ranked.
    ret->is_ceiling = ret->is_ceiling || ret->measure == ALM_MEASURE_RANK;
    return ALM_OK;
}

// "1,765 of 15,000 套; 2021, 2022 have no value"
static alm_code describe(const alm_target *it, const alm_actual *actual, const char **ret,
                         alm_status *st)
{
    char reached[ALM_DECIMAL_TEXT_MAX];
    char planned[ALM_VALUE_TEXT_MAX];
    alm_value told = it->planned;
    told.qualifier = it->obs->value.qualifier;
    (void)alm_decimal_format(actual->value.number, ',', reached);
    (void)alm_value_format(&told, ALM_LANG_ZH, planned);
    ALM_TRY(alm_query_run_text(it->run, ret, st, "%s of %s", reached, planned));
    if (actual->missing[0] != '\0') {
        bool is_one = actual->units - actual->present == 1;
        return alm_query_run_text(it->run, ret, st, "%s; %s %s no value", *ret, actual->missing,
                                  is_one ? "has" : "have");
    }
    return ALM_OK;
}

static alm_code progress_of(const alm_target *it, const alm_actual *actual, alm_computed *computed,
                            const char **ret_reason, alm_status *st)
{
    alm_value reached = {.unit = it->unit, .has_number = true, .number = actual->value.number};
    alm_percent percent;
    alm_ratio_result result = ALM_RATIO_UNITS;
    if (!actual->value.is_bad) {
        result = alm_percent_of(&reached, &it->planned, &percent);
    }
    if (result != ALM_RATIO_OK) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING);
        *ret_reason = result == ALM_RATIO_ZERO       ? "the target is zero"
                      : result == ALM_RATIO_NEGATIVE ? "the target is negative"
                                                     : "values and target do not compare";
        return ALM_OK;
    }
    percent.interval =
        alm_interval_scale(alm_interval_div(actual->value.pace.interval, it->goal.interval), 100);
    alm_computed_percent(computed, &percent);
    return describe(it, actual, ret_reason, st);
}

static alm_code compute(const alm_target *it, alm_computed *computed, alm_actual *actual,
                        const char **ret_reason, alm_status *st)
{
    alm_obs planned = *it->obs;
    planned.value.qualifier = it->planned.qualifier;
    ALM_TRY(alm_target_reach(it, computed, actual, st));
    alm_computed_input(computed, &planned);
    bool has_planned = planned.value.has_number;
    if (has_planned && actual->units > 0) {
        return progress_of(it, actual, computed, ret_reason, st);
    }
    alm_computed_missing(computed, ALM_OBS_STATUS_MISSING_UNSPECIFIED);
    return alm_query_run_why_missing(it->run, has_planned ? NULL : it->obs,
                                     has_planned ? it->measure : ALM_MEASURE_TARGET, ALM_PLACE_NONE,
                                     it->obs->period, ret_reason, st);
}

// The figures that were reached follow while they are found.
static alm_code trace_planned(const alm_target *it, alm_status *st)
{
    alm_query_run *run = it->run;
    alm_trace_node node = {
        .kind = ALM_TRACE_COMPUTED,
        .cell = alm_trace_cell_of(alm_variant_table_get(&run->variants, it->obs->variant),
                                  it->obs->place, it->obs->period),
        .words = {alm_transform_formula(ALM_TRANSFORM_TARGET, ALM_LANG_ZH),
                  alm_transform_formula(ALM_TRANSFORM_TARGET, ALM_LANG_EN)},
    };
    ALM_TRY(alm_trace_add(run->trace, &node, st));
    run->trace->depth++;
    return alm_trace_observation(run->trace, &node.cell, it->obs, it->unit, st);
}

static alm_code answer(alm_query_run *run, const alm_obs *obs, alm_status *st)
{
    alm_target it;
    alm_actual actual;
    alm_computed computed = alm_computed_begin(ALM_UNIT_PERCENT);
    alm_answer_extra extra = {.reason = ""};
    ALM_TRY(alm_answers_add_published(&run->answers, obs, st));
    ALM_TRY(begin(run, obs, &it, st));
    if (run->trace != NULL) {
        ALM_TRY(trace_planned(&it, st));
    }
    ALM_TRY(compute(&it, &computed, &actual, &extra.reason, st));
    if (run->trace != NULL) {
        run->trace->depth = 0;
    }
    ALM_TRY(alm_target_pace(&it, &actual, &computed.value, extra.reason, &extra.pace, st));
    extra.of_count = actual.present;
    extra.of_expected = actual.units;
    return alm_computed_answer(&computed, obs->variant, obs->place, obs->period, &extra,
                               &run->answers, st);
}

// --- all of them --------------------------------------------------------------------------------

// A named indicator whose asked places have no target says so.
static alm_code answer_missing(alm_query_run *run, const uint8_t *has_target, alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    uint32_t variant;
    if (!run->is_named || plan->places.count > ALM_QUERY_MISSING_COUNT_MAX) {
        return ALM_OK;
    }
    ALM_TRY(alm_query_run_missing_variant(run, ALM_MEASURE_TARGET, ALM_FREQ_ANNUAL, &variant, st));
    for (size_t i = 0; i < plan->places.count; i++) {
        alm_place_id place = plan->places.ids[i];
        if (has_target[i]) {
            continue;
        }
        alm_obs obs = {
            .variant = variant,
            .place = place,
            .period = plan->listed_count == 1 ? plan->listed[0] : (alm_period){0},
            .value = {.unit = run->indicator->unit, .status = ALM_OBS_STATUS_MISSING_UNSPECIFIED},
            .source = ALM_SOURCE_NONE,
            .published = ALM_DATE_NONE,
        };
        alm_answer_extra extra = {.interval = alm_value_interval(&obs.value)};
        ALM_TRY(alm_query_run_text(run, &extra.reason, st, "no target of %.*s for %.*s",
                                   ALM_STR_ARGS(run->indicator->code),
                                   ALM_STR_ARGS(alm_place_tree_get(plan->tree, place)->code)));
        ALM_TRY(alm_answers_add(&run->answers, &obs, &extra, st));
    }
    return ALM_OK;
}

alm_code alm_target_run(alm_query_run *run, alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    uint8_t *has_target = alm_arena_calloc(run->arena, plan->places.count, 1);
    if (has_target == NULL) {
        return alm_query_run_no_memory(st);
    }
    alm_obs *targets = NULL;
    size_t count = 0;
    ALM_TRY(fetch_targets(run, &targets, &count, st));
    ALM_TRY(fetch_actuals(run, targets, count, st));
    for (size_t i = 0; i < count; i++) {
        has_target[alm_query_plan_place_index(plan, targets[i].place)] = 1;
        ALM_TRY(answer(run, &targets[i], st));
    }
    return answer_missing(run, has_target, st);
}
