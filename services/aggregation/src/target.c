// Progress against stored targets: what was reached in the target's horizon over what was planned.
#include "computed.h"
#include "convert.h"
#include "query_run.h"

#include <math.h>
#include <stdlib.h>

typedef struct target {
    alm_query_run *run;
    const alm_obs *obs;
    const alm_variant *variant;
    alm_measure measure; // of the actual values
    bool is_sum;         // they add up over the horizon; else the newest counts
} target;

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
    const alm_obs *x = *(const alm_obs *const *)a;
    const alm_obs *y = *(const alm_obs *const *)b;
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
static alm_code choose_targets(alm_query_run *run, const alm_obs ***ret, size_t *ret_count,
                               alm_status *st)
{
    const alm_query_plan *plan = run->plan;
    bool is_last = plan->periods.kind == ALM_PERIOD_EXPR_LAST;
    size_t count = 0;
    const alm_obs **rows = alm_arena_calloc(run->arena, run->cells.count, sizeof *rows);
    if (rows == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t i = 0; i < run->cells.count; i++) {
        const alm_obs *row = alm_cells_row(&run->cells, i);
        if (!is_last || !alm_obs_status_missing(row->value.status)) {
            rows[count++] = row;
        }
    }
    if (count > 0) {
        qsort(rows, count, sizeof *rows, by_newest);
    }
    size_t kept = 0;
    uint32_t nth = 0;
    const alm_obs *before = NULL;
    for (size_t i = 0; i < count; i++) {
        nth = before != NULL && is_next_of(rows[i], before) ? nth + 1 : 1;
        before = rows[i];
        bool is_new_enough = !is_last || nth <= plan->periods.last;
        if (is_new_enough && is_asked(plan, rows[i]->period)) {
            rows[kept++] = rows[i];
        }
    }
    *ret = rows;
    *ret_count = kept;
    return ALM_OK;
}

// Horizons have lengths of their own, which no range of ordinary periods matches: all are read.
static alm_code fetch_targets(alm_query_run *run, const alm_obs ***ret, size_t *ret_count,
                              alm_status *st)
{
    alm_period_expr all = {.kind = ALM_PERIOD_EXPR_ALL};
    ALM_TRY(alm_query_run_fetch(run, ALM_MEASURE_BIT(ALM_MEASURE_TARGET), run->plan->place_ids,
                                run->plan->places.count, &all, st));
    return choose_targets(run, ret, ret_count, st);
}

// Which measures the actual values of a target may be: the one its relation names, else levels and
// what was new.
static uint32_t actual_measures(const alm_variant *variant)
{
    alm_measure named = variant->relation.measure;
    return named != ALM_MEASURE_NONE
               ? ALM_MEASURE_BIT(named)
               : ALM_MEASURE_BIT(ALM_MEASURE_LEVEL) | ALM_MEASURE_BIT(ALM_MEASURE_COUNT_OF_CHANGE);
}

static int by_period(const void *a, const void *b)
{
    return alm_period_cmp(*(const alm_period *)a, *(const alm_period *)b);
}

static bool follows(alm_period last, alm_period next)
{
    alm_period after;
    return alm_period_add(last, 1, &after, NULL) == ALM_OK && alm_period_eq(after, next);
}

static alm_code merge(const alm_period *periods, size_t count, alm_arena *arena,
                      alm_period_expr *ret, alm_status *st)
{
    *ret = (alm_period_expr){.kind = ALM_PERIOD_EXPR_RANGES};
    ret->ranges = alm_arena_calloc(arena, count, sizeof *ret->ranges);
    if (ret->ranges == NULL) {
        return alm_query_run_no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        alm_period_range *last = ret->range_count > 0 ? &ret->ranges[ret->range_count - 1] : NULL;
        if (last != NULL && alm_period_eq(last->to, periods[i])) {
            continue;
        }
        if (last != NULL && follows(last->to, periods[i])) {
            last->to = periods[i];
        } else {
            ret->ranges[ret->range_count++] = (alm_period_range){periods[i], periods[i]};
        }
    }
    return ALM_OK;
}

// The single periods of all horizons, as few ranges as they make.
static alm_code horizon_units(alm_query_run *run, const alm_obs *const *targets, size_t count,
                              uint32_t *ret_measures, alm_period_expr *ret, alm_status *st)
{
    alm_period *periods = NULL;
    size_t period_count = 0;
    size_t cap = 0;
    *ret_measures = 0;
    for (size_t i = 0; i < count; i++) {
        const alm_obs *obs = targets[i];
        *ret_measures |=
            actual_measures(&alm_variant_table_get(&run->variants, obs->variant)->variant);
        void *grown = periods;
        if (!alm_arena_grow(run->arena, &grown, &cap, period_count + obs->period.length,
                            sizeof *periods)) {
            return alm_query_run_no_memory(st);
        }
        periods = grown;
        for (uint32_t k = 0; k < obs->period.length; k++) {
            periods[period_count++] = alm_period_unit(obs->period, k);
        }
    }
    if (period_count > 0) {
        qsort(periods, period_count, sizeof *periods, by_period);
    }
    return merge(periods, period_count, run->arena, ret, st);
}

static alm_code actual_variant(const target *it, alm_measure measure, uint32_t *ret, alm_status *st)
{
    return alm_variant_table_sibling(&it->run->variants, it->obs->variant, measure, NULL, ret, st);
}

static const alm_obs *actual_of(const target *it, uint32_t variant, uint32_t unit)
{
    return alm_cells_find(&it->run->cells, variant, it->obs->place,
                          alm_period_unit(it->obs->period, unit));
}

static bool has_actual(const target *it, uint32_t variant)
{
    for (uint32_t k = 0; k < it->obs->period.length; k++) {
        const alm_obs *row = actual_of(it, variant, k);
        if (row != NULL && row->value.has_number) {
            return true;
        }
    }
    return false;
}

static alm_code choose_measure(target *it, uint32_t *ret_variant, alm_status *st)
{
    it->measure = it->variant->relation.measure;
    if (it->measure == ALM_MEASURE_NONE) {
        it->measure = ALM_MEASURE_LEVEL;
        ALM_TRY(actual_variant(it, ALM_MEASURE_LEVEL, ret_variant, st));
        if (!has_actual(it, *ret_variant)) {
            uint32_t change;
            ALM_TRY(actual_variant(it, ALM_MEASURE_COUNT_OF_CHANGE, &change, st));
            it->measure = has_actual(it, change) ? ALM_MEASURE_COUNT_OF_CHANGE : ALM_MEASURE_LEVEL;
        }
    }
    it->is_sum =
        it->measure == ALM_MEASURE_COUNT_OF_CHANGE ||
        (it->measure == ALM_MEASURE_LEVEL && it->run->indicator->over_time == ALM_AGGREGATION_SUM);
    return actual_variant(it, it->measure, ret_variant, st);
}

typedef struct progress {
    alm_decimal_sum sum;   // in the target's unit
    alm_interval interval; // of the sum, or of the newest value
    alm_decimal newest;
    uint32_t present;
    uint32_t elapsed;    // units of the horizon up to the newest with a value
    const char *missing; // "2021, 2022"
    bool is_bad;         // a value does not convert or the sum does not fit
} progress;

static alm_code take_missing(const target *it, uint32_t unit, progress *p, alm_status *st)
{
    char label[ALM_PERIOD_TEXT_MAX];
    (void)alm_period_format(alm_period_unit(it->obs->period, unit), label);
    return alm_query_run_text(it->run, &p->missing, st, "%s%s%s", p->missing,
                              p->missing[0] == '\0' ? "" : ", ", label);
}

static void take_actual(const target *it, const alm_obs *row, progress *p)
{
    alm_unit unit = it->obs->value.unit;
    alm_decimal number;
    if (!alm_unit_convertible(row->value.unit, unit) ||
        alm_number_in_unit(&row->value, unit, &number, NULL) != ALM_OK ||
        alm_decimal_sum_add(&p->sum, number, NULL) != ALM_OK) {
        p->is_bad = true;
        return;
    }
    alm_interval interval = alm_interval_in_unit(&row->value, unit);
    p->interval = it->is_sum ? alm_interval_add(p->interval, interval) : interval;
    p->newest = number;
    p->present++;
}

static alm_code gather(const target *it, uint32_t variant, progress *p, alm_computed *computed,
                       alm_status *st)
{
    *p = (progress){.missing = ""};
    for (uint32_t k = 0; k < it->obs->period.length; k++) {
        const alm_obs *row = actual_of(it, variant, k);
        if (row != NULL && row->value.has_number) {
            p->elapsed = k + 1;
        }
    }
    const alm_obs *newest = NULL;
    for (uint32_t k = 0; k < p->elapsed; k++) {
        const alm_obs *row = actual_of(it, variant, k);
        if (row == NULL || !row->value.has_number) {
            ALM_TRY(take_missing(it, k, p, st));
            continue;
        }
        newest = row;
        if (it->is_sum) {
            alm_computed_input(computed, row);
        }
        take_actual(it, row, p);
    }
    if (!it->is_sum && newest != NULL) {
        alm_computed_input(computed, newest);
    }
    return ALM_OK;
}

// "1,765 of 15,000 套; 2021, 2022 have no value"
static alm_code describe(const target *it, const alm_value *actual, const progress *p,
                         const char **ret, alm_status *st)
{
    char reached[ALM_DECIMAL_TEXT_MAX];
    char planned[ALM_VALUE_TEXT_MAX];
    (void)alm_decimal_format(actual->number, ',', reached);
    (void)alm_value_format(&it->obs->value, ALM_LANG_ZH, planned);
    ALM_TRY(alm_query_run_text(it->run, ret, st, "%s of %s", reached, planned));
    // Of a state only the newest value counts; earlier gaps do not matter.
    if (it->is_sum && p->missing[0] != '\0') {
        bool is_one = p->elapsed - p->present == 1;
        return alm_query_run_text(it->run, ret, st, "%s; %s %s no value", *ret, p->missing,
                                  is_one ? "has" : "have");
    }
    return ALM_OK;
}

// What was reached, as a value in the target's unit. False: it does not fit.
static bool actual_value(const target *it, const progress *p, alm_value *ret)
{
    *ret = (alm_value){.unit = it->obs->value.unit, .has_number = true, .number = p->newest};
    return !p->is_bad &&
           (!it->is_sum || alm_decimal_sum_value(&p->sum, &ret->number, NULL) == ALM_OK);
}

static alm_code compute(target *it, alm_computed *computed, progress *p, const char **ret_reason,
                        alm_status *st)
{
    const alm_value *planned = &it->obs->value;
    uint32_t variant;
    ALM_TRY(choose_measure(it, &variant, st));
    ALM_TRY(gather(it, variant, p, computed, st));
    alm_computed_input(computed, it->obs);
    if (!planned->has_number) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING_UNSPECIFIED);
        return alm_query_run_why_missing(it->run, it->obs, ALM_MEASURE_TARGET, ALM_PLACE_NONE,
                                         it->obs->period, ret_reason, st);
    }
    if (p->present == 0 && !p->is_bad) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING_UNSPECIFIED);
        bool is_open = it->variant->relation.measure == ALM_MEASURE_NONE;
        return alm_query_run_why_missing(it->run, NULL, is_open ? ALM_MEASURE_LEVEL : it->measure,
                                         ALM_PLACE_NONE, it->obs->period, ret_reason, st);
    }
    alm_value actual;
    alm_percent percent;
    alm_ratio_result result = ALM_RATIO_UNITS;
    if (actual_value(it, p, &actual)) {
        result = alm_percent_of(&actual, planned, &percent);
    }
    if (result != ALM_RATIO_OK) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING);
        *ret_reason = result == ALM_RATIO_ZERO       ? "the target is zero"
                      : result == ALM_RATIO_NEGATIVE ? "the target is negative"
                                                     : "values and target do not compare";
        return ALM_OK;
    }
    alm_interval interval = p->interval;
    if (it->is_sum && p->present < p->elapsed) {
        // Periods without a value can only add to what was reached.
        interval.upper = INFINITY;
        computed->all_exact = false;
    }
    percent.interval =
        alm_interval_scale(alm_interval_div(interval, alm_value_interval(planned)), 100);
    alm_computed_percent(computed, &percent);
    return describe(it, &actual, p, ret_reason, st);
}

static alm_code answer(alm_query_run *run, const alm_obs *obs, alm_status *st)
{
    target it = {
        .run = run,
        .obs = obs,
        .variant = &alm_variant_table_get(&run->variants, obs->variant)->variant,
    };
    alm_computed computed = alm_computed_begin(ALM_UNIT_PERCENT);
    progress p;
    const char *reason = "";
    ALM_TRY(alm_answers_add_published(&run->answers, obs, st));
    ALM_TRY(compute(&it, &computed, &p, &reason, st));
    return alm_computed_answer(&computed, obs->variant, obs->place, obs->period, reason, p.present,
                               p.elapsed, &run->answers, st);
}

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
    const alm_obs **targets = NULL;
    size_t count = 0;
    uint32_t measures;
    alm_period_expr units;
    ALM_TRY(fetch_targets(run, &targets, &count, st));
    ALM_TRY(horizon_units(run, targets, count, &measures, &units, st));
    ALM_TRY(alm_query_run_fetch(run, measures, plan->place_ids, plan->places.count, &units, st));
    for (size_t i = 0; i < count; i++) {
        has_target[alm_query_plan_place_index(plan, targets[i]->place)] = 1;
        ALM_TRY(answer(run, targets[i], st));
    }
    return answer_missing(run, has_target, st);
}
