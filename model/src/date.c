// Days of the proleptic Gregorian calendar, years 1 to 9999.
#include "alm/period.h"

#include "digits.h"

#include <stdio.h>

// The calendar is cut at 1 March: the leap day is then the last day of its year, and every four
// hundred years are alike. Day 0 below is 0000-03-01.
#define DAYS_PER_400_YEARS 146097
#define DAYS_PER_100_YEARS 36524
#define DAYS_PER_4_YEARS   1461
#define EPOCH_OFFSET       719468 // days from 0000-03-01 to 1970-01-01

#define DATE_FIRST         (-719162) // 0001-01-01
#define DATE_LAST          2932896   // 9999-12-31

static bool is_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t alm_date_days_in_month(int32_t year, int32_t month)
{
    static const int8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    ALM_ASSERT(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && is_leap(year));
}

bool alm_date_valid(alm_date date)
{
    return date >= DATE_FIRST && date <= DATE_LAST;
}

alm_date alm_date_from_ymd(int32_t year, int32_t month, int32_t day)
{
    ALM_ASSERT(year >= 1 && year <= 9999);
    ALM_ASSERT(day >= 1 && day <= alm_date_days_in_month(year, month));
    int32_t months_since_march = (month + 9) % 12;
    int32_t march_year = year - (month <= 2);
    // March to July and August to December both run 31 30 31 30 31: 153 days in five months.
    int32_t day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    return march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 + day_of_year -
           EPOCH_OFFSET;
}

void alm_date_to_ymd(alm_date date, int32_t *ret_year, int32_t *ret_month, int32_t *ret_day)
{
    ALM_ASSERT(alm_date_valid(date));
    int32_t days = date + EPOCH_OFFSET;
    int32_t era = days / DAYS_PER_400_YEARS;
    int32_t day_of_era = days % DAYS_PER_400_YEARS;
    // Without its leap days the era has 365 days a year; the last day of the era is one of them.
    int32_t year_of_era =
        (day_of_era - day_of_era / (DAYS_PER_4_YEARS - 1) + day_of_era / DAYS_PER_100_YEARS -
         day_of_era / (DAYS_PER_400_YEARS - 1)) /
        365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t months_since_march = (5 * day_of_year + 2) / 153;
    *ret_day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    *ret_month = months_since_march < 10 ? months_since_march + 3 : months_since_march - 9;
    *ret_year = era * 400 + year_of_era + (*ret_month <= 2);
}

alm_code alm_date_parse(alm_str text, alm_date *ret, alm_status *st)
{
    int32_t year;
    int32_t month;
    int32_t day;
    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-' ||
        !alm_digits_read(alm_str_slice(text, 0, 4), &year) ||
        !alm_digits_read(alm_str_slice(text, 5, 7), &month) ||
        !alm_digits_read(alm_str_slice(text, 8, 10), &day)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "\"%.*s\" is not a date; expected YYYY-MM-DD", ALM_STR_ARGS(text));
    }
    if (year < 1 || month < 1 || month > 12 || day < 1 ||
        day > alm_date_days_in_month(year, month)) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "there is no day %.*s", ALM_STR_ARGS(text));
    }
    *ret = alm_date_from_ymd(year, month, day);
    return ALM_OK;
}

size_t alm_date_format(alm_date date, char *out)
{
    if (!alm_date_valid(date)) {
        out[0] = '\0';
        return 0;
    }
    int32_t year;
    int32_t month;
    int32_t day;
    alm_date_to_ymd(date, &year, &month, &day);
    return (size_t)snprintf(out, ALM_PERIOD_TEXT_MAX, "%04d-%02d-%02d", year, month, day);
}
