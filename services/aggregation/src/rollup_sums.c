#include "rollup_sums.h"

#include "alm/limits.h"
#include "convert.h"

#include <math.h>

#define AVERAGE_EXTRA_DIGITS 2

alm_code alm_rollup_sums_init(alm_rollup_sums *sums, alm_arena *arena, alm_variant_table *variants,
                              const alm_rollup_groups *groups, alm_aggregation how, alm_unit unit,
                              alm_status *st)
{
    ALM_ASSERT(how == ALM_AGGREGATION_SUM || how == ALM_AGGREGATION_AVERAGE ||
               how == ALM_AGGREGATION_MAX || how == ALM_AGGREGATION_MIN);
    *sums = (alm_rollup_sums){
        .arena = arena,
        .variants = variants,
        .groups = groups,
        .how = how,
        .unit = unit,
        .last = ALM_CELL_NONE,
    };
    return alm_cell_index_init(&sums->index, arena, st);
}

static alm_code no_memory(const alm_rollup_sums *sums, alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "out of memory for %zu groups in %zu periods; ask for fewer",
                          sums->groups->count, sums->count + 1);
}

static alm_code make_slice(alm_rollup_sums *sums, uint32_t variant, alm_period period,
                           alm_status *st)
{
    size_t groups = sums->groups->count;
    if ((sums->count + 1) * groups > ALM_QUERY_CELL_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "the roll-up has %zu groups in more than %zu periods; the limit is "
                              "%d cells",
                              groups, sums->count, ALM_QUERY_CELL_COUNT_MAX);
    }
    void *slices = sums->slices;
    size_t bitmap_bytes = (sums->groups->member_count + 7) / 8;
    alm_rollup_slice slice = {
        .variant = variant,
        .period = period,
        .day = alm_period_last_day(period),
        .totals = alm_arena_calloc(sums->arena, groups, sizeof *slice.totals),
        .present = alm_arena_calloc(sums->arena, bitmap_bytes, 1),
    };
    if (slice.totals == NULL || slice.present == NULL ||
        !alm_arena_grow(sums->arena, &slices, &sums->cap, sums->count + 1, sizeof slice)) {
        return no_memory(sums, st);
    }
    for (size_t g = 0; g < groups; g++) {
        slice.totals[g].all_exact = true;
        slice.totals[g].may_over = true;
        slice.totals[g].may_under = true;
        slice.totals[g].source = ALM_SOURCE_NONE;
        slice.totals[g].published = ALM_DATE_NONE;
    }
    sums->slices = slices;
    sums->slices[sums->count++] = slice;
    return ALM_OK;
}

alm_code alm_rollup_sums_slice(alm_rollup_sums *sums, uint32_t variant, alm_period period,
                               uint32_t *ret, alm_status *st)
{
    uint32_t fresh = (uint32_t)sums->count;
    ALM_TRY(alm_cell_index_add(&sums->index, variant, alm_period_pack(period), fresh, ret, st));
    return *ret == fresh ? make_slice(sums, variant, period, st) : ALM_OK;
}

uint32_t alm_rollup_sums_find(const alm_rollup_sums *sums, uint32_t variant, alm_period period)
{
    return alm_cell_index_find(&sums->index, variant, alm_period_pack(period));
}

// Rows come slice by slice, so the slice of the row before is nearly always the right one.
static alm_code slice_of(alm_rollup_sums *sums, uint32_t variant, alm_period period,
                         alm_rollup_slice **ret, alm_status *st)
{
    if (sums->last != ALM_CELL_NONE) {
        alm_rollup_slice *last = &sums->slices[sums->last];
        if (last->variant == variant && alm_period_eq(last->period, period)) {
            *ret = last;
            return ALM_OK;
        }
    }
    ALM_TRY(alm_rollup_sums_slice(sums, variant, period, &sums->last, st));
    *ret = &sums->slices[sums->last];
    return ALM_OK;
}

static bool is_over(alm_qualifier qualifier)
{
    return qualifier == ALM_QUALIFIER_EXACT || qualifier == ALM_QUALIFIER_MORE_THAN ||
           qualifier == ALM_QUALIFIER_AT_LEAST || qualifier == ALM_QUALIFIER_PASSED_THRESHOLD;
}

static bool is_under(alm_qualifier qualifier)
{
    return qualifier == ALM_QUALIFIER_EXACT || qualifier == ALM_QUALIFIER_LESS_THAN ||
           qualifier == ALM_QUALIFIER_AT_MOST;
}

// The highest may be more than its number only through a value that is no upper end and reaches
// above it: beside exactly 90, about 40 does not matter.
static void take_max(alm_rollup_total *total, alm_decimal number, alm_interval interval,
                     alm_qualifier qualifier)
{
    bool is_first = total->present == 0;
    int order = is_first ? 1 : alm_decimal_cmp(number, total->extreme);
    total->may_over =
        order > 0 ? is_over(qualifier) : total->may_over || (order == 0 && is_over(qualifier));
    total->extreme = order > 0 ? number : total->extreme;
    double loose = is_under(qualifier) ? -INFINITY : interval.upper;
    total->loose = is_first ? loose : fmax(total->loose, loose);
    alm_interval old = is_first ? interval : total->interval;
    total->interval =
        (alm_interval){fmax(old.lower, interval.lower), fmax(old.upper, interval.upper)};
}

static void take_min(alm_rollup_total *total, alm_decimal number, alm_interval interval,
                     alm_qualifier qualifier)
{
    bool is_first = total->present == 0;
    int order = is_first ? -1 : alm_decimal_cmp(number, total->extreme);
    total->may_under =
        order < 0 ? is_under(qualifier) : total->may_under || (order == 0 && is_under(qualifier));
    total->extreme = order < 0 ? number : total->extreme;
    double loose = is_over(qualifier) ? INFINITY : interval.lower;
    total->loose = is_first ? loose : fmin(total->loose, loose);
    alm_interval old = is_first ? interval : total->interval;
    total->interval =
        (alm_interval){fmin(old.lower, interval.lower), fmin(old.upper, interval.upper)};
}

// Ends are rounded to doubles, and scaled.
static double slack_of(const alm_rollup_total *total)
{
    return fabs(alm_decimal_to_double(total->extreme)) * 1e-12;
}

bool alm_rollup_total_is_over(const alm_rollup_sums *sums, const alm_rollup_total *total)
{
    double number = alm_decimal_to_double(total->extreme);
    return sums->how == ALM_AGGREGATION_MIN ? total->loose >= number - slack_of(total)
                                            : total->may_over;
}

bool alm_rollup_total_is_under(const alm_rollup_sums *sums, const alm_rollup_total *total)
{
    double number = alm_decimal_to_double(total->extreme);
    return sums->how == ALM_AGGREGATION_MAX ? total->loose <= number + slack_of(total)
                                            : total->may_under;
}

// "Over 100" and "about 200" are not over 300: a bound of the sum needs bounds of all its parts.
static void take_sum(alm_rollup_total *total, alm_decimal number, alm_interval interval,
                     alm_qualifier qualifier)
{
    total->is_too_large |= alm_decimal_sum_add(&total->sum, number, NULL) != ALM_OK;
    total->interval = alm_interval_add(total->interval, interval);
    total->may_over &= is_over(qualifier);
    total->may_under &= is_under(qualifier);
}

static void take_number(const alm_rollup_sums *sums, alm_rollup_total *total, const alm_obs *row,
                        alm_decimal number)
{
    alm_interval interval = alm_interval_in_unit(&row->value, sums->unit);
    alm_qualifier qualifier = row->value.qualifier;
    switch (sums->how) {
    case ALM_AGGREGATION_MAX:
        take_max(total, number, interval, qualifier);
        break;
    case ALM_AGGREGATION_MIN:
        take_min(total, number, interval, qualifier);
        break;
    default:
        take_sum(total, number, interval, qualifier);
        break;
    }
    total->status = (uint8_t)alm_obs_status_worst((alm_obs_status)total->status, row->value.status);
    total->all_exact &= qualifier == ALM_QUALIFIER_EXACT;
    if (total->present == 0 || row->published > total->published) {
        total->published = row->published;
        total->source = row->source;
    }
    total->present++;
}

// A member without a number, or with a unit that is not the indicator's, is a missing member.
static bool number_of(const alm_rollup_sums *sums, const alm_obs *row, alm_decimal *ret)
{
    if (!row->value.has_number) {
        return false;
    }
    if (alm_unit_eq(row->value.unit, sums->unit)) {
        *ret = row->value.number;
        return true;
    }
    return alm_unit_convertible(row->value.unit, sums->unit) &&
           alm_number_in_unit(&row->value, sums->unit, ret, NULL) == ALM_OK;
}

static alm_code take_row(alm_rollup_sums *sums, const alm_obs *row, uint32_t variant,
                         alm_status *st)
{
    const alm_rollup_groups *groups = sums->groups;
    uint32_t member = groups->member_of[row->place];
    if (member == 0) {
        return ALM_OK;
    }
    member--;
    alm_rollup_slice *slice;
    alm_decimal number;
    ALM_TRY(slice_of(sums, variant, row->period, &slice, st));
    if (alm_rollup_has(slice, member)) {
        return alm_status_set(
            st, ALM_INTERNAL, "storage answered a cell of %.*s twice",
            ALM_STR_ARGS(alm_place_tree_get(groups->tree, groups->members[member])->code));
    }
    // A place that had ended by then, or not begun, is no member: its successor is.
    bool was_there =
        !groups->is_bounded[member] || alm_rollup_member_valid(groups, member, slice->day);
    if (!was_there || !number_of(sums, row, &number)) {
        return ALM_OK;
    }
    slice->present[member / 8] |= (uint8_t)(1 << (member % 8));
    take_number(sums, &slice->totals[groups->group_of[member]], row, number);
    return ALM_OK;
}

alm_code alm_rollup_sums_visit(void *arg, const alm_str *variants, size_t variant_count,
                               const alm_obs_columns *rows, alm_status *st)
{
    alm_rollup_sums *sums = arg;
    uint32_t *map;
    ALM_TRY(alm_variant_table_map(sums->variants, variants, variant_count, &map, st));
    for (size_t i = 0; i < rows->count; i++) {
        alm_obs row = alm_obs_at(rows, i);
        ALM_ASSERT(row.variant < variant_count);
        ALM_TRY(take_row(sums, &row, map[row.variant], st));
    }
    return ALM_OK;
}

alm_code alm_rollup_total_number(const alm_rollup_sums *sums, const alm_rollup_total *total,
                                 alm_decimal *ret, alm_interval *ret_interval, alm_status *st)
{
    ALM_ASSERT(total->present > 0);
    *ret_interval = total->interval;
    if (sums->how == ALM_AGGREGATION_MAX || sums->how == ALM_AGGREGATION_MIN) {
        *ret = total->extreme;
        return ALM_OK;
    }
    if (total->is_too_large) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "the sum has more than 18 digits");
    }
    ALM_TRY(alm_decimal_sum_value(&total->sum, ret, st));
    if (sums->how == ALM_AGGREGATION_SUM) {
        return ALM_OK;
    }
    int exponent = ALM_MAX(ret->exponent - AVERAGE_EXTRA_DIGITS, ALM_DECIMAL_EXPONENT_MIN);
    *ret_interval = alm_interval_scale(total->interval, 1.0 / total->present);
    return alm_decimal_scale(*ret, 1, total->present, exponent, ret, st);
}
