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

// The highest may be more than its number only through a value that is no upper end and reaches
// above it: beside exactly 90, about 40 does not matter.
static void take_max(alm_rollup_total *total, alm_decimal number, alm_interval interval,
                     alm_qualifier qualifier)
{
    bool is_first = total->of.present == 0;
    int order = is_first ? 1 : alm_decimal_cmp(number, total->extreme);
    total->may_over = order > 0
                          ? alm_qualifier_is_over(qualifier)
                          : total->may_over || (order == 0 && alm_qualifier_is_over(qualifier));
    total->extreme = order > 0 ? number : total->extreme;
    double loose = alm_qualifier_is_under(qualifier) ? -INFINITY : interval.upper;
    total->loose = is_first ? loose : fmax(total->loose, loose);
    alm_interval old = is_first ? interval : total->interval;
    total->interval =
        (alm_interval){fmax(old.lower, interval.lower), fmax(old.upper, interval.upper)};
}

static void take_min(alm_rollup_total *total, alm_decimal number, alm_interval interval,
                     alm_qualifier qualifier)
{
    bool is_first = total->of.present == 0;
    int order = is_first ? -1 : alm_decimal_cmp(number, total->extreme);
    total->may_under = order < 0
                           ? alm_qualifier_is_under(qualifier)
                           : total->may_under || (order == 0 && alm_qualifier_is_under(qualifier));
    total->extreme = order < 0 ? number : total->extreme;
    double loose = alm_qualifier_is_over(qualifier) ? INFINITY : interval.lower;
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

// "Over 100" and "about 200" are not over 300: a bound of the sum needs bounds of all its parts.
bool alm_rollup_total_is_over(const alm_rollup_sums *sums, const alm_rollup_total *total)
{
    double number = alm_decimal_to_double(total->extreme);
    switch (sums->how) {
    case ALM_AGGREGATION_MIN:
        return total->loose >= number - slack_of(total);
    case ALM_AGGREGATION_MAX:
        return total->may_over;
    default:
        return !total->of.is_not_over;
    }
}

bool alm_rollup_total_is_under(const alm_rollup_sums *sums, const alm_rollup_total *total)
{
    double number = alm_decimal_to_double(total->extreme);
    switch (sums->how) {
    case ALM_AGGREGATION_MAX:
        return total->loose <= number + slack_of(total);
    case ALM_AGGREGATION_MIN:
        return total->may_under;
    default:
        return !total->of.is_not_under;
    }
}

// A member without a number, or with a unit that is not the indicator's, is a missing member.
static bool take_value(const alm_rollup_sums *sums, alm_rollup_total *total, const alm_obs *row)
{
    alm_decimal number;
    bool is_extreme = sums->how == ALM_AGGREGATION_MAX || sums->how == ALM_AGGREGATION_MIN;
    if (is_extreme && row->value.has_number &&
        alm_number_in_unit(&row->value, sums->unit, &number, NULL) == ALM_OK) {
        alm_interval interval = alm_interval_in_unit(&row->value, sums->unit);
        (sums->how == ALM_AGGREGATION_MAX ? take_max : take_min)(total, number, interval,
                                                                 row->value.qualifier);
    }
    return alm_total_add(&total->of, &row->value, sums->unit,
                         (alm_told){row->source, row->published});
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
    ALM_TRY(slice_of(sums, variant, row->period, &slice, st));
    if (alm_rollup_has(slice, member)) {
        return alm_status_set(
            st, ALM_INTERNAL, "storage answered a cell of %.*s twice",
            ALM_STR_ARGS(alm_place_tree_get(groups->tree, groups->members[member])->code));
    }
    // A place that had ended by then, or not begun, is no member: its successor is.
    bool was_there =
        !groups->is_bounded[member] || alm_rollup_member_valid(groups, member, slice->day);
    if (was_there && take_value(sums, &slice->totals[groups->group_of[member]], row)) {
        slice->present[member / 8] |= (uint8_t)(1 << (member % 8));
    }
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

// --- totals that storage added up --------------------------------------------------------------

static void clear(alm_rollup_slice *slice, uint32_t member)
{
    slice->present[member / 8] &= (uint8_t) ~(1U << (member % 8));
}

// All members of the day have a number but those that are missing.
static alm_code mark_present(const alm_rollup_groups *groups, const alm_slice_totals *told,
                             alm_rollup_slice *slice, alm_status *st)
{
    memset(slice->present, 0xff, (groups->member_count + 7) / 8);
    for (size_t i = 0; i < groups->bounded_count; i++) {
        uint32_t member = groups->bounded[i];
        if (!alm_rollup_member_valid(groups, member, slice->day)) {
            clear(slice, member);
        }
    }
    for (size_t i = 0; i < told->missing_count; i++) {
        for (alm_place_id place = told->missing[i].from; place < told->missing[i].to; place++) {
            uint32_t member = groups->member_of[place];
            if (member == 0) {
                return alm_status_set(st, ALM_INTERNAL,
                                      "storage says that %u is missing, which nobody asked for",
                                      place);
            }
            clear(slice, member - 1);
        }
    }
    return ALM_OK;
}

alm_code alm_rollup_sums_take(void *arg, const alm_slice_totals *told, alm_status *st)
{
    alm_rollup_sums *sums = arg;
    uint32_t variant, at;
    size_t before = sums->count;
    ALM_TRY(alm_variant_table_intern(sums->variants, told->variant, &variant, st));
    ALM_TRY(alm_rollup_sums_slice(sums, variant, told->period, &at, st));
    if (sums->count == before) {
        return alm_status_set(st, ALM_INTERNAL, "storage answered totals twice");
    }
    alm_rollup_slice *slice = &sums->slices[at];
    for (size_t g = 0; g < sums->groups->count; g++) {
        slice->totals[g].of = told->totals[g];
    }
    return mark_present(sums->groups, told, slice, st);
}

// --- answers -------------------------------------------------------------------------------------

alm_code alm_rollup_total_number(const alm_rollup_sums *sums, const alm_rollup_total *total,
                                 alm_decimal *ret, alm_interval *ret_interval, alm_status *st)
{
    ALM_ASSERT(total->of.present > 0);
    if (sums->how == ALM_AGGREGATION_MAX || sums->how == ALM_AGGREGATION_MIN) {
        *ret = total->extreme;
        *ret_interval = total->interval;
        return ALM_OK;
    }
    ALM_TRY(alm_total_number(&total->of, ret, st));
    *ret_interval = alm_total_interval(&total->of);
    if (sums->how == ALM_AGGREGATION_SUM) {
        return ALM_OK;
    }
    int exponent = ALM_MAX(ret->exponent - AVERAGE_EXTRA_DIGITS, ALM_DECIMAL_EXPONENT_MIN);
    *ret_interval = alm_interval_scale(*ret_interval, 1.0 / total->of.present);
    return alm_decimal_scale(*ret, 1, total->of.present, exponent, ret, st);
}
