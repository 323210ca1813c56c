#include "target_pace.h"

#include "alm/grid.h"

#include <math.h>

#define PERCENT_DIGITS (-2)
#define MORE_DIGITS    2 // than the finest input, of what is divided

// --- figures ------------------------------------------------------------------------------------

static bool is_ratio(const alm_target *it)
{
    alm_dimension dimension = alm_unit_dimension(it->unit);
    return dimension == ALM_DIMENSION_RATIO || dimension == ALM_DIMENSION_POINTS;
}

// Weeks and days as docs/TRANSFORMS.md counts them.
static uint32_t per_year(alm_freq freq)
{
    int count = alm_freq_per_year(freq);
    return count > 0 ? (uint32_t)count : freq == ALM_FREQ_WEEK ? 52 : 365;
}

static alm_pace pace_of(const alm_target *it, const alm_actual *actual)
{
    alm_pace_input in = {
        .kind = it->kind,
        .is_ceiling = it->is_ceiling,
        .is_ratio = is_ratio(it),
        .is_of_a_year = alm_target_is_of_a_year(it),
        .target = it->goal,
        .actual = actual->value.pace,
        .elapsed = actual->elapsed,
        .periods = actual->periods,
    };
    if (in.actual.has) {
        alm_target_value part, whole;
        in.per_year = per_year((alm_freq)actual->until.freq);
        in.base = alm_target_base(it).pace;
        alm_target_year_before(it, actual->until, &part, &whole);
        in.part_before = part.pace;
        in.whole_before = whole.pace;
    }
    return alm_pace_compute(&in);
}

static alm_unit unit_of(const alm_target *it, alm_pace_figure figure)
{
    bool is_percent = it->unit.measure == ALM_MEASURE_UNIT_PERCENT;
    switch (figure) {
    case ALM_PACE_TIME:
    case ALM_PACE_GROWTH:
        return ALM_UNIT_PERCENT;
    case ALM_PACE_LINEAR:
    case ALM_PACE_SEASONAL:
        return (alm_unit){.measure = ALM_MEASURE_UNIT_RATIO};
    case ALM_PACE_LEFT:
        return is_percent ? (alm_unit){.measure = ALM_MEASURE_UNIT_PP} : it->unit;
    default:
        return it->unit;
    }
}

// What is reached and what is left are decimals, to every digit.
static bool decimal_of(const alm_target *it, const alm_actual *actual, const alm_pace *pace,
                       alm_pace_figure figure, uint8_t flags, alm_decimal *ret)
{
    const alm_pace_number *number = &pace->figures[figure];
    int finest = ALM_MIN(actual->value.number.exponent, it->planned.number.exponent);
    switch (figure) {
    case ALM_PACE_ACTUAL:
        *ret = actual->value.number;
        return true;
    case ALM_PACE_LEFT:
        return alm_decimal_sub(it->planned.number, actual->value.number, ret, NULL) == ALM_OK;
    case ALM_PACE_RUN_RATE:
    case ALM_PACE_EXPECTED:
        finest = ALM_MAX(ALM_MIN(finest, 0) - MORE_DIGITS, ALM_DECIMAL_EXPONENT_MIN);
        return alm_number_deserved(number->number, number->interval, finest, flags, ret);
    default:
        return alm_number_deserved(number->number, number->interval, PERCENT_DIGITS, flags, ret);
    }
}

static alm_row_figure figure_of(const alm_target *it, const alm_actual *actual,
                                const alm_pace *pace, alm_pace_figure figure)
{
    const alm_pace_number *number = &pace->figures[figure];
    bool is_over = alm_pace_is_over(number);
    bool is_under = alm_pace_is_under(number);
    uint8_t flags = (uint8_t)((is_over ? ALM_CELL_OVER : 0) | (is_under ? ALM_CELL_UNDER : 0));
    alm_row_figure told = {
        .value = {.unit = unit_of(it, figure), .status = ALM_OBS_STATUS_NORMAL},
        .interval = {-INFINITY, INFINITY},
        .reason = alm_pace_gap_text(pace->gaps[figure]),
    };
    if (!number->has) {
        return told;
    }
    if (!decimal_of(it, actual, pace, figure, flags, &told.value.number)) {
        told.reason = alm_pace_gap_text(ALM_PACE_GAP_RANGE);
        return told;
    }
    told.value.has_number = true;
    told.interval = number->interval;
    told.value.qualifier = is_over && is_under ? ALM_QUALIFIER_EXACT
                           : is_over           ? ALM_QUALIFIER_MORE_THAN
                           : is_under          ? ALM_QUALIFIER_LESS_THAN
                                               : ALM_QUALIFIER_ABOUT;
    return told;
}

// --- the verdict in words -----------------------------------------------------------------------

// "11.76% of plan"; of a rate, and where that says nothing, "6.6% against 5.5%".
static alm_code say_reached(const alm_target *it, const alm_row_pace *told,
                            const alm_value *progress, const char **ret, alm_status *st)
{
    char a[ALM_VALUE_TEXT_MAX];
    char b[ALM_VALUE_TEXT_MAX];
    if (it->kind != ALM_PACE_RATE && progress->has_number) {
        (void)alm_value_format(progress, ALM_LANG_EN, a);
        return alm_query_run_text(it->run, ret, st, "%s of %s", a,
                                  it->is_ceiling ? "the limit" : "plan");
    }
    (void)alm_value_format(&told->figures[ALM_PACE_ACTUAL].value, ALM_LANG_EN, a);
    (void)alm_value_format(&it->planned, ALM_LANG_EN, b);
    return alm_query_run_text(it->run, ret, st, "%s against %s", a, b);
}

static alm_code say_time(const alm_target *it, const alm_actual *actual, const char **ret,
                         alm_status *st)
{
    if (actual->elapsed == actual->periods) {
        return alm_query_run_text(it->run, ret, st, "%s at the end of the horizon", *ret);
    }
    return alm_query_run_text(it->run, ret, st, "%s with %.4g%% of the time gone", *ret,
                              100.0 * actual->elapsed / actual->periods);
}

static alm_code say_pace(const alm_target *it, const alm_row_pace *told, const alm_pace *pace,
                         const char **ret, alm_status *st)
{
    const alm_row_figure *by = &told->figures[pace->by];
    char text[ALM_VALUE_TEXT_MAX];
    if (pace->by == ALM_PACE_LEFT || !by->value.has_number) {
        return ALM_OK;
    }
    (void)alm_value_format(&by->value, ALM_LANG_EN, text);
    return alm_query_run_text(it->run, ret, st, "%s; %s %s", *ret,
                              pace->by == ALM_PACE_SEASONAL ? "seasonal pace" : "pace", text);
}

// Why nothing is known: a figure that would decide has no number, or not within narrow enough
// bounds.
static alm_code say_doubt(const alm_target *it, const alm_actual *actual, const alm_row_pace *told,
                          const alm_pace *pace, const char **ret, alm_status *st)
{
    if (pace->verdict != ALM_PACE_VERDICT_NOT_KNOWN) {
        return ALM_OK;
    }
    if (pace->by != ALM_PACE_LEFT && told->figures[pace->by].reason[0] != '\0') {
        return alm_query_run_text(it->run, ret, st, "%s; %s", *ret, told->figures[pace->by].reason);
    }
    if (actual->missing[0] != '\0') {
        return alm_query_run_text(it->run, ret, st, "%s; not decided without %s", *ret,
                                  actual->missing);
    }
    return alm_query_run_text(it->run, ret, st, "%s; bounds do not decide it", *ret);
}

static alm_code say_why(const alm_target *it, const alm_actual *actual, const alm_value *progress,
                        const alm_pace *pace, const char *reason, alm_row_pace *told,
                        alm_status *st)
{
    if (!pace->figures[ALM_PACE_LEFT].has) {
        told->why = reason;
        return ALM_OK;
    }
    ALM_TRY(say_reached(it, told, progress, &told->why, st));
    ALM_TRY(say_time(it, actual, &told->why, st));
    ALM_TRY(say_pace(it, told, pace, &told->why, st));
    return say_doubt(it, actual, told, pace, &told->why, st);
}

alm_code alm_target_pace(const alm_target *it, const alm_actual *actual, const alm_value *progress,
                         const char *reason, const alm_row_pace **ret, alm_status *st)
{
    alm_row_pace *told = alm_arena_calloc(it->run->arena, 1, sizeof *told);
    if (told == NULL) {
        return alm_query_run_no_memory(st);
    }
    alm_pace pace = pace_of(it, actual);
    told->verdict = pace.verdict;
    told->until = actual->value.pace.has ? actual->until : (alm_period){0};
    for (int i = 0; i < ALM_PACE_FIGURE_COUNT; i++) {
        told->figures[i] = figure_of(it, actual, &pace, (alm_pace_figure)i);
    }
    bool has_rate = told->figures[ALM_PACE_RUN_RATE].value.has_number;
    told->per = has_rate ? (alm_freq)actual->until.freq : ALM_FREQ_NONE;
    ALM_TRY(say_why(it, actual, progress, &pace, reason, told, st));
    *ret = told;
    return ALM_OK;
}
