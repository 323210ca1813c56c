// What periods of all frequencies rest on: which units there are, and how they are counted.
// Internal to model/.
#ifndef ALM_MODEL_CALENDAR_H
#define ALM_MODEL_CALENDAR_H

#include "alm/period.h"

#define CALENDAR_YEAR_MIN  1
#define CALENDAR_YEAR_MAX  9999
#define CALENDAR_DAY_ZERO  (-719162) // 0001-01-01, a Monday: ordinal 0 of days and of weeks
#define CALENDAR_DAY_COUNT 3652059   // days of years 1..9999

// The ordinals of a frequency, both ends included. False: not a frequency.
bool calendar_ordinal_bounds(alm_freq freq, int32_t *ret_min, int32_t *ret_max);

// A run by its first unit and length >= 1 (asserted).
//
// ALM_OUT_OF_RANGE  longer than ALM_PERIOD_LENGTH_MAX, or outside the calendar
alm_code calendar_period(alm_freq freq, int64_t ordinal, int64_t length, alm_period *ret,
                         alm_status *st);

// How many units the year has, and the ordinal of its number-th, from 1.
int32_t calendar_units_in_year(alm_freq freq, int32_t year);
int32_t calendar_ordinal(alm_freq freq, int32_t year, int32_t number);

// ISO weeks by ordinal. The year of a week is the calendar year of its Thursday.
int32_t calendar_week_year(int32_t week);
int32_t calendar_first_week(int32_t year);    // the ordinal of week 1
int32_t calendar_weeks_in_year(int32_t year); // 52 or 53

#endif
