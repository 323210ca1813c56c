#include "alm/period.h"

#include "calendar.h"

#include <inttypes.h>

// ----- Values ------------------------------------------------------------------------------------

bool alm_period_valid(alm_period period)
{
    int32_t min;
    int32_t max;
    return calendar_ordinal_bounds((alm_freq)period.freq, &min, &max) && period.length >= 1 &&
           period.length <= ALM_PERIOD_LENGTH_MAX && period.ordinal >= min &&
           period.ordinal <= max - (period.length - 1);
}

bool alm_period_eq(alm_period a, alm_period b)
{
    return alm_period_cmp(a, b) == 0;
}

int alm_period_cmp(alm_period a, alm_period b)
{
    if (a.freq != b.freq) {
        return a.freq < b.freq ? -1 : 1;
    }
    if (a.ordinal != b.ordinal) {
        return a.ordinal < b.ordinal ? -1 : 1;
    }
    return (a.length > b.length) - (a.length < b.length);
}

uint64_t alm_period_pack(alm_period period)
{
    ALM_ASSERT(alm_period_valid(period));
    return (uint64_t)period.freq << 48 | (uint64_t)period.ordinal << 16 | period.length;
}

bool alm_period_unpack(uint64_t packed, alm_period *ret)
{
    uint32_t ordinal = (uint32_t)(packed >> 16);
    alm_period period = {.freq = (uint8_t)(packed >> 48),
                         .length = (uint16_t)packed,
                         .ordinal = ordinal <= INT32_MAX ? (int32_t)ordinal : -1};
    if (packed >> 56 != 0 || !alm_period_valid(period)) {
        return false;
    }
    *ret = period;
    return true;
}

// ----- Days --------------------------------------------------------------------------------------

static int32_t months_per_unit(alm_freq freq)
{
    int per_year = alm_freq_per_year(freq);
    ALM_ASSERT(per_year > 0);
    return 12 / per_year;
}

// The first day of a unit; one past the calendar's last unit gives the day after its end.
static alm_date day_of_ordinal(alm_freq freq, int32_t ordinal)
{
    if (freq == ALM_FREQ_DAY) {
        return CALENDAR_DAY_ZERO + ordinal;
    }
    if (freq == ALM_FREQ_WEEK) {
        return CALENDAR_DAY_ZERO + ordinal * 7;
    }
    int32_t month = ordinal * months_per_unit(freq);
    if (month / 12 > CALENDAR_YEAR_MAX) {
        return CALENDAR_DAY_ZERO + CALENDAR_DAY_COUNT;
    }
    return alm_date_from_ymd(month / 12, month % 12 + 1, 1);
}

alm_date alm_period_first_day(alm_period period)
{
    ALM_ASSERT(alm_period_valid(period));
    return day_of_ordinal((alm_freq)period.freq, period.ordinal);
}

alm_date alm_period_last_day(alm_period period)
{
    ALM_ASSERT(alm_period_valid(period));
    return day_of_ordinal((alm_freq)period.freq, period.ordinal + period.length) - 1;
}

static int32_t ordinal_of_date(alm_date date, alm_freq freq)
{
    int32_t year;
    int32_t month;
    int32_t day;
    if (freq == ALM_FREQ_DAY) {
        return date - CALENDAR_DAY_ZERO;
    }
    if (freq == ALM_FREQ_WEEK) {
        return (date - CALENDAR_DAY_ZERO) / 7;
    }
    alm_date_to_ymd(date, &year, &month, &day);
    return (year * 12 + month - 1) / months_per_unit(freq);
}

alm_code alm_period_of_date(alm_date date, alm_freq freq, alm_period *ret, alm_status *st)
{
    ALM_ASSERT(alm_date_valid(date));
    return calendar_period(freq, ordinal_of_date(date, freq), 1, ret, st);
}

static int32_t year_of_ordinal(alm_freq freq, int32_t ordinal)
{
    int32_t year;
    int32_t month;
    int32_t day;
    if (freq == ALM_FREQ_WEEK) {
        return calendar_week_year(ordinal);
    }
    alm_date_to_ymd(day_of_ordinal(freq, ordinal), &year, &month, &day);
    return year;
}

int32_t alm_period_year(alm_period period)
{
    ALM_ASSERT(alm_period_valid(period));
    return year_of_ordinal((alm_freq)period.freq, period.ordinal);
}

int32_t alm_period_last_year(alm_period period)
{
    ALM_ASSERT(alm_period_valid(period));
    return year_of_ordinal((alm_freq)period.freq, period.ordinal + period.length - 1);
}

// ----- Arithmetic --------------------------------------------------------------------------------

alm_code alm_period_add(alm_period period, int64_t n, alm_period *ret, alm_status *st)
{
    ALM_ASSERT(alm_period_valid(period));
    int64_t ordinal;
    if (__builtin_mul_overflow(n, (int64_t)period.length, &ordinal) ||
        __builtin_add_overflow(ordinal, (int64_t)period.ordinal, &ordinal)) {
        ordinal = -1;
    }
    return calendar_period((alm_freq)period.freq, ordinal, period.length, ret, st);
}

static alm_code year_later(int32_t year, int64_t n, int32_t *ret, alm_status *st)
{
    if (n < CALENDAR_YEAR_MIN - year || n > CALENDAR_YEAR_MAX - year) {
        return alm_status_set(st, ALM_OUT_OF_RANGE,
                              "%" PRId64 " years from %04d is outside years %d..%d", n, year,
                              CALENDAR_YEAR_MIN, CALENDAR_YEAR_MAX);
    }
    *ret = year + (int32_t)n;
    return ALM_OK;
}

static alm_code add_years_to_day(int32_t ordinal, int64_t n, int32_t *ret, alm_status *st)
{
    int32_t year;
    int32_t month;
    int32_t day;
    alm_date_to_ymd(CALENDAR_DAY_ZERO + ordinal, &year, &month, &day);
    ALM_TRY(year_later(year, n, &year, st));
    day = ALM_MIN(day, alm_date_days_in_month(year, month));
    *ret = alm_date_from_ymd(year, month, day) - CALENDAR_DAY_ZERO;
    return ALM_OK;
}

static alm_code add_years_to_week(int32_t ordinal, int64_t n, int32_t *ret, alm_status *st)
{
    int32_t year = calendar_week_year(ordinal);
    int32_t week = ordinal - calendar_first_week(year) + 1;
    ALM_TRY(year_later(year, n, &year, st));
    if (week > calendar_weeks_in_year(year)) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "%04d has no week %d", year, week);
    }
    *ret = calendar_first_week(year) + week - 1;
    return ALM_OK;
}

alm_code alm_period_add_years(alm_period period, int64_t n, alm_period *ret, alm_status *st)
{
    ALM_ASSERT(alm_period_valid(period));
    alm_freq freq = (alm_freq)period.freq;
    int per_year = alm_freq_per_year(freq);
    if (per_year > 0) {
        // Farther than the calendar is long: out of range without a chance to overflow.
        int64_t years = ALM_MAX(-CALENDAR_YEAR_MAX, ALM_MIN(CALENDAR_YEAR_MAX, n));
        return calendar_period(freq, period.ordinal + years * per_year, period.length, ret, st);
    }
    alm_code (*move)(int32_t, int64_t, int32_t *, alm_status *) =
        freq == ALM_FREQ_WEEK ? add_years_to_week : add_years_to_day;
    int32_t first;
    int32_t last;
    ALM_TRY(move(period.ordinal, n, &first, st));
    ALM_TRY(move(period.ordinal + period.length - 1, n, &last, st));
    return calendar_period(freq, first, (int64_t)last - first + 1, ret, st);
}

int64_t alm_period_diff(alm_period a, alm_period b)
{
    ALM_ASSERT(alm_period_valid(a));
    ALM_ASSERT(alm_period_valid(b));
    ALM_ASSERT(a.freq == b.freq);
    ALM_ASSERT(a.length == 1 && b.length == 1);
    return (int64_t)b.ordinal - a.ordinal;
}

alm_period alm_period_year_to_date(alm_period period)
{
    alm_freq freq = (alm_freq)period.freq;
    int32_t first = calendar_ordinal(freq, alm_period_year(period), 1);
    alm_period to_date;
    if (calendar_period(freq, first, (int64_t)period.ordinal + period.length - first, &to_date,
                        NULL) != ALM_OK) {
        return (alm_period){0};
    }
    return to_date;
}

alm_code alm_period_contract(alm_period period, alm_freq to, alm_period *ret, alm_status *st)
{
    alm_period unit;
    ALM_TRY(alm_period_of_date(alm_period_first_day(period), to, &unit, st));
    if (!alm_period_contains(unit, period)) {
        char label[ALM_PERIOD_TEXT_MAX];
        alm_period_format(period, label);
        return alm_status_set(st, ALM_OUT_OF_RANGE, "no one period of frequency %c holds %s",
                              alm_freq_letter(to), label);
    }
    *ret = unit;
    return ALM_OK;
}

alm_code alm_period_expand(alm_period period, alm_freq to, alm_period *ret, alm_status *st)
{
    alm_date first_day = alm_period_first_day(period);
    alm_date last_day = alm_period_last_day(period);
    alm_period first;
    alm_period last;
    ALM_TRY(alm_period_of_date(first_day, to, &first, st));
    ALM_TRY(alm_period_of_date(last_day, to, &last, st));
    if (alm_period_first_day(first) != first_day || alm_period_last_day(last) != last_day) {
        char label[ALM_PERIOD_TEXT_MAX];
        alm_period_format(period, label);
        return alm_status_set(st, ALM_OUT_OF_RANGE,
                              "%s is not made of whole periods of frequency %c", label,
                              alm_freq_letter(to));
    }
    return calendar_period(to, first.ordinal, (int64_t)last.ordinal - first.ordinal + 1, ret, st);
}

bool alm_period_contains(alm_period outer, alm_period inner)
{
    return alm_period_first_day(outer) <= alm_period_first_day(inner) &&
           alm_period_last_day(outer) >= alm_period_last_day(inner);
}

alm_period alm_period_unit(alm_period period, uint32_t i)
{
    ALM_ASSERT(alm_period_valid(period));
    ALM_ASSERT(i < period.length);
    period.ordinal += (int32_t)i;
    period.length = 1;
    return period;
}
