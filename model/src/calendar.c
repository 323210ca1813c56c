#include "calendar.h"

#include <inttypes.h>

// ----- Frequencies -------------------------------------------------------------------------------

char alm_freq_letter(alm_freq freq)
{
    switch (freq) {
#define FREQ_CASE(name, number, letter, per_year)                                                  \
    case ALM_FREQ_##name:                                                                          \
        return letter;
        ALM_FREQ_MAP(FREQ_CASE)
#undef FREQ_CASE
    case ALM_FREQ_NONE:
        break;
    }
    return '?';
}

bool alm_freq_from_letter(char letter, alm_freq *ret)
{
    switch (letter) {
#define LETTER_CASE(name, number, letter, per_year)                                                \
    case letter:                                                                                   \
        *ret = ALM_FREQ_##name;                                                                    \
        return true;
        ALM_FREQ_MAP(LETTER_CASE)
#undef LETTER_CASE
    default:
        return false;
    }
}

int alm_freq_per_year(alm_freq freq)
{
    switch (freq) {
#define PER_YEAR_CASE(name, number, letter, per_year)                                              \
    case ALM_FREQ_##name:                                                                          \
        return per_year;
        ALM_FREQ_MAP(PER_YEAR_CASE)
#undef PER_YEAR_CASE
    case ALM_FREQ_NONE:
        break;
    }
    return 0;
}

bool calendar_ordinal_bounds(alm_freq freq, int32_t *ret_min, int32_t *ret_max)
{
    int per_year = alm_freq_per_year(freq);
    if (per_year > 0) {
        *ret_min = CALENDAR_YEAR_MIN * per_year;
        *ret_max = CALENDAR_YEAR_MAX * per_year + per_year - 1;
        return true;
    }
    *ret_min = 0;
    *ret_max = (freq == ALM_FREQ_WEEK ? CALENDAR_DAY_COUNT / 7 : CALENDAR_DAY_COUNT) - 1;
    return freq == ALM_FREQ_WEEK || freq == ALM_FREQ_DAY;
}

// ----- Weeks: the ISO year of a week is the calendar year of its Thursday ------------------------

int32_t calendar_week_year(int32_t week)
{
    int32_t year;
    int32_t month;
    int32_t day;
    alm_date_to_ymd(CALENDAR_DAY_ZERO + week * 7 + 3, &year, &month, &day);
    return year;
}

// The ordinal of week 1, the one that holds 4 January.
int32_t calendar_first_week(int32_t year)
{
    return (alm_date_from_ymd(year, 1, 4) - CALENDAR_DAY_ZERO) / 7;
}

// 52 or 53: the last week of the year is the one that holds 28 December.
int32_t calendar_weeks_in_year(int32_t year)
{
    return (alm_date_from_ymd(year, 12, 28) - CALENDAR_DAY_ZERO) / 7 - calendar_first_week(year) +
           1;
}

// ----- Counting ----------------------------------------------------------------------------------

alm_code calendar_period(alm_freq freq, int64_t ordinal, int64_t length, alm_period *ret,
                         alm_status *st)
{
    int32_t min;
    int32_t max;
    bool known = calendar_ordinal_bounds(freq, &min, &max);
    ALM_ASSERT(known);
    ALM_ASSERT(length >= 1);
    if (length > ALM_PERIOD_LENGTH_MAX) {
        return alm_status_set(st, ALM_OUT_OF_RANGE,
                              "the period would be %" PRId64 " units long, more than %d", length,
                              ALM_PERIOD_LENGTH_MAX);
    }
    if (ordinal < min || ordinal > max - (length - 1)) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "the period would lie outside years %d..%d",
                              CALENDAR_YEAR_MIN, CALENDAR_YEAR_MAX);
    }
    *ret = (alm_period){
        .freq = (uint8_t)freq, .length = (uint16_t)length, .ordinal = (int32_t)ordinal};
    return ALM_OK;
}

int32_t calendar_units_in_year(alm_freq freq, int32_t year)
{
    switch (freq) {
    case ALM_FREQ_WEEK:
        return calendar_weeks_in_year(year);
    case ALM_FREQ_DAY:
        return 337 + alm_date_days_in_month(year, 2);
    default:
        return alm_freq_per_year(freq);
    }
}

int32_t calendar_ordinal(alm_freq freq, int32_t year, int32_t number)
{
    switch (freq) {
    case ALM_FREQ_WEEK:
        return calendar_first_week(year) + number - 1;
    case ALM_FREQ_DAY:
        return alm_date_from_ymd(year, 1, 1) - CALENDAR_DAY_ZERO + number - 1;
    default:
        return year * alm_freq_per_year(freq) + number - 1;
    }
}
