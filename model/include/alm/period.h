// Periods with SDMX labels: a run of `length` consecutive units of one frequency.
//
// Calendar: proleptic Gregorian, years 1 to 9999; weeks are ISO 8601 (start on Monday, week 1 holds
// 4 January). Every day of a period is inside those years, which leaves out only 9999-W52.
// Arithmetic is by calendar unit, never by days.
//
// Functions that take a period assert that it is valid unless they say otherwise; check periods
// from a wire or a disk with alm_period_valid.
#ifndef ALM_PERIOD_H
#define ALM_PERIOD_H

#include "alm/status.h"
#include "alm/str.h"

// SDMX CL_FREQ letters. Numbers are stored on disk: never reuse one.
// X(name, number, letter, units per year or 0)
#define ALM_FREQ_MAP(X)                                                                            \
    X(ANNUAL, 1, 'A', 1)                                                                           \
    X(SEMESTER, 2, 'S', 2)                                                                         \
    X(TRIMESTER, 3, 'T', 3)                                                                        \
    X(QUARTER, 4, 'Q', 4)                                                                          \
    X(MONTH, 5, 'M', 12)                                                                           \
    X(WEEK, 6, 'W', 0)                                                                             \
    X(DAY, 7, 'D', 0)

typedef enum alm_freq {
    ALM_FREQ_NONE = 0,
#define ALM_FREQ_ENUM(name, number, letter, per_year) ALM_FREQ_##name = number,
    ALM_FREQ_MAP(ALM_FREQ_ENUM)
#undef ALM_FREQ_ENUM
} alm_freq;

// A value. Zero-initialised it is "no period" (freq NONE).
typedef struct alm_period {
    uint8_t freq;    // alm_freq
    uint16_t length; // units, >= 1; 1 for an ordinary period, 5 for the plan horizon 2021/2025
    int32_t ordinal; // first unit, counted from year 0: year for A, year*2+(half-1) for S,
                     // year*3+(third-1) for T, year*4+(quarter-1) for Q, year*12+(month-1) for M;
                     // for W weeks since the ISO week of 0001-01-01, for D days since 0001-01-01
} alm_period;

#define ALM_PERIOD_TEXT_MAX   32
#define ALM_PERIOD_LENGTH_MAX 10000

// A day as days since 1970-01-01 (may be negative); the form of every date in the project.
typedef int32_t alm_date;
#define ALM_DATE_NONE INT32_MIN
#define ALM_DATE_MAX  INT32_MAX // "no end"

// Accepts, upper case letters only:
//   Gregorian   2023   2023-09   2023-12-31
//   reporting   2023-A1  2023-S2  2023-T3  2023-Q4  2023-M09  2023-W05  2023-D032
//   horizon     2021/2025  2023-01/2023-09  2023-Q1/2023-Q3   (both ends of one frequency)
//   SDMX range  2023-01-01/P5Y  2023-01-01/P9M  2023-01-02/P2W  2023-01-01/P10D
//               (starts on the unit's first day)
// A run that is exactly one unit of its frequency is that unit (2023/2023 is 2023).
//
// ALM_INVALID_ARGUMENT  not a period, or a run that ends before it starts; the message says what
// was
//                       expected
// ALM_OUT_OF_RANGE      a year outside 1..9999, month 13, quarter 5, week 53 of a 52-week year, a
// run
//                       longer than ALM_PERIOD_LENGTH_MAX units
ALM_MUST_USE alm_code alm_period_parse(alm_str label, alm_period *ret, alm_status *st);

// The canonical label: 2023, 2023-S1, 2023-T2, 2023-Q3, 2023-09, 2023-W05, 2023-12-31, and
// first/last for a run (2021/2025, 2023-01/2023-09). parse(format(p)) == p. "" for no period.
// out holds ALM_PERIOD_TEXT_MAX bytes, NUL-terminated. Returns the length.
size_t alm_period_format(alm_period period, char *out);

bool alm_period_valid(alm_period period); // for periods that came from a wire or a disk
bool alm_period_eq(alm_period a, alm_period b);

// Orders by frequency, then first unit, then length: the order of alm_period_pack. Any value.
int alm_period_cmp(alm_period a, alm_period b);

// 56 bits in 8 bytes: freq, ordinal, length, most significant first, so that the numbers (and their
// big-endian bytes) sort as alm_period_cmp does. unpack answers false for what pack never made.
uint64_t alm_period_pack(alm_period period);
ALM_MUST_USE bool alm_period_unpack(uint64_t packed, alm_period *ret);

// The period n steps of its own length later (negative: earlier): 2023-Q3 + 2 is 2024-Q1,
// 2021/2025 - 1 is 2016/2020. ALM_OUT_OF_RANGE: outside years 1..9999.
ALM_MUST_USE alm_code alm_period_add(alm_period period, int64_t n, alm_period *ret, alm_status *st);

// The same period one calendar year (or n) later: 2023-02 -> 2024-02; for days 02-29 becomes
// 02-28; for weeks the same week number, ALM_OUT_OF_RANGE where that year has no week 53. Both ends
// of a run of weeks or days move so: its length may change. Also ALM_OUT_OF_RANGE: outside years
// 1..9999. This, not alm_period_add(-12), is what year-on-year means.
ALM_MUST_USE alm_code alm_period_add_years(alm_period period, int64_t n, alm_period *ret,
                                           alm_status *st);

// Units from a to b: b's ordinal less a's. Same frequency and length 1 (asserted).
int64_t alm_period_diff(alm_period a, alm_period b);

alm_date alm_period_first_day(alm_period period);
alm_date alm_period_last_day(alm_period period);
int32_t alm_period_year(alm_period period);      // of the first unit; ISO week-year for weeks
int32_t alm_period_last_year(alm_period period); // of the last unit

// From the start of its first unit's year to the end of the period: 2023-09 -> 2023-01/2023-09,
// 2023-Q4 -> 2023-Q1/2023-Q4, a plan horizon is itself. What accumulation C (cumulative) covers.
// Weeks count from ISO week 1. No period (freq NONE) where the run would be longer than
// ALM_PERIOD_LENGTH_MAX.
alm_period alm_period_year_to_date(alm_period period);

// The one unit of frequency `to` (not NONE, asserted) that holds all days of `period`: 2023-09 in
// quarters is 2023-Q3. ALM_OUT_OF_RANGE: it straddles two, as weeks and months may.
ALM_MUST_USE alm_code alm_period_contract(alm_period period, alm_freq to, alm_period *ret,
                                          alm_status *st);
// The run of units of frequency `to` (not NONE, asserted) that make up `period` exactly: 2023-Q1 in
// months is 2023-01/2023-03, and 2023-01/2023-12 in years is 2023.
// ALM_OUT_OF_RANGE: units of that frequency do not tile it (years in weeks), or too many do.
ALM_MUST_USE alm_code alm_period_expand(alm_period period, alm_freq to, alm_period *ret,
                                        alm_status *st);
bool alm_period_contains(alm_period outer, alm_period inner); // by days
// The i-th unit of a run, length 1; i < period.length (asserted).
alm_period alm_period_unit(alm_period period, uint32_t i);

char alm_freq_letter(alm_freq freq); // '?' for NONE
ALM_MUST_USE bool alm_freq_from_letter(char letter, alm_freq *ret);
int alm_freq_per_year(alm_freq freq); // 0 for weeks and days

// The one unit of a frequency (not NONE) that holds a valid date (both asserted). The week of
// 9999-12-31 is cut off by the calendar's end: ALM_OUT_OF_RANGE.
ALM_MUST_USE alm_code alm_period_of_date(alm_date date, alm_freq freq, alm_period *ret,
                                         alm_status *st);

bool alm_date_valid(alm_date date); // 0001-01-01 .. 9999-12-31; not ALM_DATE_NONE nor ALM_DATE_MAX

// Strictly YYYY-MM-DD.
//
// ALM_INVALID_ARGUMENT  not of that form
// ALM_OUT_OF_RANGE      no such day
ALM_MUST_USE alm_code alm_date_parse(alm_str text, alm_date *ret, alm_status *st);

// "" for ALM_DATE_NONE, ALM_DATE_MAX and every other date that is not valid.
// out holds ALM_PERIOD_TEXT_MAX bytes, NUL-terminated. Returns the length.
size_t alm_date_format(alm_date date, char *out);

alm_date alm_date_from_ymd(int32_t year, int32_t month, int32_t day); // valid input asserted
void alm_date_to_ymd(alm_date date, int32_t *ret_year, int32_t *ret_month, int32_t *ret_day);
int32_t alm_date_days_in_month(int32_t year, int32_t month); // month 1..12 asserted

#endif
