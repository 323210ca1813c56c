// Periods against a calendar that is walked day by day from 0001-01-01 with nothing but the rule of
// leap years, and the rule that a week belongs to the year of its Thursday. First the whole table,
// then millions of random cases.
#include "alm/period.h"

#include "test_random.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

#define CASE_COUNT 200000 // of each property
#define DAY_COUNT  3652059
#define EPOCH      719162 // 1970-01-01 in days since 0001-01-01; checked by the first test

// ----- The slow calendar -------------------------------------------------------------------------

typedef struct day {
    uint16_t year;
    uint8_t month;
    uint8_t day;
} day;

// The units of one frequency, in order: where each begins, and what its label says.
typedef struct unit {
    int32_t first; // index of its first day
    uint16_t year;
    uint16_t number; // within the year, from 1
} unit;

static day days[DAY_COUNT];
static unit unit_space[DAY_COUNT + 9999 * 22 + DAY_COUNT / 7 + 64];
static unit *units[ALM_FREQ_DAY + 1];
static int32_t unit_count[ALM_FREQ_DAY + 1];

static const alm_freq freqs[] = {ALM_FREQ_ANNUAL,  ALM_FREQ_SEMESTER, ALM_FREQ_TRIMESTER,
                                 ALM_FREQ_QUARTER, ALM_FREQ_MONTH,    ALM_FREQ_WEEK,
                                 ALM_FREQ_DAY};

static int month_length(int year, int month)
{
    if (month == 2) {
        bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
        return leap ? 29 : 28;
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static void walk_the_days(void)
{
    day today = {.year = 1, .month = 1, .day = 1};
    for (int32_t i = 0; i < DAY_COUNT; i++) {
        days[i] = today;
        today.day++;
        if (today.day > month_length(today.year, today.month)) {
            today.day = 1;
            today.month++;
        }
        if (today.month > 12) {
            today.month = 1;
            today.year++;
        }
    }
}

static int months_per_unit(alm_freq freq)
{
    static const int months[] = {0, 12, 6, 4, 3, 1, 0, 0};
    return months[freq];
}

static unit *collect_months(alm_freq freq, unit *at)
{
    int span = months_per_unit(freq);
    for (int32_t i = 0; i < DAY_COUNT; i++) {
        if (days[i].day == 1 && (days[i].month - 1) % span == 0) {
            *at++ = (unit){i, days[i].year, (uint16_t)((days[i].month - 1) / span + 1)};
        }
    }
    return at;
}

// Day 0 is a Monday. The k-th Thursday of a year is in week k.
static unit *collect_weeks(unit *at)
{
    int year = 0;
    uint16_t thursdays = 0;
    for (int32_t i = 3; i + 3 < DAY_COUNT; i += 7) {
        thursdays = days[i].year == year ? thursdays + 1 : 1;
        year = days[i].year;
        *at++ = (unit){i - 3, days[i].year, thursdays};
    }
    return at;
}

static unit *collect_days(unit *at)
{
    uint16_t number = 0;
    for (int32_t i = 0; i < DAY_COUNT; i++) {
        number = days[i].month == 1 && days[i].day == 1 ? 1 : number + 1;
        *at++ = (unit){i, days[i].year, number};
    }
    return at;
}

static int build_the_calendar(void **state)
{
    (void)state;
    walk_the_days();
    unit *at = unit_space;
    for (size_t f = 0; f < ALM_ARRAY_LEN(freqs); f++) {
        alm_freq freq = freqs[f];
        units[freq] = at;
        at = freq == ALM_FREQ_DAY    ? collect_days(at)
             : freq == ALM_FREQ_WEEK ? collect_weeks(at)
                                     : collect_months(freq, at);
        unit_count[freq] = (int32_t)(at - units[freq]);
    }
    return 0;
}

// The ordinal of the k-th unit that exists, from 0: year 1 does not begin at ordinal 0.
static int32_t ordinal_at(alm_freq freq, int32_t k)
{
    return k + (months_per_unit(freq) > 0 ? 12 / months_per_unit(freq) : 0);
}

// The index of the unit that holds a day; -1 for the cut-off week at the end.
static int32_t unit_of_day(alm_freq freq, int32_t i)
{
    int32_t low = 0;
    int32_t high = unit_count[freq];
    while (high - low > 1) {
        int32_t mid = low + (high - low) / 2;
        *(units[freq][mid].first <= i ? &low : &high) = mid;
    }
    return freq == ALM_FREQ_WEEK && i >= units[freq][low].first + 7 ? -1 : low;
}

static int32_t end_of_unit(alm_freq freq, int32_t k) // first day behind it
{
    if (freq == ALM_FREQ_WEEK) {
        return units[freq][k].first + 7;
    }
    return k + 1 < unit_count[freq] ? units[freq][k + 1].first : DAY_COUNT;
}

// ----- Random periods, known to the slow calendar ------------------------------------------------

typedef struct run {
    alm_freq freq;
    int32_t k; // index of the first unit
    int32_t length;
    alm_period period;
} run;

static run run_of(alm_freq freq, int32_t k, int32_t length)
{
    return (run){.freq = freq,
                 .k = k,
                 .length = length,
                 .period = {.freq = (uint8_t)freq,
                            .length = (uint16_t)length,
                            .ordinal = ordinal_at(freq, k)}};
}

static run random_run(test_random *r)
{
    alm_freq freq = freqs[test_random_below(r, ALM_ARRAY_LEN(freqs))];
    int32_t count = unit_count[freq];
    int32_t longest = ALM_MIN(count, ALM_PERIOD_LENGTH_MAX);
    int32_t length = 1;
    if (test_random_one_in(r, 3)) {
        length += (int32_t)test_random_below(r, test_random_one_in(r, 4) ? (uint32_t)longest : 40);
    }
    int32_t last = count - length; // the greatest start
    int32_t k = (int32_t)test_random_below(r, (uint32_t)last + 1);
    if (test_random_one_in(r, 10)) {
        k = test_random_one_in(r, 2) ? last - ALM_MIN(last, k % 3) : ALM_MIN(last, k % 3);
    }
    return run_of(freq, k, length);
}

static bool is_run(alm_period got, alm_freq freq, int32_t k, int32_t length)
{
    return alm_period_eq(got, run_of(freq, k, length).period);
}

static int32_t first_day(run p)
{
    return units[p.freq][p.k].first;
}

static int32_t last_day(run p)
{
    return end_of_unit(p.freq, p.k + p.length - 1) - 1;
}

static size_t unit_label(alm_freq freq, unit u, char *out, size_t cap)
{
    day d = days[u.first];
    switch (freq) {
    case ALM_FREQ_ANNUAL:
        return (size_t)snprintf(out, cap, "%04d", u.year);
    case ALM_FREQ_MONTH:
        return (size_t)snprintf(out, cap, "%04d-%02d", u.year, u.number);
    case ALM_FREQ_WEEK:
        return (size_t)snprintf(out, cap, "%04d-W%02d", u.year, u.number);
    case ALM_FREQ_DAY:
        return (size_t)snprintf(out, cap, "%04d-%02d-%02d", d.year, d.month, d.day);
    default:
        return (size_t)snprintf(out, cap, "%04d-%c%d", u.year,
                                freq == ALM_FREQ_QUARTER    ? 'Q'
                                : freq == ALM_FREQ_SEMESTER ? 'S'
                                                            : 'T',
                                u.number);
    }
}

static void run_label(run p, char *out, size_t cap)
{
    size_t len = unit_label(p.freq, units[p.freq][p.k], out, cap);
    if (p.length > 1) {
        out[len++] = '/';
        unit_label(p.freq, units[p.freq][p.k + p.length - 1], out + len, cap - len);
    }
}

// ----- The whole table ---------------------------------------------------------------------------

static void every_day_is_itself(void **state)
{
    (void)state;
    alm_date date = alm_date_from_ymd(1, 1, 1);
    assert_int_equal(date, -EPOCH);
    assert_int_equal(alm_date_from_ymd(1970, 1, 1), 0);
    for (int32_t i = 0; i < DAY_COUNT; i++, date++) {
        int32_t year;
        int32_t month;
        int32_t day_of_month;
        alm_date_to_ymd(date, &year, &month, &day_of_month);
        bool same = year == days[i].year && month == days[i].month && day_of_month == days[i].day &&
                    alm_date_from_ymd(year, month, day_of_month) == date;
        if (!same) {
            fail_msg("day %d is %d-%d-%d, not %d-%d-%d", i, days[i].year, days[i].month,
                     days[i].day, year, month, day_of_month);
        }
    }
    assert_true(alm_date_valid(date - 1));
    assert_false(alm_date_valid(date));
}

static void every_week_is_itself(void **state)
{
    (void)state;
    for (int32_t k = 0; k < unit_count[ALM_FREQ_WEEK]; k++) {
        run p = run_of(ALM_FREQ_WEEK, k, 1);
        char want[ALM_PERIOD_TEXT_MAX * 2];
        char got[ALM_PERIOD_TEXT_MAX];
        alm_period back;
        run_label(p, want, sizeof want);
        alm_period_format(p.period, got);
        if (strcmp(got, want) != 0 || alm_period_parse(alm_str_from(want), &back, NULL) != ALM_OK ||
            !alm_period_eq(back, p.period) || alm_period_first_day(back) != first_day(p) - EPOCH ||
            alm_period_year(back) != units[ALM_FREQ_WEEK][k].year) {
            fail_msg("week %d is %s, not %s", k, want, got);
        }
    }
}

static void counts_of_units_are_the_bounds(void **state)
{
    (void)state;
    for (size_t f = 0; f < ALM_ARRAY_LEN(freqs); f++) {
        int32_t count = unit_count[freqs[f]];
        assert_true(alm_period_valid(run_of(freqs[f], 0, 1).period));
        assert_true(alm_period_valid(run_of(freqs[f], count - 1, 1).period));
        assert_false(alm_period_valid(run_of(freqs[f], -1, 1).period));
        assert_false(alm_period_valid(run_of(freqs[f], count, 1).period));
        assert_false(alm_period_valid(run_of(freqs[f], count - 1, 2).period));
    }
}

// ----- Properties --------------------------------------------------------------------------------

typedef struct property {
    const char *name;
    bool (*holds)(test_random *r, run p);
} property;

static bool labels_read_back(test_random *r, run p)
{
    (void)r;
    char want[ALM_PERIOD_TEXT_MAX * 2];
    char got[ALM_PERIOD_TEXT_MAX];
    alm_period back;
    run_label(p, want, sizeof want);
    return alm_period_valid(p.period) && alm_period_format(p.period, got) == strlen(want) &&
           strcmp(got, want) == 0 && alm_period_parse(alm_str_from(got), &back, NULL) == ALM_OK &&
           alm_period_eq(back, p.period);
}

static bool days_are_the_calendars(test_random *r, run p)
{
    (void)r;
    return alm_period_first_day(p.period) == first_day(p) - EPOCH &&
           alm_period_last_day(p.period) == last_day(p) - EPOCH &&
           alm_period_year(p.period) == units[p.freq][p.k].year &&
           alm_period_last_year(p.period) == units[p.freq][p.k + p.length - 1].year;
}

static bool adding_steps_by_its_length(test_random *r, run p)
{
    int64_t n = (int64_t)test_random_below(r, 2001) - 1000;
    if (test_random_one_in(r, 20)) {
        n = (int64_t)test_random_next(r);
    }
    __int128 k = (__int128)n * p.length + p.k;
    alm_period got;
    alm_code code = alm_period_add(p.period, n, &got, NULL);
    if (k < 0 || k + p.length > unit_count[p.freq]) {
        return code == ALM_OUT_OF_RANGE;
    }
    return code == ALM_OK && is_run(got, p.freq, (int32_t)k, p.length) &&
           (p.length != 1 || alm_period_diff(p.period, got) == n);
}

// The unit of the year with this number, by looking; -1 if there is none.
static int32_t find_unit(alm_freq freq, int64_t year, int number)
{
    if (year < 1 || year > 9999) {
        return -1;
    }
    // Somewhere near the year's share of all units, then step by step.
    int64_t k = (year - 1) * unit_count[freq] / 9999 - 3;
    for (k = k < 0 ? 0 : k; k < unit_count[freq] && units[freq][k].year <= year; k++) {
        if (units[freq][k].year == year && units[freq][k].number == number) {
            return (int32_t)k;
        }
    }
    return -1;
}

static int32_t unit_years_later(alm_freq freq, int32_t k, int64_t n)
{
    unit u = units[freq][k];
    if (freq != ALM_FREQ_DAY) {
        return find_unit(freq, u.year + n, u.number);
    }
    day d = days[k];
    int32_t month = find_unit(ALM_FREQ_MONTH, d.year + n, d.month);
    if (month < 0) {
        return -1;
    }
    int length = month_length((int)(d.year + n), d.month);
    return units[ALM_FREQ_MONTH][month].first + (d.day > length ? length : d.day) - 1;
}

static bool years_keep_the_place_in_the_year(test_random *r, run p)
{
    int64_t n = (int64_t)test_random_below(r, 61) - 30;
    if (test_random_one_in(r, 20)) {
        n = (int64_t)test_random_next(r) / 4;
    }
    int32_t first = unit_years_later(p.freq, p.k, n);
    int32_t last = unit_years_later(p.freq, p.k + p.length - 1, n);
    alm_period got;
    alm_code code = alm_period_add_years(p.period, n, &got, NULL);
    if (first < 0 || last < 0 || last - first + 1 > ALM_PERIOD_LENGTH_MAX) {
        return code == ALM_OUT_OF_RANGE;
    }
    return code == ALM_OK && is_run(got, p.freq, first, last - first + 1);
}

static bool contraction_finds_the_one_holder(test_random *r, run p)
{
    alm_freq to = freqs[test_random_below(r, ALM_ARRAY_LEN(freqs))];
    int32_t first = unit_of_day(to, first_day(p));
    int32_t last = unit_of_day(to, last_day(p));
    alm_period got;
    alm_code code = alm_period_contract(p.period, to, &got, NULL);
    if (first < 0 || first != last) {
        return code == ALM_OUT_OF_RANGE;
    }
    return code == ALM_OK && is_run(got, to, first, 1) && alm_period_contains(got, p.period);
}

static bool expansion_tiles_exactly(test_random *r, run p)
{
    alm_freq to = freqs[test_random_below(r, ALM_ARRAY_LEN(freqs))];
    int32_t first = unit_of_day(to, first_day(p));
    int32_t last = unit_of_day(to, last_day(p));
    alm_period got;
    alm_code code = alm_period_expand(p.period, to, &got, NULL);
    bool tiles = first >= 0 && last >= 0 && units[to][first].first == first_day(p) &&
                 end_of_unit(to, last) - 1 == last_day(p);
    if (!tiles || last - first + 1 > ALM_PERIOD_LENGTH_MAX) {
        return code == ALM_OUT_OF_RANGE;
    }
    return code == ALM_OK && is_run(got, to, first, last - first + 1);
}

static bool dates_fall_into_their_unit(test_random *r, run p)
{
    int32_t i = (int32_t)test_random_below(r, DAY_COUNT);
    int32_t k = unit_of_day(p.freq, i);
    alm_period got;
    alm_code code = alm_period_of_date(i - EPOCH, p.freq, &got, NULL);
    return k < 0 ? code == ALM_OUT_OF_RANGE : code == ALM_OK && is_run(got, p.freq, k, 1);
}

static bool containment_is_by_days(test_random *r, run p)
{
    run q = random_run(r);
    if (test_random_one_in(r, 2)) {
        // One that is likely to lie inside or across an end.
        int32_t i = ALM_MAX(0, first_day(p) - 20) +
                    (int32_t)test_random_below(r, (uint32_t)(last_day(p) - first_day(p)) + 40);
        q = run_of(ALM_FREQ_DAY, ALM_MIN(i, DAY_COUNT - 40), 1 + (int32_t)test_random_below(r, 40));
    }
    bool want = first_day(p) <= first_day(q) && last_day(p) >= last_day(q);
    return alm_period_contains(p.period, q.period) == want;
}

static bool year_to_date_starts_with_the_year(test_random *r, run p)
{
    (void)r;
    int32_t first = find_unit(p.freq, units[p.freq][p.k].year, 1);
    int32_t length = p.k + p.length - first;
    alm_period got = alm_period_year_to_date(p.period);
    return length > ALM_PERIOD_LENGTH_MAX ? got.freq == ALM_FREQ_NONE
                                          : is_run(got, p.freq, first, length);
}

static bool packed_order_is_order(test_random *r, run p)
{
    run q = random_run(r);
    if (test_random_one_in(r, 2)) {
        q = p;
        q.period.length = (uint16_t)(1 + test_random_below(r, p.period.length));
    }
    uint64_t a = alm_period_pack(p.period);
    uint64_t b = alm_period_pack(q.period);
    alm_period back;
    return alm_period_cmp(p.period, q.period) == (a > b) - (a < b) && a >> 56 == 0 &&
           alm_period_unpack(a, &back) && alm_period_eq(back, p.period);
}

static bool unpacking_refuses_what_is_not_packed(test_random *r, run p)
{
    // A packed period with one bit turned, or noise: either invalid, or what packs to the same.
    uint64_t packed = test_random_one_in(r, 4)
                          ? test_random_next(r)
                          : alm_period_pack(p.period) ^ UINT64_C(1) << test_random_below(r, 64);
    alm_period got;
    if (!alm_period_unpack(packed, &got)) {
        alm_period raw = {.freq = (uint8_t)(packed >> 48),
                          .length = (uint16_t)packed,
                          .ordinal = (int32_t)(packed >> 16 & INT32_MAX)};
        return packed >> 56 != 0 || (packed >> 47 & 1) != 0 || !alm_period_valid(raw);
    }
    return alm_period_valid(got) && alm_period_pack(got) == packed;
}

static bool units_of_a_run_are_its_parts(test_random *r, run p)
{
    uint32_t i = test_random_below(r, (uint32_t)p.length);
    return is_run(alm_period_unit(p.period, i), p.freq, p.k + (int32_t)i, 1);
}

static const property properties[] = {
    {"labels read back", labels_read_back},
    {"days are the calendar's", days_are_the_calendars},
    {"adding steps by the length", adding_steps_by_its_length},
    {"years keep the place in the year", years_keep_the_place_in_the_year},
    {"contraction finds the one holder", contraction_finds_the_one_holder},
    {"expansion tiles exactly", expansion_tiles_exactly},
    {"dates fall into their unit", dates_fall_into_their_unit},
    {"containment is by days", containment_is_by_days},
    {"year to date starts with the year", year_to_date_starts_with_the_year},
    {"packed order is order", packed_order_is_order},
    {"unpacking refuses what is not packed", unpacking_refuses_what_is_not_packed},
    {"units of a run are its parts", units_of_a_run_are_its_parts},
};

static void holds(void **state)
{
    const property *claim = *state;
    test_random r = test_random_start();
    for (int i = 0; i < CASE_COUNT; i++) {
        run p = random_run(&r);
        if (!claim->holds(&r, p)) {
            char label[ALM_PERIOD_TEXT_MAX * 2];
            run_label(p, label, sizeof label);
            fail_msg("ALM_TEST_SEED=%" PRIu64 " case %d: %s", r.seed, i, label);
        }
    }
}

int main(void)
{
    static test_list list;
    TEST_ADD(&list, every_day_is_itself);
    TEST_ADD(&list, every_week_is_itself);
    TEST_ADD(&list, counts_of_units_are_the_bounds);
    TEST_ADD_ROWS(&list, holds, properties, name)
    return _cmocka_run_group_tests("period_prop", list.tests, list.count, build_the_calendar, NULL);
}
