#include "alm/period.h"

#include "digits.h"

#include <inttypes.h>
#include <stdio.h>

#define YEAR_MIN   1
#define YEAR_MAX   9999
#define DAY_ZERO   (-719162) // 0001-01-01, a Monday: ordinal 0 of days and of weeks
#define DAY_COUNT  3652059   // days of years 1..9999
#define WEEK_COUNT (DAY_COUNT / 7)

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

// The ordinals of a frequency, both ends included. False: not a frequency.
static bool ordinal_bounds(alm_freq freq, int32_t *ret_min, int32_t *ret_max)
{
    int per_year = alm_freq_per_year(freq);
    if (per_year > 0) {
        *ret_min = YEAR_MIN * per_year;
        *ret_max = YEAR_MAX * per_year + per_year - 1;
        return true;
    }
    *ret_min = 0;
    *ret_max = (freq == ALM_FREQ_WEEK ? WEEK_COUNT : DAY_COUNT) - 1;
    return freq == ALM_FREQ_WEEK || freq == ALM_FREQ_DAY;
}

// ----- Weeks: the ISO year of a week is the calendar year of its Thursday ------------------------

static int32_t week_year(int32_t week)
{
    int32_t year;
    int32_t month;
    int32_t day;
    alm_date_to_ymd(DAY_ZERO + week * 7 + 3, &year, &month, &day);
    return year;
}

// The ordinal of week 1, the one that holds 4 January.
static int32_t first_week(int32_t year)
{
    return (alm_date_from_ymd(year, 1, 4) - DAY_ZERO) / 7;
}

// 52 or 53: the last week of the year is the one that holds 28 December.
static int32_t weeks_in_year(int32_t year)
{
    return (alm_date_from_ymd(year, 12, 28) - DAY_ZERO) / 7 - first_week(year) + 1;
}

// ----- Values ------------------------------------------------------------------------------------

static alm_period unit_period(alm_freq freq, int32_t ordinal)
{
    return (alm_period){.freq = (uint8_t)freq, .length = 1, .ordinal = ordinal};
}

// A run by its first unit and length. ALM_OUT_OF_RANGE: too long, or outside the calendar.
static alm_code make(alm_freq freq, int64_t ordinal, int64_t length, alm_period *ret,
                     alm_status *st)
{
    int32_t min;
    int32_t max;
    bool known = ordinal_bounds(freq, &min, &max);
    ALM_ASSERT(known);
    ALM_ASSERT(length >= 1);
    if (length > ALM_PERIOD_LENGTH_MAX) {
        return alm_status_set(st, ALM_OUT_OF_RANGE,
                              "the period would be %" PRId64 " units long, more than %d", length,
                              ALM_PERIOD_LENGTH_MAX);
    }
    if (ordinal < min || ordinal > max - (length - 1)) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "the period would lie outside years %d..%d",
                              YEAR_MIN, YEAR_MAX);
    }
    *ret = (alm_period){
        .freq = (uint8_t)freq, .length = (uint16_t)length, .ordinal = (int32_t)ordinal};
    return ALM_OK;
}

bool alm_period_valid(alm_period period)
{
    int32_t min;
    int32_t max;
    return ordinal_bounds((alm_freq)period.freq, &min, &max) && period.length >= 1 &&
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

// ----- Reading labels ----------------------------------------------------------------------------

#define LABEL_FORMS                                                                                \
    "2023, 2023-09, 2023-12-31, 2023-S1, 2023-T2, 2023-Q3, 2023-W05, 2021/2025 or 2021-01-01/P5Y"

static alm_code malformed(alm_str label, alm_status *st)
{
    return alm_status_set(st, ALM_INVALID_ARGUMENT,
                          "\"%.*s\" is not a period; expected a form like " LABEL_FORMS,
                          ALM_STR_ARGS(label));
}

// As make, and names the label that was asked for.
static alm_code make_labelled(alm_str label, alm_freq freq, int64_t ordinal, int64_t length,
                              alm_period *ret, alm_status *st)
{
    alm_code code = make(freq, ordinal, length, ret, st);
    if (code != ALM_OK && st != NULL) {
        alm_status_prefix(st, "\"%.*s\"", ALM_STR_ARGS(label));
    }
    return code;
}

// How the number behind a reporting letter is spelled: 2023-S1, 2023-M09, 2023-D032.
static size_t reporting_width(alm_freq freq)
{
    switch (freq) {
    case ALM_FREQ_MONTH:
    case ALM_FREQ_WEEK:
        return 2;
    case ALM_FREQ_DAY:
        return 3;
    default:
        return 1;
    }
}

static int32_t units_in_year(alm_freq freq, int32_t year)
{
    switch (freq) {
    case ALM_FREQ_WEEK:
        return weeks_in_year(year);
    case ALM_FREQ_DAY:
        return 337 + alm_date_days_in_month(year, 2);
    default:
        return alm_freq_per_year(freq);
    }
}

// The ordinal of the number-th unit of the year, from 1.
static int32_t ordinal_of(alm_freq freq, int32_t year, int32_t number)
{
    switch (freq) {
    case ALM_FREQ_WEEK:
        return first_week(year) + number - 1;
    case ALM_FREQ_DAY:
        return alm_date_from_ymd(year, 1, 1) - DAY_ZERO + number - 1;
    default:
        return year * alm_freq_per_year(freq) + number - 1;
    }
}

static alm_code parse_numbered(alm_str label, alm_freq freq, int32_t year, int32_t number,
                               alm_period *ret, alm_status *st)
{
    int32_t count = units_in_year(freq, year);
    if (number < 1 || number > count) {
        return alm_status_set(st, ALM_OUT_OF_RANGE,
                              "there is no period %.*s: %04d counts 1 to %d of this frequency",
                              ALM_STR_ARGS(label), year, count);
    }
    return make_labelled(label, freq, ordinal_of(freq, year, number), 1, ret, st);
}

// What stands behind "YYYY-": MM, or a letter and a number.
static bool split_reporting(alm_str rest, alm_freq *ret_freq, int32_t *ret_number)
{
    if (rest.len == 2 && alm_digits_read(rest, ret_number)) {
        *ret_freq = ALM_FREQ_MONTH;
        return true;
    }
    return rest.len > 1 && alm_freq_from_letter(rest.data[0], ret_freq) &&
           rest.len == 1 + reporting_width(*ret_freq) &&
           alm_digits_read(alm_str_slice(rest, 1, rest.len), ret_number);
}

static alm_code parse_day(alm_str label, alm_period *ret, alm_status *st)
{
    alm_date date;
    alm_code code = alm_date_parse(label, &date, st);
    if (code == ALM_INVALID_ARGUMENT) {
        return malformed(label, st);
    }
    return code != ALM_OK ? code : alm_period_of_date(date, ALM_FREQ_DAY, ret, st);
}

static alm_code parse_unit(alm_str label, alm_period *ret, alm_status *st)
{
    int32_t year;
    if (label.len < 4 || !alm_digits_read(alm_str_slice(label, 0, 4), &year)) {
        return malformed(label, st);
    }
    alm_str rest = alm_str_slice(label, 4, label.len);
    if (rest.len == 6) {
        return parse_day(label, ret, st);
    }
    alm_freq freq = ALM_FREQ_ANNUAL;
    int32_t number = 1;
    if (rest.len > 0 && (rest.data[0] != '-' ||
                         !split_reporting(alm_str_slice(rest, 1, rest.len), &freq, &number))) {
        return malformed(label, st);
    }
    if (year < YEAR_MIN) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "the year of %.*s is outside %d..%d",
                              ALM_STR_ARGS(label), YEAR_MIN, YEAR_MAX);
    }
    return parse_numbered(label, freq, year, number, ret, st);
}

// first/last
static alm_code parse_horizon(alm_str label, alm_str from, alm_str to, alm_period *ret,
                              alm_status *st)
{
    alm_period first;
    alm_period last;
    ALM_TRY(parse_unit(from, &first, st));
    ALM_TRY(parse_unit(to, &last, st));
    if (first.freq != last.freq) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "the ends of \"%.*s\" differ in frequency: %c and %c",
                              ALM_STR_ARGS(label), alm_freq_letter((alm_freq)first.freq),
                              alm_freq_letter((alm_freq)last.freq));
    }
    if (last.ordinal < first.ordinal) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "\"%.*s\" ends before it starts",
                              ALM_STR_ARGS(label));
    }
    return make_labelled(label, (alm_freq)first.freq, first.ordinal,
                         (int64_t)last.ordinal - first.ordinal + 1, ret, st);
}

static bool freq_from_duration(char letter, alm_freq *ret)
{
    // A duration's letters are those of the frequencies, but for the year.
    return letter == 'Y' ? alm_freq_from_letter('A', ret)
                         : (letter == 'M' || letter == 'W' || letter == 'D') &&
                               alm_freq_from_letter(letter, ret);
}

// date/PnY, PnM, PnW, PnD
static alm_code parse_sdmx_range(alm_str label, alm_str from, alm_str duration, alm_period *ret,
                                 alm_status *st)
{
    alm_freq freq;
    int32_t length;
    if (duration.len < 3 || !freq_from_duration(duration.data[duration.len - 1], &freq) ||
        !alm_digits_read(alm_str_slice(duration, 1, duration.len - 1), &length)) {
        return malformed(label, st);
    }
    alm_date start;
    alm_period first;
    ALM_TRY(alm_date_parse(from, &start, st));
    ALM_TRY(alm_period_of_date(start, freq, &first, st));
    if (alm_period_first_day(first) != start) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "\"%.*s\" does not start on the first day of a unit of frequency %c",
                              ALM_STR_ARGS(label), alm_freq_letter(freq));
    }
    if (length < 1) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "\"%.*s\" has no length", ALM_STR_ARGS(label));
    }
    return make_labelled(label, freq, first.ordinal, length, ret, st);
}

alm_code alm_period_parse(alm_str label, alm_period *ret, alm_status *st)
{
    size_t slash = alm_str_find_char(label, '/');
    if (slash == SIZE_MAX) {
        return parse_unit(label, ret, st);
    }
    alm_str from = alm_str_slice(label, 0, slash);
    alm_str to = alm_str_slice(label, slash + 1, label.len);
    if (to.len > 0 && to.data[0] == 'P') {
        return parse_sdmx_range(label, from, to, ret, st);
    }
    return parse_horizon(label, from, to, ret, st);
}

// ----- Writing labels ----------------------------------------------------------------------------

static size_t format_unit(alm_freq freq, int32_t ordinal, char *out, size_t cap)
{
    int per_year = alm_freq_per_year(freq);
    if (freq == ALM_FREQ_ANNUAL) {
        return (size_t)snprintf(out, cap, "%04d", ordinal);
    }
    if (freq == ALM_FREQ_MONTH) {
        return (size_t)snprintf(out, cap, "%04d-%02d", ordinal / 12, ordinal % 12 + 1);
    }
    if (freq == ALM_FREQ_WEEK) {
        int32_t year = week_year(ordinal);
        return (size_t)snprintf(out, cap, "%04d-W%02d", year, ordinal - first_week(year) + 1);
    }
    if (freq == ALM_FREQ_DAY) {
        return alm_date_format(DAY_ZERO + ordinal, out);
    }
    return (size_t)snprintf(out, cap, "%04d-%c%d", ordinal / per_year, alm_freq_letter(freq),
                            ordinal % per_year + 1);
}

size_t alm_period_format(alm_period period, char *out)
{
    if (period.freq == ALM_FREQ_NONE) {
        out[0] = '\0';
        return 0;
    }
    ALM_ASSERT(alm_period_valid(period));
    alm_freq freq = (alm_freq)period.freq;
    char unit[ALM_PERIOD_TEXT_MAX];
    size_t len = format_unit(freq, period.ordinal, unit, sizeof unit);
    memcpy(out, unit, len + 1);
    if (period.length > 1) {
        out[len++] = '/';
        size_t last_len = format_unit(freq, period.ordinal + period.length - 1, unit, sizeof unit);
        ALM_ASSERT(len + last_len < ALM_PERIOD_TEXT_MAX);
        memcpy(out + len, unit, last_len + 1);
        len += last_len;
    }
    return len;
}

// ----- Days --------------------------------------------------------------------------------------

// The first day of a unit; one past the calendar's last unit gives the day after its end.
static alm_date day_of_ordinal(alm_freq freq, int32_t ordinal)
{
    if (freq == ALM_FREQ_DAY) {
        return DAY_ZERO + ordinal;
    }
    if (freq == ALM_FREQ_WEEK) {
        return DAY_ZERO + ordinal * 7;
    }
    int per_year = alm_freq_per_year(freq);
    ALM_ASSERT(per_year > 0);
    int32_t month = ordinal * (12 / per_year);
    if (month / 12 > YEAR_MAX) {
        return DAY_ZERO + DAY_COUNT;
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
        return date - DAY_ZERO;
    }
    if (freq == ALM_FREQ_WEEK) {
        return (date - DAY_ZERO) / 7;
    }
    int per_year = alm_freq_per_year(freq);
    ALM_ASSERT(per_year > 0);
    alm_date_to_ymd(date, &year, &month, &day);
    return (year * 12 + month - 1) / (12 / per_year);
}

alm_code alm_period_of_date(alm_date date, alm_freq freq, alm_period *ret, alm_status *st)
{
    ALM_ASSERT(alm_date_valid(date));
    return make(freq, ordinal_of_date(date, freq), 1, ret, st);
}

static int32_t year_of_ordinal(alm_freq freq, int32_t ordinal)
{
    int32_t year;
    int32_t month;
    int32_t day;
    if (freq == ALM_FREQ_WEEK) {
        return week_year(ordinal);
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
    return make((alm_freq)period.freq, ordinal, period.length, ret, st);
}

static alm_code year_later(int32_t year, int64_t n, int32_t *ret, alm_status *st)
{
    if (n < YEAR_MIN - year || n > YEAR_MAX - year) {
        return alm_status_set(st, ALM_OUT_OF_RANGE,
                              "%" PRId64 " years from %04d is outside years %d..%d", n, year,
                              YEAR_MIN, YEAR_MAX);
    }
    *ret = year + (int32_t)n;
    return ALM_OK;
}

static alm_code add_years_to_day(int32_t ordinal, int64_t n, int32_t *ret, alm_status *st)
{
    int32_t year;
    int32_t month;
    int32_t day;
    alm_date_to_ymd(DAY_ZERO + ordinal, &year, &month, &day);
    ALM_TRY(year_later(year, n, &year, st));
    day = ALM_MIN(day, alm_date_days_in_month(year, month));
    *ret = alm_date_from_ymd(year, month, day) - DAY_ZERO;
    return ALM_OK;
}

static alm_code add_years_to_week(int32_t ordinal, int64_t n, int32_t *ret, alm_status *st)
{
    int32_t year = week_year(ordinal);
    int32_t week = ordinal - first_week(year) + 1;
    ALM_TRY(year_later(year, n, &year, st));
    if (week > weeks_in_year(year)) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "%04d has no week %d", year, week);
    }
    *ret = first_week(year) + week - 1;
    return ALM_OK;
}

alm_code alm_period_add_years(alm_period period, int64_t n, alm_period *ret, alm_status *st)
{
    ALM_ASSERT(alm_period_valid(period));
    alm_freq freq = (alm_freq)period.freq;
    int per_year = alm_freq_per_year(freq);
    if (per_year > 0) {
        // Farther than the calendar is long: out of range without a chance to overflow.
        int64_t years = ALM_MAX(-YEAR_MAX, ALM_MIN(YEAR_MAX, n));
        return make(freq, period.ordinal + years * per_year, period.length, ret, st);
    }
    alm_code (*move)(int32_t, int64_t, int32_t *, alm_status *) =
        freq == ALM_FREQ_WEEK ? add_years_to_week : add_years_to_day;
    int32_t first;
    int32_t last;
    ALM_TRY(move(period.ordinal, n, &first, st));
    ALM_TRY(move(period.ordinal + period.length - 1, n, &last, st));
    return make(freq, first, (int64_t)last - first + 1, ret, st);
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
    int32_t first = ordinal_of(freq, alm_period_year(period), 1);
    alm_period to_date;
    if (make(freq, first, (int64_t)period.ordinal + period.length - first, &to_date, NULL) !=
        ALM_OK) {
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
    return make(to, first.ordinal, (int64_t)last.ordinal - first.ordinal + 1, ret, st);
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
    return unit_period((alm_freq)period.freq, period.ordinal + (int32_t)i);
}
