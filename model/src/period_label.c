#include "calendar.h"
#include "digits.h"

#include <stdio.h>

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
    alm_code code = calendar_period(freq, ordinal, length, ret, st);
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

static alm_code parse_numbered(alm_str label, alm_freq freq, int32_t year, int32_t number,
                               alm_period *ret, alm_status *st)
{
    int32_t count = calendar_units_in_year(freq, year);
    if (number < 1 || number > count) {
        return alm_status_set(st, ALM_OUT_OF_RANGE,
                              "there is no period %.*s: %04d counts 1 to %d of this frequency",
                              ALM_STR_ARGS(label), year, count);
    }
    return make_labelled(label, freq, calendar_ordinal(freq, year, number), 1, ret, st);
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
    if (year < CALENDAR_YEAR_MIN) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "the year of %.*s is outside %d..%d",
                              ALM_STR_ARGS(label), CALENDAR_YEAR_MIN, CALENDAR_YEAR_MAX);
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

// Digits with zeros in front; returns how many. Answers are full of labels, and printf is slow.
static size_t put_digits(char *out, int32_t number, size_t width)
{
    for (size_t i = width; i-- > 0; number /= 10) {
        out[i] = (char)('0' + number % 10);
    }
    return width;
}

static size_t format_unit(alm_freq freq, int32_t ordinal, char *out)
{
    int per_year = alm_freq_per_year(freq);
    if (freq == ALM_FREQ_DAY) {
        return alm_date_format(CALENDAR_DAY_ZERO + ordinal, out);
    }
    bool is_week = freq == ALM_FREQ_WEEK;
    int32_t year = is_week ? calendar_week_year(ordinal) : ordinal / per_year;
    int32_t number = is_week ? ordinal - calendar_first_week(year) : ordinal % per_year;
    size_t len = put_digits(out, year, 4);
    if (freq != ALM_FREQ_ANNUAL) {
        out[len++] = '-';
        if (freq != ALM_FREQ_MONTH) {
            out[len++] = alm_freq_letter(freq);
        }
        len += put_digits(out + len, number + 1, per_year > 9 || is_week ? 2 : 1);
    }
    out[len] = '\0';
    return len;
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
    size_t len = format_unit(freq, period.ordinal, unit);
    memcpy(out, unit, len + 1);
    if (period.length > 1) {
        out[len++] = '/';
        size_t last_len = format_unit(freq, period.ordinal + period.length - 1, unit);
        ALM_ASSERT(len + last_len < ALM_PERIOD_TEXT_MAX);
        memcpy(out + len, unit, last_len + 1);
        len += last_len;
    }
    return len;
}
