// Roll-up over the place tree: members' values make their group's, by the indicator's aggregation.
#include "asked.h"
#include "computed.h"
#include "convert.h"
#include "rollup_sums.h"

#include <stdio.h>
#include <stdlib.h>

#define NAMED_MISSING_MAX 5
#define RATIO_EXPONENT    (-2) // of a recomputed rate, in percent or in its own unit

typedef struct rollup {
    alm_query_run *run;
    const alm_rollup_groups *groups;
    alm_rollup_sums sums;        // of the indicator, or of its numerator
    alm_rollup_sums denominator; // RECOMPUTE only
    bool is_ratio;
    alm_unit numerator_unit; // RECOMPUTE: the quotient of values in these units, times 10^power, is
    alm_unit denominator_unit; // in the indicator's unit
    int power;
    uint32_t present;   // members with a value, of the cell at hand
    uint32_t *expected; // by group, of the slice at hand
    uint32_t *answered; // by group: periods answered of the variant at hand, for "last:n"
} rollup;

// --- reading ------------------------------------------------------------------------------------

static alm_code read_members(rollup *it, alm_str indicator, const alm_period_expr *periods,
                             alm_row_visit visit, void *arg, alm_status *st)
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
    fetch.places = it->groups->ids;
    fetch.place_count = it->groups->member_count;
    fetch.periods = *periods;
    return run->reader->read(run->reader->self, &fetch, visit, arg, st);
}

typedef struct period_list {
    alm_query_run *run;
    alm_asked cells; // of which only the periods count
} period_list;

static alm_code note_period(void *arg, const alm_str *variants, size_t variant_count,
                            const alm_obs *rows, size_t row_count, alm_status *st)
{
    (void)variants;
    (void)variant_count;
    period_list *list = arg;
    alm_asked *cells = &list->cells;
    for (size_t i = 0; i < row_count; i++) {
        if (cells->count > 0 &&
            alm_period_eq(cells->cells[cells->count - 1].period, rows[i].period)) {
            continue;
        }
        void *grown = cells->cells;
        if (!alm_arena_grow(list->run->arena, &grown, &cells->cap, cells->count + 1,
                            sizeof(cells->cells[0]))) {
            return alm_query_run_no_memory(st);
        }
        cells->cells = grown;
        cells->cells[cells->count++] = (alm_asked_cell){.period = rows[i].period};
    }
    return ALM_OK;
}

// "last:n" is about the newest periods of a group. Members may lag behind one another, so first all
// periods are found that are among some member's newest, then every member is read in them.
static alm_code find_periods(rollup *it, alm_str indicator, alm_period_expr *ret, alm_status *st)
{
    *ret = it->run->plan->periods;
    if (ret->kind != ALM_PERIOD_EXPR_LAST) {
        return ALM_OK;
    }
    period_list list = {.run = it->run};
    ALM_TRY(read_members(it, indicator, &it->run->plan->periods, note_period, &list, st));
    return alm_asked_periods(&list.cells, 0, it->run->arena, ret, st);
}

// --- the rate -----------------------------------------------------------------------------------

// The units in which numerator / denominator is the indicator's value.
static alm_code plan_ratio(rollup *it, const alm_indicator *numerator,
                           const alm_indicator *denominator, alm_status *st)
{
    const alm_indicator *rate = it->run->indicator;
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
    if (!alm_unit_convertible(numerator->unit, rate->unit)) {
        char units[3][ALM_UNIT_TEXT_MAX];
        (void)alm_unit_code(numerator->unit, units[0]);
        (void)alm_unit_code(denominator->unit, units[1]);
        (void)alm_unit_code(rate->unit, units[2]);
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "%.*s cannot be recomputed: %s / %s does not make %s",
                              ALM_STR_ARGS(rate->code), units[0], units[1], units[2]);
    }
    // Per one of the denominator: yuan a person, persons a square kilometre.
    it->numerator_unit = rate->unit;
    it->denominator_unit.mult = 0;
    return ALM_OK;
}

static alm_code begin_ratio(rollup *it, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_indicator *rate = run->indicator;
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
    alm_period_expr periods;
    ALM_TRY(find_periods(it, parts[0]->code, &periods, st));
    ALM_TRY(read_members(it, parts[0]->code, &periods, alm_rollup_sums_visit, &it->sums, st));
    return read_members(it, parts[1]->code, &periods, alm_rollup_sums_visit, &it->denominator, st);
}

// The same variant of another indicator.
static alm_code of_indicator(alm_query_run *run, uint32_t variant, alm_str indicator, uint32_t *ret,
                             alm_status *st)
{
    alm_variant other = alm_variant_table_get(&run->variants, variant)->variant;
    other.indicator = indicator;
    return alm_variant_table_add(&run->variants, &other, ret, st);
}

// Every slice of the denominator gets one of the numerator, empty if need be, so that walking the
// numerator's slices meets all.
static alm_code pair_slices(rollup *it, alm_status *st)
{
    for (size_t i = 0; i < it->denominator.count; i++) {
        const alm_rollup_slice *slice = &it->denominator.slices[i];
        uint32_t variant;
        uint32_t ignored;
        ALM_TRY(of_indicator(it->run, slice->variant, it->run->indicator->numerator, &variant, st));
        ALM_TRY(alm_rollup_sums_slice(&it->sums, variant, slice->period, &ignored, st));
    }
    return ALM_OK;
}

// --- answering ----------------------------------------------------------------------------------

// "3 of 16 members have no value: 310104 徐汇区, ..."
static alm_code name_missing(rollup *it, const alm_rollup_slice *slice, uint32_t group,
                             const char *before, const char *what, const char **ret, alm_status *st)
{
    const alm_rollup_groups *groups = it->groups;
    uint32_t missing = 0;
    const char *list = "";
    for (uint32_t m = groups->first[group]; m < groups->first[group + 1]; m++) {
        if (alm_rollup_has(slice, m) || !alm_rollup_member_valid(groups, m, slice->day)) {
            continue;
        }
        if (missing++ < NAMED_MISSING_MAX) {
            const alm_place *place = alm_place_tree_get(groups->tree, groups->members[m]);
            ALM_TRY(alm_query_run_text(it->run, &list, st, "%s%s%.*s %.*s", list,
                                       list[0] == '\0' ? "" : ", ", ALM_STR_ARGS(place->code),
                                       ALM_STR_ARGS(place->name_zh)));
        }
    }
    return alm_query_run_text(it->run, ret, st, "%s%u of %u members have no %s: %s%s", before,
                              missing, it->expected[group], what, list,
                              missing > NAMED_MISSING_MAX ? ", ..." : "");
}

static void inherit(alm_computed *computed, const alm_rollup_total *total)
{
    if (total->present == 0) {
        return;
    }
    alm_obs input = {
        .value = {.status = (alm_obs_status)total->status,
                  .qualifier = total->all_exact ? ALM_QUALIFIER_EXACT : ALM_QUALIFIER_ABOUT},
        .source = total->source,
        .published = total->published,
    };
    alm_computed_input(computed, &input);
}

// Is the group whole enough to have a number? *ret_reason says what is missing.
static alm_code check_complete(rollup *it, const alm_rollup_slice *slice, uint32_t group,
                               const char *what, bool *ret, const char **ret_reason, alm_status *st)
{
    uint32_t present = slice->totals[group].present;
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
    return name_missing(it, slice, group, *ret ? "partial: " : "", what, ret_reason, st);
}

static alm_code compute_total(rollup *it, const alm_rollup_slice *slice, uint32_t group,
                              alm_computed *computed, const char **ret_reason, alm_status *st)
{
    const alm_rollup_total *total = &slice->totals[group];
    bool is_complete;
    it->present = total->present;
    inherit(computed, total);
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
                   alm_decimal_sum_value(&total->sum, &sum, NULL) == ALM_OK;
    int rounded = is_mean ? alm_rounded_side(number, sum, (alm_decimal){total->present, 0}) : 0;
    alm_computed_quotient(computed, number, rounded, interval);
    alm_computed_bound(computed, total->may_over, total->may_under);
    return ALM_OK;
}

// A rate of an incomplete group is a rate only if both sums are over the same members.
static bool same_members(const rollup *it, const alm_rollup_slice *a, const alm_rollup_slice *b,
                         uint32_t group)
{
    for (uint32_t m = it->groups->first[group]; m < it->groups->first[group + 1]; m++) {
        if (alm_rollup_has(a, m) != alm_rollup_has(b, m)) {
            return false;
        }
    }
    return true;
}

static alm_code divide(rollup *it, const alm_rollup_total *above, const alm_rollup_total *below,
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
    alm_computed_quotient(computed, number, rounded, interval);
    alm_computed_bound(computed, above->may_over && below->may_under,
                       above->may_under && below->may_over);
    return ALM_OK;
}

static alm_code compute_ratio(rollup *it, const alm_rollup_slice *slice, uint32_t group,
                              alm_computed *computed, const char **ret_reason, alm_status *st)
{
    const alm_indicator *rate = it->run->indicator;
    uint32_t variant;
    ALM_TRY(of_indicator(it->run, slice->variant, rate->denominator, &variant, st));
    uint32_t at = alm_rollup_sums_find(&it->denominator, variant, slice->period);
    if (at == ALM_CELL_NONE) {
        ALM_TRY(alm_rollup_sums_slice(&it->denominator, variant, slice->period, &at, st));
    }
    const alm_rollup_slice *below = &it->denominator.slices[at];
    it->present = ALM_MIN(slice->totals[group].present, below->totals[group].present);
    inherit(computed, &slice->totals[group]);
    inherit(computed, &below->totals[group]);
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

static alm_code answer(rollup *it, const alm_rollup_slice *slice, uint32_t variant, uint32_t group,
                       alm_status *st)
{
    alm_query_run *run = it->run;
    alm_computed computed = alm_computed_begin(run->indicator->unit);
    const char *reason;
    if (it->is_ratio) {
        ALM_TRY(compute_ratio(it, slice, group, &computed, &reason, st));
    } else {
        ALM_TRY(compute_total(it, slice, group, &computed, &reason, st));
    }
    return alm_computed_answer(&computed, variant, it->groups->places[group], slice->period, reason,
                               it->present, it->expected[group], &run->answers, st);
}

// A group is answered in every period some member of some group has a value in, unless it had no
// members then; with "last:n" in its own newest n.
static bool wants(rollup *it, const alm_rollup_slice *slice, uint32_t group)
{
    const alm_period_expr *periods = &it->run->plan->periods;
    bool is_childless = it->groups->first[group] == it->groups->first[group + 1];
    if (it->expected[group] == 0 && !is_childless) {
        return false;
    }
    if (periods->kind != ALM_PERIOD_EXPR_LAST) {
        return true;
    }
    return slice->totals[group].present > 0 && it->answered[group]++ < periods->last;
}

// Slices of one variant newest first, for "last:n".
static int by_newest(const void *a, const void *b)
{
    const alm_rollup_slice *x = a;
    const alm_rollup_slice *y = b;
    if (x->variant != y->variant) {
        return x->variant < y->variant ? -1 : 1;
    }
    return alm_period_cmp(y->period, x->period);
}

static alm_code answer_slices(rollup *it, alm_status *st)
{
    size_t groups = it->groups->count;
    size_t count = it->sums.count;
    // The order of the slices is lost to the index here; nothing is looked up in it any more.
    if (count > 0) {
        qsort(it->sums.slices, count, sizeof it->sums.slices[0], by_newest);
    }
    for (size_t i = 0; i < count; i++) {
        const alm_rollup_slice *slice = &it->sums.slices[i];
        uint32_t variant = slice->variant;
        if (i == 0 || slice->variant != it->sums.slices[i - 1].variant) {
            memset(it->answered, 0, groups * sizeof *it->answered);
        }
        if (it->is_ratio) {
            ALM_TRY(of_indicator(it->run, variant, it->run->indicator->code, &variant, st));
        }
        alm_rollup_groups_expected(it->groups, slice->day, it->expected);
        for (uint32_t g = 0; g < groups; g++) {
            if (wants(it, slice, g)) {
                ALM_TRY(answer(it, slice, variant, g, st));
            }
        }
    }
    return ALM_OK;
}

// A listed period in which no member has a value is answered all the same: with what is missing.
static alm_code add_listed(rollup *it, alm_status *st)
{
    const alm_query_plan *plan = it->run->plan;
    for (size_t t = 0; it->run->is_named && t < plan->listed_count; t++) {
        alm_period period = plan->listed[t];
        bool is_there = plan->freq != ALM_FREQ_NONE && plan->freq != period.freq;
        for (size_t i = 0; i < it->sums.count && !is_there; i++) {
            is_there = alm_period_eq(it->sums.slices[i].period, period);
        }
        if (is_there) {
            continue;
        }
        uint32_t variant;
        uint32_t ignored;
        ALM_TRY(alm_query_run_missing_variant(it->run, plan->measure, (alm_freq)period.freq,
                                              &variant, st));
        if (it->is_ratio) {
            ALM_TRY(of_indicator(it->run, variant, it->run->indicator->numerator, &variant, st));
        }
        ALM_TRY(alm_rollup_sums_slice(&it->sums, variant, period, &ignored, st));
    }
    return ALM_OK;
}

static alm_code begin(rollup *it, alm_status *st)
{
    alm_query_run *run = it->run;
    const alm_indicator *indicator = run->indicator;
    switch (indicator->over_places) {
    case ALM_AGGREGATION_SUM:
    case ALM_AGGREGATION_AVERAGE:
    case ALM_AGGREGATION_MAX:
    case ALM_AGGREGATION_MIN:
        break;
    case ALM_AGGREGATION_RECOMPUTE:
        return begin_ratio(it, st);
    case ALM_AGGREGATION_REFUSE:
    case ALM_AGGREGATION_NONE:
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "%.*s cannot be rolled up: the catalogue says that values of places "
                              "do not make their parent's (over_places is none)",
                              ALM_STR_ARGS(indicator->code));
    }
    ALM_TRY(alm_rollup_sums_init(&it->sums, run->arena, &run->variants, it->groups,
                                 indicator->over_places, indicator->unit, st));
    alm_period_expr periods;
    ALM_TRY(find_periods(it, indicator->code, &periods, st));
    return read_members(it, indicator->code, &periods, alm_rollup_sums_visit, &it->sums, st);
}

alm_code alm_rollup_run(alm_query_run *run, alm_status *st)
{
    // In the arena: the sums register themselves to be released with it.
    rollup *it = alm_arena_calloc(run->arena, 1, sizeof *it);
    if (it == NULL) {
        return alm_query_run_no_memory(st);
    }
    it->run = run;
    it->groups = run->groups;
    it->expected = alm_arena_calloc(run->arena, it->groups->count, sizeof *it->expected);
    it->answered = alm_arena_calloc(run->arena, it->groups->count, sizeof *it->answered);
    if (it->expected == NULL || it->answered == NULL) {
        return alm_query_run_no_memory(st);
    }
    ALM_TRY(begin(it, st));
    ALM_TRY(add_listed(it, st));
    if (it->is_ratio) {
        ALM_TRY(pair_slices(it, st));
    }
    return answer_slices(it, st);
}
