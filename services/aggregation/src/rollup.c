#include "rollup.h"

#include "convert.h"
#include "rollup_sums.h"

#include <stdio.h>
#include <stdlib.h>

#define RATIO_EXPONENT (-2) // of a recomputed rate, in percent or in its own unit

struct alm_rollup {
    alm_query_run *run;
    const alm_indicator *indicator;
    alm_str breakdown; // "": totals; "*": all
    const alm_rollup_groups *groups;
    alm_rollup_sums sums;        // of the indicator, or of its numerator
    alm_rollup_sums denominator; // RECOMPUTE only
    bool is_ratio;
    alm_unit numerator_unit; // RECOMPUTE: the quotient of values in these units, times 10^power, is
    alm_unit denominator_unit; // in the indicator's unit
    int power;
    uint32_t present;         // members with a value, of the cell at hand
    const uint32_t *expected; // by group, of the slice at hand
    uint32_t asked, summed;   // variants: the last that was asked, and the one its sums are of
    bool tells;               // reasons are made; else only that there is one
    alm_cells *rows;          // of the members, where they are to be explained; else NULL
};

// --- reading ------------------------------------------------------------------------------------

// Sums and averages are made of totals, where the reader has them.
static bool takes_totals(const alm_rollup *it, const alm_rollup_sums *sums)
{
    if (it->rows != NULL) {
        return false;
    }
    bool adds_up = sums->how == ALM_AGGREGATION_SUM || sums->how == ALM_AGGREGATION_AVERAGE;
    return adds_up && it->run->reader->totals != NULL &&
           it->groups->count <= ALM_TOTAL_GROUP_COUNT_MAX;
}

static alm_code read_totals(alm_rollup *it, const alm_fetch *fetch, alm_rollup_sums *sums,
                            alm_status *st)
{
    alm_query_run *run = it->run;
    alm_total_groups groups = it->groups->totals;
    const alm_read_beside *beside = run->beside;
    groups.unit = sums->unit;
    run->beside = NULL;
    return run->reader->totals(run->reader->self, fetch, &groups, alm_rollup_sums_take, sums,
                               beside, st);
}

typedef struct kept_rows {
    alm_rollup_sums *sums;
    alm_cells *rows;
} kept_rows;

static alm_code sum_and_keep(void *arg, const alm_str *variants, size_t variant_count,
                             const alm_obs_columns *rows, alm_status *st)
{
    kept_rows *it = arg;
    ALM_TRY(alm_rollup_sums_visit(it->sums, variants, variant_count, rows, st));
    return alm_cells_visit(it->rows, variants, variant_count, rows, st);
}

static alm_code read_members(alm_rollup *it, alm_str indicator, const alm_period_expr *periods,
                             alm_rollup_sums *sums, alm_status *st)
{
    alm_query_run *run = it->run;
    bool is_nothing = it->groups->member_count == 0 ||
                      (periods->kind == ALM_PERIOD_EXPR_RANGES && periods->range_count == 0);
    if (is_nothing) {
        return ALM_OK;
    }
    alm_fetch fetch = alm_query_plan_fetch(run->plan);
    fetch.indicators = &indicator;
    fetch.indicator_count = 1;
    fetch.measures = ALM_MEASURE_BIT(run->plan->measure);
    fetch.breakdown = it->breakdown;
    fetch.periods = *periods;
    if (takes_totals(it, sums)) {
        return read_totals(it, &fetch, sums, st);
    }
    fetch.places = it->groups->ids;
    fetch.place_count = it->groups->member_count;
    if (it->rows != NULL) {
        kept_rows both = {sums, it->rows};
        return run->reader->read(run->reader->self, &fetch, sum_and_keep, &both, st);
    }
    return run->reader->read(run->reader->self, &fetch, alm_rollup_sums_visit, sums, st);
}

// --- the rate -----------------------------------------------------------------------------------

// The units in which numerator / denominator is the indicator's value.
static alm_code plan_ratio(alm_rollup *it, const alm_indicator *numerator,
                           const alm_indicator *denominator, alm_status *st)
{
    const alm_indicator *rate = it->indicator;
    it->numerator_unit = numerator->unit;
    it->denominator_unit = denominator->unit;
    bool is_plain = alm_unit_convertible(numerator->unit, denominator->unit) &&
                    alm_unit_dimension(rate->unit) == ALM_DIMENSION_RATIO;
    if (is_plain) {
        it->numerator_unit = denominator->unit;
        it->power = -rate->unit.mult + (rate->unit.measure == ALM_MEASURE_UNIT_PERCENT    ? 2
                                        : rate->unit.measure == ALM_MEASURE_UNIT_PERMILLE ? 3
                                                                                          : 0);
        return ALM_OK;
    }
    alm_unit above = {.measure = rate->unit.measure, .mult = rate->unit.mult};
    alm_unit below = {.measure = rate->unit.per, .mult = rate->unit.per_mult};
    bool is_per = below.measure != ALM_MEASURE_UNIT_NONE;
    if (!alm_unit_convertible(numerator->unit, above) ||
        (is_per && !alm_unit_convertible(denominator->unit, below))) {
        char units[3][ALM_UNIT_TEXT_MAX];
        (void)alm_unit_code(numerator->unit, units[0]);
        (void)alm_unit_code(denominator->unit, units[1]);
        (void)alm_unit_code(rate->unit, units[2]);
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "%.*s cannot be recomputed: %s / %s does not make %s",
                              ALM_STR_ARGS(rate->code), units[0], units[1], units[2]);
    }
    it->numerator_unit = above;
    it->denominator_unit.mult = 0; // per one of the denominator, where the unit does not say it
    it->denominator_unit = is_per ? below : it->denominator_unit;
    return ALM_OK;
}

// Every slice of the denominator gets one of the numerator, empty if need be, so that walking the
// numerator's slices meets all.
static alm_code pair_slices(alm_rollup *it, alm_status *st)
{
    for (size_t i = 0; i < it->denominator.count; i++) {
        const alm_rollup_slice *slice = &it->denominator.slices[i];
        uint32_t variant;
        uint32_t ignored;
        ALM_TRY(alm_query_run_sibling_of(it->run, slice->variant, it->indicator->numerator,
                                         &variant, st));
        ALM_TRY(alm_rollup_sums_slice(&it->sums, variant, slice->period, &ignored, st));
    }
    return ALM_OK;
}

static alm_code begin_ratio(alm_rollup *it, const alm_period_expr *periods, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_indicator *rate = it->indicator;
    const alm_catalog *catalog = run->plan->catalog;
    alm_str codes[2] = {rate->numerator, rate->denominator};
    const alm_indicator *parts[2];
    for (size_t i = 0; i < 2; i++) {
        uint32_t id = alm_catalog_find_indicator(catalog, codes[i]);
        parts[i] = id == ALM_CATALOG_NONE ? NULL : alm_catalog_indicator(catalog, id);
        if (parts[i] == NULL || parts[i]->over_places != ALM_AGGREGATION_SUM) {
            return alm_status_set(st, ALM_FAILED_PRECONDITION,
                                  "%.*s cannot be rolled up: it is %.*s / %.*s, and %.*s does not "
                                  "add up over places",
                                  ALM_STR_ARGS(rate->code), ALM_STR_ARGS(codes[0]),
                                  ALM_STR_ARGS(codes[1]), ALM_STR_ARGS(codes[i]));
        }
    }
    it->is_ratio = true;
    ALM_TRY(plan_ratio(it, parts[0], parts[1], st));
    ALM_TRY(alm_rollup_sums_init(&it->sums, run->arena, &run->variants, it->groups,
                                 ALM_AGGREGATION_SUM, it->numerator_unit, st));
    ALM_TRY(alm_rollup_sums_init(&it->denominator, run->arena, &run->variants, it->groups,
                                 ALM_AGGREGATION_SUM, it->denominator_unit, st));
    ALM_TRY(read_members(it, parts[0]->code, periods, &it->sums, st));
    ALM_TRY(read_members(it, parts[1]->code, periods, &it->denominator, st));
    return pair_slices(it, st);
}

// --- answering ----------------------------------------------------------------------------------

// "3 of 16 members have no value: 310104 徐汇区, ..."
static alm_code name_missing(alm_rollup *it, const alm_rollup_slice *slice, uint32_t group,
                             const char *before, const char *what, const char **ret, alm_status *st)
{
    const alm_rollup_groups *groups = it->groups;
    alm_named missing = ALM_NAMED_INIT;
    uint32_t count = it->expected[group] - slice->totals[group].of.present;
    uint32_t end = groups->first[group + 1];
    for (uint32_t m = groups->first[group]; m < end && missing.count <= ALM_NAMED_MAX; m++) {
        if (m % 8 == 0 && slice->present[m / 8] == 0xff) {
            m += 7; // none of eight
        } else if (!alm_rollup_has(slice, m) && alm_rollup_member_valid(groups, m, slice->day)) {
            ALM_TRY(alm_query_run_name_place(it->run, groups->members[m], &missing, st));
        }
    }
    return alm_query_run_text(it->run, ret, st, "%s%u of %u members have no %s: %s", before, count,
                              it->expected[group], what, missing.text);
}

static void inherit(alm_computed *computed, const alm_total *total)
{
    if (total->present == 0) {
        return;
    }
    alm_obs input = {
        .value = {.status = (alm_obs_status)total->status,
                  .qualifier = total->is_inexact ? ALM_QUALIFIER_ABOUT : ALM_QUALIFIER_EXACT},
        .source = total->source,
        .published = total->published,
    };
    alm_computed_input(computed, &input);
}

// Is the group whole enough to have a number? *ret_reason says what is missing.
static alm_code check_complete(alm_rollup *it, const alm_rollup_slice *slice, uint32_t group,
                               const char *what, bool *ret, const char **ret_reason, alm_status *st)
{
    uint32_t present = slice->totals[group].of.present;
    uint32_t expected = it->expected[group];
    *ret = present > 0 && (present == expected || it->run->plan->incomplete);
    *ret_reason = "";
    if (expected == 0) {
        *ret_reason = "it has no members in this period";
        return ALM_OK;
    }
    if (present == expected) {
        return ALM_OK;
    }
    if (!it->tells) {
        *ret_reason = "incomplete";
        return ALM_OK;
    }
    return name_missing(it, slice, group, *ret ? "partial: " : "", what, ret_reason, st);
}

static alm_code compute_total(alm_rollup *it, const alm_rollup_slice *slice, uint32_t group,
                              alm_computed *computed, const char **ret_reason, alm_status *st)
{
    const alm_rollup_total *total = &slice->totals[group];
    bool is_complete;
    it->present = total->of.present;
    inherit(computed, &total->of);
    ALM_TRY(check_complete(it, slice, group, "value", &is_complete, ret_reason, st));
    if (!is_complete) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING_UNSPECIFIED);
        return ALM_OK;
    }
    alm_decimal number;
    alm_interval interval;
    if (alm_rollup_total_number(&it->sums, total, &number, &interval, NULL) != ALM_OK) {
        alm_computed_missing(computed, ALM_OBS_STATUS_MISSING);
        *ret_reason = "the sum has more than 18 digits";
        return ALM_OK;
    }
    alm_decimal sum;
    bool is_mean = it->sums.how == ALM_AGGREGATION_AVERAGE &&
                   alm_total_number(&total->of, &sum, NULL) == ALM_OK;
    int rounded = is_mean ? alm_rounded_side(number, sum, (alm_decimal){total->of.present, 0}) : 0;
    alm_computed_claim(computed, number, rounded, interval,
                       alm_rollup_total_is_over(&it->sums, total),
                       alm_rollup_total_is_under(&it->sums, total));
    return ALM_OK;
}

// A rate of an incomplete group is a rate only if both sums are over the same members.
static bool same_members(const alm_rollup *it, const alm_rollup_slice *a, const alm_rollup_slice *b,
                         uint32_t group)
{
    for (uint32_t m = it->groups->first[group]; m < it->groups->first[group + 1]; m++) {
        if (alm_rollup_has(a, m) != alm_rollup_has(b, m)) {
            return false;
        }
    }
    return true;
}

static alm_code divide(alm_rollup *it, const alm_rollup_total *above, const alm_rollup_total *below,
                       alm_computed *computed, const char **ret_reason)
{
    alm_decimal numerator, denominator, number;
    alm_interval above_interval, below_interval;
    bool is_good =
        alm_rollup_total_number(&it->sums, above, &numerator, &above_interval, NULL) == ALM_OK &&
        alm_rollup_total_number(&it->denominator, below, &denominator, &below_interval, NULL) ==
            ALM_OK;
    if (is_good && denominator.mantissa == 0) {
        *ret_reason = "the denominator is zero";
        return ALM_FAILED_PRECONDITION;
    }
    if (!is_good || alm_decimal_shift(numerator, it->power, &numerator, NULL) != ALM_OK ||
        alm_decimal_div(numerator, denominator, RATIO_EXPONENT, &number, NULL) != ALM_OK) {
        *ret_reason = "the rate has more than 18 digits";
        return ALM_OUT_OF_RANGE;
    }
    double factor = 1;
    for (int i = 0; i < abs(it->power); i++) {
        factor = it->power > 0 ? factor * 10 : factor / 10;
    }
    alm_interval interval =
        alm_interval_scale(alm_interval_div(above_interval, below_interval), factor);
    int rounded = alm_rounded_side(number, numerator, denominator);
    alm_computed_claim(computed, number, rounded, interval,
                       !above->of.is_not_over && !below->of.is_not_under,
                       !above->of.is_not_under && !below->of.is_not_over);
    return ALM_OK;
}

static alm_code compute_ratio(alm_rollup *it, const alm_rollup_slice *slice, uint32_t group,
                              alm_computed *computed, const char **ret_reason, alm_status *st)
{
    const alm_indicator *rate = it->indicator;
    uint32_t variant;
    ALM_TRY(alm_query_run_sibling_of(it->run, slice->variant, rate->denominator, &variant, st));
    uint32_t at = alm_rollup_sums_find(&it->denominator, variant, slice->period);
    if (at == ALM_CELL_NONE) {
        ALM_TRY(alm_rollup_sums_slice(&it->denominator, variant, slice->period, &at, st));
    }
    const alm_rollup_slice *below = &it->denominator.slices[at];
    it->present = ALM_MIN(slice->totals[group].of.present, below->totals[group].of.present);
    inherit(computed, &slice->totals[group].of);
    inherit(computed, &below->totals[group].of);
    char above_word[ALM_CODE_BYTES_MAX + 1];
    char below_word[ALM_CODE_BYTES_MAX + 1];
    (void)snprintf(above_word, sizeof above_word, "%.*s", ALM_STR_ARGS(rate->numerator));
    (void)snprintf(below_word, sizeof below_word, "%.*s", ALM_STR_ARGS(rate->denominator));
    bool is_complete;
    const char *reason;
    ALM_TRY(check_complete(it, slice, group, above_word, &is_complete, ret_reason, st));
    if (is_complete) {
        ALM_TRY(check_complete(it, below, group, below_word, &is_complete, &reason, st));
        *ret_reason = is_complete && (*ret_reason)[0] != '\0' ? *ret_reason : reason;
    }
    if (is_complete && !same_members(it, slice, below, group)) {
        *ret_reason = "numerator and denominator are known for different members";
        is_complete = false;
    }
    if (is_complete &&
        divide(it, &slice->totals[group], &below->totals[group], computed, ret_reason) == ALM_OK) {
        return ALM_OK;
    }
    alm_computed_missing(computed,
                         is_complete ? ALM_OBS_STATUS_MISSING : ALM_OBS_STATUS_MISSING_UNSPECIFIED);
    return ALM_OK;
}

alm_code alm_rollup_refuse(const alm_indicator *indicator, alm_status *st)
{
    return alm_status_set(st, ALM_FAILED_PRECONDITION,
                          "%.*s cannot be rolled up: the catalogue says that values of places do "
                          "not make their parent's (over_places is none)",
                          ALM_STR_ARGS(indicator->code));
}

// --- the face -----------------------------------------------------------------------------------

static alm_code begin(alm_rollup *it, const alm_period_expr *periods, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_indicator *indicator = it->indicator;
    switch (indicator->over_places) {
    case ALM_AGGREGATION_SUM:
    case ALM_AGGREGATION_AVERAGE:
    case ALM_AGGREGATION_MAX:
    case ALM_AGGREGATION_MIN:
        break;
    case ALM_AGGREGATION_RECOMPUTE:
        return begin_ratio(it, periods, st);
    case ALM_AGGREGATION_REFUSE:
    case ALM_AGGREGATION_NONE:
        return alm_rollup_refuse(indicator, st);
    }
    ALM_TRY(alm_rollup_sums_init(&it->sums, run->arena, &run->variants, it->groups,
                                 indicator->over_places, indicator->unit, st));
    return read_members(it, indicator->code, periods, &it->sums, st);
}

alm_rollup *alm_rollup_find(const alm_query_run *run, alm_str indicator, alm_str breakdown)
{
    alm_rollup *found = NULL;
    for (size_t i = 0; i < run->rollup_count; i++) {
        alm_rollup *it = run->rollups[i];
        bool has_it = alm_str_eq(it->breakdown, breakdown) ||
                      (found == NULL && alm_str_eq(it->breakdown, ALM_STR("*")));
        found = has_it && alm_str_eq(it->indicator->code, indicator) ? it : found;
    }
    return found;
}

alm_code alm_rollup_read(alm_query_run *run, const alm_indicator *indicator, alm_str breakdown,
                         const alm_period_expr *periods, alm_status *st)
{
    // In the arena: the sums register themselves to be released with it.
    alm_rollup *it = alm_arena_calloc(run->arena, 1, sizeof *it);
    void *rollups = run->rollups;
    if (alm_rollup_find(run, indicator->code, breakdown) != NULL) {
        return ALM_OK;
    }
    if (it == NULL || !alm_arena_grow(run->arena, &rollups, &run->rollup_cap, run->rollup_count + 1,
                                      sizeof(run->rollups[0]))) {
        return alm_query_run_no_memory(st);
    }
    it->run = run;
    it->indicator = indicator;
    it->breakdown = breakdown;
    it->groups = run->groups;
    it->asked = ALM_CELL_NONE;
    if (run->trace != NULL) {
        it->rows = alm_arena_alloc(run->arena, sizeof *it->rows);
        if (it->rows == NULL) {
            return alm_query_run_no_memory(st);
        }
        ALM_TRY(alm_cells_init(it->rows, run->arena, &run->variants, st));
    }
    ALM_TRY(begin(it, periods, st));
    run->rollups = rollups;
    run->rollups[run->rollup_count++] = it;
    return ALM_OK;
}

const alm_indicator *alm_rollup_indicator(const alm_rollup *it)
{
    return it->indicator;
}

size_t alm_rollup_slice_count(const alm_rollup *it)
{
    return it->sums.count;
}

alm_code alm_rollup_slice_at(alm_rollup *it, size_t i, uint32_t *ret_variant,
                             alm_period *ret_period, alm_status *st)
{
    ALM_ASSERT(i < it->sums.count);
    const alm_rollup_slice *slice = &it->sums.slices[i];
    *ret_period = slice->period;
    *ret_variant = slice->variant;
    return it->is_ratio ? alm_query_run_sibling_of(it->run, slice->variant, it->indicator->code,
                                                   ret_variant, st)
                        : ALM_OK;
}

// The variant the sums are of.
static alm_code summed_variant(alm_rollup *it, uint32_t variant, uint32_t *ret, alm_status *st)
{
    *ret = variant;
    if (!it->is_ratio) {
        return ALM_OK;
    }
    if (it->asked != variant) {
        ALM_TRY(
            alm_query_run_sibling_of(it->run, variant, it->indicator->numerator, &it->summed, st));
        it->asked = variant;
    }
    *ret = it->summed;
    return ALM_OK;
}

// How many members each group has on the slice's day.
static alm_code find_expected(alm_rollup *it, alm_rollup_slice *slice, alm_status *st)
{
    if (slice->expected == NULL) {
        uint32_t *expected = alm_arena_calloc(it->run->arena, it->groups->count, sizeof *expected);
        if (expected == NULL) {
            return alm_query_run_no_memory(st);
        }
        alm_rollup_groups_expected(it->groups, slice->day, expected);
        slice->expected = expected;
    }
    it->expected = slice->expected;
    return ALM_OK;
}

alm_code alm_rollup_expect(alm_rollup *it, uint32_t variant, alm_period period, alm_status *st)
{
    uint32_t summed;
    uint32_t ignored;
    ALM_TRY(summed_variant(it, variant, &summed, st));
    return alm_rollup_sums_slice(&it->sums, summed, period, &ignored, st);
}

alm_code alm_rollup_cell_get(alm_rollup *it, uint32_t variant, alm_period period, uint32_t group,
                             bool tells, alm_rollup_cell *ret, bool *ret_is_told, alm_status *st)
{
    uint32_t summed;
    ALM_TRY(summed_variant(it, variant, &summed, st));
    uint32_t at = alm_rollup_sums_find(&it->sums, summed, period);
    *ret_is_told = false;
    *ret = (alm_rollup_cell){.reason = ""};
    if (at == ALM_CELL_NONE) {
        return ALM_OK;
    }
    alm_rollup_slice *slice = &it->sums.slices[at];
    ALM_TRY(find_expected(it, slice, st));
    bool is_childless = it->groups->first[group] == it->groups->first[group + 1];
    if (it->expected[group] == 0 && !is_childless) {
        return ALM_OK;
    }
    *ret_is_told = true;
    it->tells = tells;
    ret->computed = alm_computed_begin(it->indicator->unit);
    ALM_TRY(it->is_ratio ? compute_ratio(it, slice, group, &ret->computed, &ret->reason, st)
                         : compute_total(it, slice, group, &ret->computed, &ret->reason, st));
    ret->present = it->present;
    ret->expected = it->expected[group];
    return ALM_OK;
}

// --- explanations -------------------------------------------------------------------------------

// A member without a row that was none on the day is left out.
static alm_code trace_members(alm_rollup *it, uint32_t variant, const alm_rollup_slice *slice,
                              uint32_t group, alm_unit unit, alm_status *st)
{
    const alm_rollup_groups *groups = it->groups;
    alm_trace *trace = it->run->trace;
    alm_trace_list list = {0};
    for (uint32_t m = groups->first[group]; m < groups->first[group + 1]; m++) {
        alm_place_id place = groups->members[m];
        alm_trace_cell cell = alm_trace_cell_of(alm_variant_table_get(&it->run->variants, variant),
                                                place, slice->period);
        alm_obs row;
        if (!alm_rollup_member_valid(groups, m, slice->day) ||
            !alm_trace_list_takes(trace, &list)) {
            continue;
        }
        ALM_TRY(alm_cells_get(it->rows, variant, place, slice->period, &row)
                    ? alm_trace_observation(trace, &cell, &row, unit, st)
                    : alm_trace_missing(trace, &cell, st));
    }
    return alm_trace_list_end(trace, &list, st);
}

// Of a rate: what is divided, and its members.
static alm_code trace_part(alm_rollup *it, const alm_rollup_sums *sums, uint32_t variant,
                           alm_period period, uint32_t group, alm_status *st)
{
    alm_trace *trace = it->run->trace;
    uint32_t at = alm_rollup_sums_find(sums, variant, period);
    if (at == ALM_CELL_NONE) {
        return ALM_OK;
    }
    const alm_rollup_slice *slice = &sums->slices[at];
    const alm_rollup_total *total = &slice->totals[group];
    if (!it->is_ratio) {
        return trace_members(it, variant, slice, group, sums->unit, st);
    }
    alm_trace_node node = {
        .kind = ALM_TRACE_COMPUTED,
        .cell = alm_trace_cell_of(alm_variant_table_get(&it->run->variants, variant),
                                  it->groups->places[group], period),
        .words = {"下级之和", "sum of the members"},
        .value = {.unit = sums->unit},
        .source = ALM_SOURCE_NONE,
        .published = ALM_DATE_NONE,
    };
    node.value.has_number =
        total->of.present > 0 &&
        alm_rollup_total_number(sums, total, &node.value.number, &node.interval, NULL) == ALM_OK;
    if (!node.value.has_number) {
        node.value.status = ALM_OBS_STATUS_MISSING_UNSPECIFIED;
        node.interval = alm_value_interval(&node.value);
    }
    ALM_TRY(alm_trace_add(trace, &node, st));
    trace->depth++;
    ALM_TRY(trace_members(it, variant, slice, group, sums->unit, st));
    trace->depth--;
    return ALM_OK;
}

alm_code alm_rollup_trace(alm_rollup *it, uint32_t variant, alm_period period, uint32_t group,
                          alm_status *st)
{
    uint32_t summed;
    uint32_t below;
    ALM_ASSERT(it->rows != NULL);
    ALM_TRY(summed_variant(it, variant, &summed, st));
    ALM_TRY(trace_part(it, &it->sums, summed, period, group, st));
    if (!it->is_ratio) {
        return ALM_OK;
    }
    ALM_TRY(alm_query_run_sibling_of(it->run, summed, it->indicator->denominator, &below, st));
    return trace_part(it, &it->denominator, below, period, group, st);
}
