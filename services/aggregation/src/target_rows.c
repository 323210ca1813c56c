#include "target_rows.h"

#include "convert.h"

// --- which figures make up a value ---------------------------------------------------------------

bool alm_target_row(const alm_target *it, uint32_t variant, alm_period period, alm_obs *ret)
{
    return alm_cells_get(&it->run->cells, variant, it->obs->place, period, ret) &&
           ret->value.has_number;
}

alm_period alm_target_rows_last(const alm_target_rows *rows)
{
    ALM_ASSERT(rows->count > 0);
    alm_period last = rows->first;
    last.ordinal += (int32_t)rows->count - 1;
    return last;
}

alm_date alm_target_rows_end(const alm_target_rows *rows)
{
    return rows->count == 0 ? ALM_DATE_NONE : alm_period_last_day(alm_target_rows_last(rows));
}

// Of those that go as far the first counts: the coarsest, and of a year what is of it alone.
static void prefer(alm_target_rows *best, const alm_target_rows *rows)
{
    if (alm_target_rows_end(rows) > alm_target_rows_end(best)) {
        *best = *rows;
    }
}

// Weeks and days make up nothing else.
bool alm_target_periods(alm_period whole, alm_freq freq, alm_period *ret)
{
    return (freq <= ALM_FREQ_MONTH || freq == whole.freq) &&
           alm_period_expand(whole, freq, ret, NULL) == ALM_OK;
}

// Time is counted in the frequency of what was reached: not in months of a thousand years.
static bool may_go_in(const alm_target *it, alm_freq freq)
{
    alm_period run;
    return alm_target_periods(it->horizon, freq, &run);
}

static bool starts_a_year(alm_period whole)
{
    int32_t year, month, day;
    alm_date_to_ymd(alm_period_first_day(whole), &year, &month, &day);
    return month == 1 && day == 1 && alm_period_last_year(whole) == year;
}

// From the beginning on, one after the other.
static alm_target_rows single_periods(const alm_target *it, alm_period run, alm_date until)
{
    alm_target_rows rows = {.variant = it->variants.of[run.freq][ALM_ACCUMULATION_PERIOD],
                            .first = alm_period_unit(run, 0)};
    while (rows.count < run.length) {
        alm_period next = alm_period_unit(run, rows.count);
        if (alm_period_last_day(next) > until || !alm_target_has_row(it, rows.variant, next)) {
            break;
        }
        rows.count++;
    }
    return rows;
}

static alm_target_rows newest_of(const alm_target *it, alm_period run,
                                 alm_accumulation accumulation, alm_date until)
{
    uint32_t variant = it->variants.of[run.freq][accumulation];
    for (uint32_t i = run.length; i > 0; i--) {
        alm_period period = alm_period_unit(run, i - 1);
        if (alm_period_last_day(period) <= until && alm_target_has_row(it, variant, period)) {
            return (alm_target_rows){variant, period, 1};
        }
    }
    return (alm_target_rows){0};
}

alm_target_rows alm_target_find_amount(const alm_target *it, alm_period whole, alm_date until)
{
    alm_target_rows best = {0};
    alm_period run;
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_DAY; freq++) {
        if (!may_go_in(it, freq) || !alm_target_periods(whole, freq, &run)) {
            continue;
        }
        alm_target_rows rows = single_periods(it, run, until);
        prefer(&best, &rows);
        if (starts_a_year(whole)) {
            rows = newest_of(it, run, ALM_ACCUMULATION_CUMULATIVE, until);
            prefer(&best, &rows);
        }
    }
    return best;
}

// What stands at the end of a part is a value of the whole: of a stock, but not of an average.
static bool tells_by_parts(const alm_target *it)
{
    const alm_indicator *indicator = it->run->indicator;
    return it->kind == ALM_PACE_STATE && indicator->over_time == ALM_AGGREGATION_NONE &&
           (indicator->value_type == ALM_VALUE_TYPE_STOCK ||
            indicator->value_type == ALM_VALUE_TYPE_COUNT);
}

// Of a finer frequency: what a stock is at a part's end, and what a rate is of the year so far.
bool alm_target_may_tell(const alm_target *it, alm_period whole, alm_freq freq,
                         alm_accumulation accumulation)
{
    bool is_cumulative = accumulation == ALM_ACCUMULATION_CUMULATIVE;
    if (freq == whole.freq) {
        return freq == ALM_FREQ_ANNUAL || accumulation == it->variant->accumulation;
    }
    return is_cumulative ? !tells_by_parts(it) && starts_a_year(whole) : tells_by_parts(it);
}

alm_target_rows alm_target_find_newest(const alm_target *it, alm_period whole)
{
    alm_target_rows best = {0};
    alm_period run;
    for (alm_freq freq = ALM_FREQ_ANNUAL; freq <= ALM_FREQ_DAY; freq++) {
        for (int i = ALM_ACCUMULATION_PERIOD; i <= ALM_ACCUMULATION_CUMULATIVE; i++) {
            if (alm_target_may_tell(it, whole, freq, (alm_accumulation)i) && may_go_in(it, freq) &&
                alm_target_periods(whole, freq, &run)) {
                alm_target_rows rows = newest_of(it, run, (alm_accumulation)i, ALM_DATE_MAX);
                prefer(&best, &rows);
            }
        }
    }
    return best;
}

// --- their value --------------------------------------------------------------------------------

static bool is_bound(alm_qualifier qualifier)
{
    return qualifier == ALM_QUALIFIER_MORE_THAN || qualifier == ALM_QUALIFIER_AT_LEAST ||
           qualifier == ALM_QUALIFIER_PASSED_THRESHOLD || qualifier == ALM_QUALIFIER_LESS_THAN ||
           qualifier == ALM_QUALIFIER_AT_MOST;
}

static bool number_of(const alm_target *it, const alm_obs *row, alm_decimal *ret,
                      alm_pace_number *ret_pace)
{
    if (!alm_unit_convertible(row->value.unit, it->unit) ||
        alm_number_in_unit(&row->value, it->unit, ret, NULL) != ALM_OK) {
        return false;
    }
    alm_value value = row->value;
    value.number = *ret;
    value.unit = it->unit;
    *ret_pace = alm_pace_number_of(&value);
    if (!is_bound(value.qualifier)) {
        bool is_exact = alm_pace_is_over(ret_pace) && alm_pace_is_under(ret_pace);
        ret_pace->interval = alm_interval_in_unit(&row->value, it->unit);
        ret_pace->claim = is_exact ? ret_pace->claim : ret_pace->interval;
    }
    return true;
}

// Sums of doubles drift where those of decimals do not: an end that is the number stays so.
static bool finish(const alm_decimal_sum *sum, bool is_over, bool is_under, alm_target_value *it)
{
    if (alm_decimal_sum_value(sum, &it->number, NULL) != ALM_OK) {
        return false;
    }
    alm_pace_number *pace = &it->pace;
    pace->number = alm_decimal_to_double(it->number);
    pace->claim.lower = is_over ? pace->number : pace->claim.lower;
    pace->claim.upper = is_under ? pace->number : pace->claim.upper;
    return true;
}

void alm_target_add(const alm_target *it, const alm_target_rows *rows, alm_decimal_sum *sum,
                    alm_target_value *to)
{
    bool is_over = alm_pace_is_over(&to->pace);
    bool is_under = alm_pace_is_under(&to->pace);
    for (uint32_t i = 0; i < rows->count && !to->is_bad; i++) {
        alm_period period = rows->first;
        period.ordinal += (int32_t)i;
        alm_decimal number;
        alm_pace_number pace;
        alm_obs row;
        to->is_bad = !alm_target_row(it, rows->variant, period, &row) ||
                     !number_of(it, &row, &number, &pace) ||
                     alm_decimal_sum_add(sum, number, NULL) != ALM_OK;
        if (!to->is_bad) {
            is_over = is_over && alm_pace_is_over(&pace);
            is_under = is_under && alm_pace_is_under(&pace);
            to->pace.claim = alm_interval_add(to->pace.claim, pace.claim);
            to->pace.interval = alm_interval_add(to->pace.interval, pace.interval);
            to->pace.has = true;
        }
    }
    to->is_bad = to->is_bad || (to->pace.has && !finish(sum, is_over, is_under, to));
}

alm_target_value alm_target_value_of(const alm_target *it, const alm_target_rows *rows)
{
    alm_target_value value = {0};
    alm_decimal_sum sum = {0};
    alm_target_add(it, rows, &sum, &value);
    value.pace.has = value.pace.has && !value.is_bad;
    return value;
}
