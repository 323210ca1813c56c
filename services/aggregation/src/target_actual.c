#include "target_actual.h"

#include <math.h>

// --- what is asked for --------------------------------------------------------------------------

uint32_t alm_target_measures(const alm_variant *variant)
{
    alm_measure named = variant->relation.measure;
    return named != ALM_MEASURE_NONE
               ? ALM_MEASURE_BIT(named)
               : ALM_MEASURE_BIT(ALM_MEASURE_LEVEL) | ALM_MEASURE_BIT(ALM_MEASURE_COUNT_OF_CHANGE);
}

static alm_pace_kind kind_of(const alm_indicator *indicator, alm_measure measure)
{
    bool adds_up = indicator->value_type != ALM_VALUE_TYPE_RATE &&
                   (indicator->over_time == ALM_AGGREGATION_SUM ||
                    indicator->value_type == ALM_VALUE_TYPE_FLOW);
    switch (measure) {
    case ALM_MEASURE_LEVEL:
        return adds_up ? ALM_PACE_AMOUNT : ALM_PACE_STATE;
    case ALM_MEASURE_COUNT_OF_CHANGE:
        return ALM_PACE_AMOUNT;
    case ALM_MEASURE_GROWTH_YOY:
    case ALM_MEASURE_GROWTH_POP:
    case ALM_MEASURE_GROWTH_AVG:
    case ALM_MEASURE_GROWTH_CUMULATIVE:
    case ALM_MEASURE_PP_CHANGE:
    case ALM_MEASURE_CONTRIBUTION_PP:
    case ALM_MEASURE_CONTRIBUTION_SHARE:
    case ALM_MEASURE_RANK:
        return ALM_PACE_RATE;
    default:
        return ALM_PACE_STATE;
    }
}

static alm_code use_measure(alm_target *it, alm_measure measure, alm_status *st)
{
    alm_variant variant = *it->variant;
    it->measure = measure;
    it->kind = kind_of(it->run->indicator, measure);
    variant.measure = measure;
    variant.relation.measure = ALM_MEASURE_NONE;
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_DAY; freq++) {
        for (int i = ALM_ACCUMULATION_PERIOD; i <= ALM_ACCUMULATION_CUMULATIVE; i++) {
            variant.freq = freq;
            variant.accumulation = (alm_accumulation)i;
            ALM_TRY(
                alm_variant_table_add(&it->run->variants, &variant, &it->variants.of[freq][i], st));
        }
    }
    return ALM_OK;
}

// --- what was reached ---------------------------------------------------------------------------

static alm_code tell_inputs(const alm_target *it, const alm_target_rows *rows,
                            alm_computed *computed, alm_status *st)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        alm_period period = rows->first;
        period.ordinal += (int32_t)i;
        alm_obs row;
        if (!alm_target_row(it, rows->variant, period, &row)) {
            continue;
        }
        alm_computed_input(computed, &row);
        if (it->run->trace != NULL) {
            alm_trace_cell cell = alm_trace_cell_of(
                alm_variant_table_get(&it->run->variants, rows->variant), row.place, row.period);
            ALM_TRY(alm_trace_observation(it->run->trace, &cell, &row, it->unit, st));
        }
    }
    return ALM_OK;
}

static uint32_t unit_count(const alm_target *it)
{
    return alm_period_eq(it->horizon, it->obs->period) ? it->horizon.length : 1;
}

// A cumulative target is one whole.
static alm_period unit_at(const alm_target *it, uint32_t i)
{
    return unit_count(it) == 1 ? it->horizon : alm_period_unit(it->horizon, i);
}

static alm_target_rows find_in(const alm_target *it, alm_period unit)
{
    return it->kind == ALM_PACE_AMOUNT ? alm_target_find_amount(it, unit, ALM_DATE_MAX)
                                       : alm_target_find_newest(it, unit);
}

static void take_time(const alm_target *it, alm_actual *actual)
{
    alm_period run;
    bool is_good = alm_target_periods(it->horizon, (alm_freq)actual->until.freq, &run);
    ALM_ASSERT(is_good);
    actual->elapsed = (uint32_t)(actual->until.ordinal - run.ordinal) + 1;
    actual->periods = run.length;
}

static alm_code take_missing(const alm_target *it, alm_period unit, alm_actual *actual,
                             alm_status *st)
{
    char label[ALM_PERIOD_TEXT_MAX];
    (void)alm_period_format(unit, label);
    return alm_query_run_text(it->run, &actual->missing, st, "%s%s%s", actual->missing,
                              actual->missing[0] == '\0' ? "" : ", ", label);
}

// A unit that is not the newest counts in whole or not at all.
static alm_code add_units(const alm_target *it, const alm_target_rows *rows, alm_computed *computed,
                          alm_actual *actual, alm_status *st)
{
    alm_decimal_sum sum = {0};
    for (uint32_t i = 0; i < actual->units; i++) {
        bool is_newest = i + 1 == actual->units;
        bool is_whole = alm_target_rows_end(&rows[i]) == alm_period_last_day(unit_at(it, i));
        if (!is_newest && !is_whole) {
            ALM_TRY(take_missing(it, unit_at(it, i), actual, st));
            continue;
        }
        ALM_TRY(tell_inputs(it, &rows[i], computed, st));
        alm_target_add(it, &rows[i], &sum, &actual->value);
        actual->present += actual->value.is_bad ? 0 : 1;
    }
    return ALM_OK;
}

// Periods without a value can only add to what was reached.
static void open_above(alm_actual *actual, alm_computed *computed)
{
    actual->value.pace.claim.upper = INFINITY;
    actual->value.pace.interval.upper = INFINITY;
    computed->all_exact = false;
}

alm_code alm_target_reach(const alm_target *it, alm_computed *computed, alm_actual *ret,
                          alm_status *st)
{
    uint32_t count = unit_count(it);
    alm_target_rows *rows = alm_arena_calloc(it->run->arena, count, sizeof *rows);
    if (rows == NULL) {
        return alm_query_run_no_memory(st);
    }
    *ret = (alm_actual){.missing = ""};
    uint32_t told = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = find_in(it, unit_at(it, i));
        ret->units = rows[i].count > 0 ? i + 1 : ret->units;
        told += rows[i].count > 0;
    }
    if (ret->units == 0) {
        return ALM_OK;
    }
    const alm_target_rows *newest = &rows[ret->units - 1];
    ret->until = alm_target_rows_last(newest);
    take_time(it, ret);
    if (it->kind == ALM_PACE_AMOUNT) {
        ALM_TRY(add_units(it, rows, computed, ret, st));
    } else {
        ALM_TRY(tell_inputs(it, newest, computed, st));
        ret->value = alm_target_value_of(it, newest);
        ret->present = ret->value.is_bad ? told - 1 : told;
    }
    ret->value.pace.has = ret->value.pace.has && !ret->value.is_bad;
    if (ret->missing[0] != '\0') {
        open_above(ret, computed);
    }
    return ALM_OK;
}

alm_code alm_target_choose_measure(alm_target *it, alm_status *st)
{
    alm_measure named = it->variant->relation.measure;
    ALM_TRY(use_measure(it, named == ALM_MEASURE_NONE ? ALM_MEASURE_LEVEL : named, st));
    if (named != ALM_MEASURE_NONE) {
        return ALM_OK;
    }
    for (int i = 0; i < 2; i++) {
        ALM_TRY(use_measure(it, i == 0 ? ALM_MEASURE_LEVEL : ALM_MEASURE_COUNT_OF_CHANGE, st));
        for (uint32_t k = 0; k < unit_count(it); k++) {
            if (find_in(it, unit_at(it, k)).count > 0) {
                return ALM_OK;
            }
        }
    }
    return use_measure(it, ALM_MEASURE_LEVEL, st);
}

// --- before the horizon -------------------------------------------------------------------------

alm_target_value alm_target_base(const alm_target *it)
{
    alm_period run, before;
    alm_target_rows none = {0};
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_DAY; freq++) {
        if (!alm_target_periods(it->horizon, freq, &run) ||
            alm_period_add(alm_period_unit(run, 0), -1, &before, NULL) != ALM_OK) {
            continue;
        }
        for (int i = ALM_ACCUMULATION_PERIOD; i <= ALM_ACCUMULATION_CUMULATIVE; i++) {
            alm_target_rows rows = {it->variants.of[freq][i], before, 1};
            if (alm_target_may_tell(it, it->horizon, freq, (alm_accumulation)i) &&
                alm_target_has_row(it, rows.variant, before)) {
                return alm_target_value_of(it, &rows);
            }
        }
    }
    return alm_target_value_of(it, &none);
}

bool alm_target_is_of_a_year(const alm_target *it)
{
    return alm_period_year(it->horizon) == alm_period_last_year(it->horizon);
}

void alm_target_year_before(const alm_target *it, alm_period until, alm_target_value *ret_part,
                            alm_target_value *ret_whole)
{
    alm_period whole, last;
    *ret_part = *ret_whole = (alm_target_value){0};
    if (!alm_target_is_of_a_year(it) ||
        alm_period_add_years(it->horizon, -1, &whole, NULL) != ALM_OK ||
        alm_period_add_years(until, -1, &last, NULL) != ALM_OK) {
        return;
    }
    alm_date until_day = alm_period_last_day(last);
    alm_target_rows rows = alm_target_find_amount(it, whole, until_day);
    if (alm_target_rows_end(&rows) == until_day) {
        *ret_part = alm_target_value_of(it, &rows);
    }
    rows = alm_target_find_amount(it, whole, ALM_DATE_MAX);
    if (alm_target_rows_end(&rows) == alm_period_last_day(whole)) {
        *ret_whole = alm_target_value_of(it, &rows);
    }
}
