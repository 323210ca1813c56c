// Periods and dates: rows of labels, and every period of 1995 to 2030. The random cases are in
// period_prop_test.c.
#include "alm/period.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

static alm_period period(const char *label)
{
    alm_period p = {0};
    alm_status st = ALM_STATUS_INIT;
    if (alm_period_parse(alm_str_from(label), &p, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
    return p;
}

static void assert_label(alm_period p, const char *want)
{
    char label[ALM_PERIOD_TEXT_MAX];
    assert_int_equal(alm_period_format(p, label), strlen(want));
    assert_string_equal(label, want);
}

static void assert_day(alm_date date, const char *want)
{
    char text[ALM_PERIOD_TEXT_MAX];
    assert_int_equal(alm_date_format(date, text), strlen(want));
    assert_string_equal(text, want);
}

// ----- Labels ------------------------------------------------------------------------------------

typedef struct label_row {
    const char *input, *canonical;
    alm_freq freq;
    int length;
    const char *first_day, *last_day;
} label_row;

static const label_row label_rows[] = {
    {"2023", "2023", ALM_FREQ_ANNUAL, 1, "2023-01-01", "2023-12-31"},
    {"2023-A1", "2023", ALM_FREQ_ANNUAL, 1, "2023-01-01", "2023-12-31"},
    {"0001", "0001", ALM_FREQ_ANNUAL, 1, "0001-01-01", "0001-12-31"},
    {"9999", "9999", ALM_FREQ_ANNUAL, 1, "9999-01-01", "9999-12-31"},
    {"2023-S2", "2023-S2", ALM_FREQ_SEMESTER, 1, "2023-07-01", "2023-12-31"},
    {"2024-T1", "2024-T1", ALM_FREQ_TRIMESTER, 1, "2024-01-01", "2024-04-30"},
    {"2023-T3", "2023-T3", ALM_FREQ_TRIMESTER, 1, "2023-09-01", "2023-12-31"},
    {"2023-Q4", "2023-Q4", ALM_FREQ_QUARTER, 1, "2023-10-01", "2023-12-31"},
    {"2023-09", "2023-09", ALM_FREQ_MONTH, 1, "2023-09-01", "2023-09-30"},
    {"2023-M09", "2023-09", ALM_FREQ_MONTH, 1, "2023-09-01", "2023-09-30"},
    {"2024-02", "2024-02", ALM_FREQ_MONTH, 1, "2024-02-01", "2024-02-29"},
    {"1900-02", "1900-02", ALM_FREQ_MONTH, 1, "1900-02-01", "1900-02-28"},
    {"2000-02", "2000-02", ALM_FREQ_MONTH, 1, "2000-02-01", "2000-02-29"},
    {"9999-12", "9999-12", ALM_FREQ_MONTH, 1, "9999-12-01", "9999-12-31"},
    // The week that holds 1 January 2023, a Sunday, is the last of 2022.
    {"2022-W52", "2022-W52", ALM_FREQ_WEEK, 1, "2022-12-26", "2023-01-01"},
    {"2023-W05", "2023-W05", ALM_FREQ_WEEK, 1, "2023-01-30", "2023-02-05"},
    {"2020-W53", "2020-W53", ALM_FREQ_WEEK, 1, "2020-12-28", "2021-01-03"},
    {"0001-W01", "0001-W01", ALM_FREQ_WEEK, 1, "0001-01-01", "0001-01-07"},
    {"2023-12-31", "2023-12-31", ALM_FREQ_DAY, 1, "2023-12-31", "2023-12-31"},
    {"2023-D032", "2023-02-01", ALM_FREQ_DAY, 1, "2023-02-01", "2023-02-01"},
    {"2024-D366", "2024-12-31", ALM_FREQ_DAY, 1, "2024-12-31", "2024-12-31"},
    {"2021/2025", "2021/2025", ALM_FREQ_ANNUAL, 5, "2021-01-01", "2025-12-31"},
    {"2023/2023", "2023", ALM_FREQ_ANNUAL, 1, "2023-01-01", "2023-12-31"},
    {"2023-01/2023-09", "2023-01/2023-09", ALM_FREQ_MONTH, 9, "2023-01-01", "2023-09-30"},
    {"2023-Q1/2023-Q3", "2023-Q1/2023-Q3", ALM_FREQ_QUARTER, 3, "2023-01-01", "2023-09-30"},
    {"2020-W53/2021-W01", "2020-W53/2021-W01", ALM_FREQ_WEEK, 2, "2020-12-28", "2021-01-10"},
    {"2021-01-01/P5Y", "2021/2025", ALM_FREQ_ANNUAL, 5, "2021-01-01", "2025-12-31"},
    {"2023-01-01/P1Y", "2023", ALM_FREQ_ANNUAL, 1, "2023-01-01", "2023-12-31"},
    {"2023-01-01/P9M", "2023-01/2023-09", ALM_FREQ_MONTH, 9, "2023-01-01", "2023-09-30"},
    {"2023-01-02/P2W", "2023-W01/2023-W02", ALM_FREQ_WEEK, 2, "2023-01-02", "2023-01-15"},
    {"2023-02-24/P10D", "2023-02-24/2023-03-05", ALM_FREQ_DAY, 10, "2023-02-24", "2023-03-05"},
    {"2023-W01/2023-W01", "2023-W01", ALM_FREQ_WEEK, 1, "2023-01-02", "2023-01-08"},
};

static void reads_labels(void **state)
{
    const label_row *row = *state;
    alm_period p = period(row->input);
    assert_int_equal(p.freq, row->freq);
    assert_int_equal(p.length, row->length);
    assert_label(p, row->canonical);
    assert_day(alm_period_first_day(p), row->first_day);
    assert_day(alm_period_last_day(p), row->last_day);
    assert_true(alm_period_eq(period(row->canonical), p));
}

typedef struct bad_row {
    const char *input;
    alm_code code;
    const char *says;
} bad_row;

static const bad_row bad_rows[] = {
    {"", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"23", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"20230", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-9", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-009", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-q1", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-Q01", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-Q", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023Q1", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-X1", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-W5", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-M9", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-D32", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023/12/31", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-12-1", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-1a-01", ALM_INVALID_ARGUMENT, "expected a form like"},
    {" 2023", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023 ", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"-2023", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"+023", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023年", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"/", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023/", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"/2023", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2021/2023/2025", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2025/2021", ALM_INVALID_ARGUMENT, "ends before it starts"},
    {"2021/2023-Q1", ALM_INVALID_ARGUMENT, "differ in frequency: A and Q"},
    {"2023-01-01/P", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-01-01/PY", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-01-01/P5", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-01-01/P5A", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-01-01/P5Q", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-01-01/P1Y6M", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023-01-01/P-1Y", ALM_INVALID_ARGUMENT, "expected a form like"},
    {"2023/P5Y", ALM_INVALID_ARGUMENT, "YYYY-MM-DD"},
    {"2023-02-01/P5Y", ALM_INVALID_ARGUMENT, "first day of a unit of frequency A"},
    {"2023-02-02/P5M", ALM_INVALID_ARGUMENT, "first day of a unit of frequency M"},
    {"2023-01-01/P1W", ALM_INVALID_ARGUMENT, "first day of a unit of frequency W"},
    {"0000", ALM_OUT_OF_RANGE, "outside 1..9999"},
    {"0000-Q1", ALM_OUT_OF_RANGE, "outside 1..9999"},
    {"2023-00", ALM_OUT_OF_RANGE, "there is no period 2023-00"},
    {"2023-13", ALM_OUT_OF_RANGE, "counts 1 to 12"},
    {"2023-Q5", ALM_OUT_OF_RANGE, "counts 1 to 4"},
    {"2023-Q0", ALM_OUT_OF_RANGE, "counts 1 to 4"},
    {"2023-S3", ALM_OUT_OF_RANGE, "counts 1 to 2"},
    {"2023-T4", ALM_OUT_OF_RANGE, "counts 1 to 3"},
    {"2023-A2", ALM_OUT_OF_RANGE, "counts 1 to 1"},
    {"2023-W53", ALM_OUT_OF_RANGE, "counts 1 to 52"},
    {"2020-W54", ALM_OUT_OF_RANGE, "counts 1 to 53"},
    {"2023-D366", ALM_OUT_OF_RANGE, "counts 1 to 365"},
    {"2023-02-29", ALM_OUT_OF_RANGE, "no day 2023-02-29"},
    {"2023-04-31", ALM_OUT_OF_RANGE, "no day 2023-04-31"},
    {"9999-W52", ALM_OUT_OF_RANGE, "\"9999-W52\""},
    {"0001-01-01/P10001D", ALM_OUT_OF_RANGE, "10001 units long"},
    {"2023-01-01/P999999999Y", ALM_OUT_OF_RANGE, "999999999 units long"},
    {"2023-01-01/P0Y", ALM_OUT_OF_RANGE, "no length"},
    {"9999-01-01/P2Y", ALM_OUT_OF_RANGE, "outside years"},
    {"0001-01-01/9999-12-31", ALM_OUT_OF_RANGE, "units long"},
};

static void refuses_labels(void **state)
{
    const bad_row *row = *state;
    alm_period got = {.ordinal = 7};
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_period_parse(alm_str_from(row->input), &got, &st), row->code);
    assert_int_equal(alm_period_parse(alm_str_from(row->input), &got, NULL), row->code);
    assert_int_equal(st.code, row->code);
    if (strstr(st.message, row->says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", st.message, row->says);
    }
    assert_int_equal(got.ordinal, 7);
}

static void has_no_label_for_no_period(void **state)
{
    (void)state;
    assert_label((alm_period){0}, "");
    assert_false(alm_period_valid((alm_period){0}));
}

// Every unit of every frequency from 1995 to 2030: reads back, follows its neighbour without a gap,
// and packs in order.
static void every_period_of_a_working_life(void **state)
{
    (void)state;
    static const char *const first_units[] = {"1995",    "1995-S1",  "1995-T1",   "1995-Q1",
                                              "1995-01", "1995-W01", "1995-01-01"};
    static const int unit_counts[] = {36, 72, 108, 144, 432, 1878, 13149};
    for (size_t f = 0; f < ALM_ARRAY_LEN(first_units); f++) {
        alm_period p = period(first_units[f]);
        int count = 0;
        for (; alm_period_year(p) <= 2030; count++) {
            char label[ALM_PERIOD_TEXT_MAX];
            alm_period next;
            alm_period back;
            alm_period_format(p, label);
            assert_true(alm_period_eq(period(label), p));
            assert_int_equal(alm_period_add(p, 1, &next, NULL), ALM_OK);
            assert_int_equal(alm_period_first_day(next), alm_period_last_day(p) + 1);
            assert_true(alm_period_pack(p) < alm_period_pack(next));
            assert_true(alm_period_unpack(alm_period_pack(p), &back));
            assert_true(alm_period_eq(back, p));
            p = next;
        }
        assert_int_equal(count, unit_counts[f]);
    }
}

static void packs_in_order(void **state)
{
    (void)state;
    // In order: frequency, first unit, length.
    static const char *const ordered[] = {
        "0001",      "2021",       "2021/2022",  "2021/2025",  "2022",
        "9999",      "2021-S1",    "2021-T1",    "2021-Q1",    "2021-Q2",
        "0001-01",   "2021-01",    "2021-02",    "2021-W01",   "2021-W01/2021-W02",
        "2021-W02",  "0001-01-01", "2020-12-31", "2021-01-01", "2021-01-01/2021-01-31",
        "9999-12-31"};
    for (size_t i = 0; i < ALM_ARRAY_LEN(ordered); i++) {
        for (size_t j = 0; j < ALM_ARRAY_LEN(ordered); j++) {
            alm_period a = period(ordered[i]);
            alm_period b = period(ordered[j]);
            int want = (i > j) - (i < j);
            assert_int_equal(alm_period_cmp(a, b), want);
            assert_int_equal((alm_period_pack(a) > alm_period_pack(b)) -
                                 (alm_period_pack(a) < alm_period_pack(b)),
                             want);
        }
    }
}

static void unpacks_only_what_it_packed(void **state)
{
    (void)state;
    alm_period p;
    assert_int_equal(alm_period_pack(period("2023")), UINT64_C(0x0001000007e70001));
    assert_false(alm_period_unpack(0, &p));
    assert_false(alm_period_unpack(UINT64_MAX, &p));
    assert_false(alm_period_unpack(UINT64_C(0x0001000007e70000), &p)); // length 0
    assert_false(alm_period_unpack(UINT64_C(0x0001000007e7ffff), &p)); // too long
    assert_false(alm_period_unpack(UINT64_C(0x0008000007e70001), &p)); // frequency 8
    assert_false(alm_period_unpack(UINT64_C(0x0001000000000001), &p)); // year 0
    assert_false(alm_period_unpack(UINT64_C(0x0101000007e70001), &p)); // a top byte
}

// ----- Arithmetic --------------------------------------------------------------------------------

typedef alm_code step_fn(alm_period p, int64_t n, alm_period *ret, alm_status *st);

typedef struct step_row {
    const char *name;
    step_fn *step;
    const char *from;
    int64_t n;
    const char *want; // NULL: out of range
} step_row;

static const step_row step_rows[] = {
    {"quarters cross the year", alm_period_add, "2023-Q3", 2, "2024-Q1"},
    {"a horizon steps by its length", alm_period_add, "2021/2025", -1, "2016/2020"},
    {"nine months step by nine", alm_period_add, "2023-01/2023-09", 1, "2023-10/2024-06"},
    {"back over a leap day", alm_period_add, "2024-03-01", -1, "2024-02-29"},
    {"before year 1", alm_period_add, "0001", -1, NULL},
    {"after year 9999", alm_period_add, "9999-12-31", 1, NULL},
    {"far beyond", alm_period_add, "2021/2025", INT64_MAX, NULL},
    {"far before", alm_period_add, "2021/2025", INT64_MIN, NULL},
    {"year: same month", alm_period_add_years, "2023-02", 1, "2024-02"},
    {"year: same quarters", alm_period_add_years, "2023-Q1/2023-Q3", -1, "2022-Q1/2022-Q3"},
    {"year: leap day becomes 28 February", alm_period_add_years, "2024-02-29", 1, "2025-02-28"},
    {"year: leap day to leap day", alm_period_add_years, "2024-02-29", -4, "2020-02-29"},
    {"year: a run of days keeps its ends", alm_period_add_years, "2024-01-01/2024-12-31", 1,
     "2025-01-01/2025-12-31"},
    {"year: same week", alm_period_add_years, "2023-W05", 1, "2024-W05"},
    {"year: no week 53", alm_period_add_years, "2020-W53", 1, NULL},
    {"year: week 53 to week 53", alm_period_add_years, "2020-W53", 6, "2026-W53"},
    {"year: a run of weeks", alm_period_add_years, "2020-W52/2021-W01", 1, "2021-W52/2022-W01"},
    {"year: into the cut-off week", alm_period_add_years, "9998-W52", 1, NULL},
    {"year: too far", alm_period_add_years, "2023", INT64_MAX, NULL},
    {"year: too far back", alm_period_add_years, "2023-09", INT64_MIN, NULL},
    {"year: too far for days", alm_period_add_years, "2023-09-01", INT64_MIN, NULL},
    {"year: too far for weeks", alm_period_add_years, "2023-W01", INT64_MAX, NULL},
};

static void steps(void **state)
{
    const step_row *row = *state;
    alm_period got;
    alm_code code = row->step(period(row->from), row->n, &got, NULL);
    assert_int_equal(code, row->want == NULL ? ALM_OUT_OF_RANGE : ALM_OK);
    if (row->want != NULL) {
        assert_label(got, row->want);
    }
}

typedef alm_code convert_fn(alm_period p, alm_freq to, alm_period *ret, alm_status *st);

typedef struct convert_row {
    const char *name;
    convert_fn *convert;
    const char *from;
    alm_freq to;
    const char *want; // NULL: out of range
} convert_row;

static const convert_row convert_rows[] = {
    {"month into quarter", alm_period_contract, "2023-09", ALM_FREQ_QUARTER, "2023-Q3"},
    {"quarter into year", alm_period_contract, "2023-Q4", ALM_FREQ_ANNUAL, "2023"},
    {"nine months into a year", alm_period_contract, "2023-01/2023-09", ALM_FREQ_ANNUAL, "2023"},
    {"nine months into a half", alm_period_contract, "2023-01/2023-09", ALM_FREQ_SEMESTER, NULL},
    {"a week inside a month", alm_period_contract, "2023-W05", ALM_FREQ_MONTH, NULL},
    {"a week inside its month", alm_period_contract, "2023-W06", ALM_FREQ_MONTH, "2023-02"},
    {"a horizon into a year", alm_period_contract, "2021/2025", ALM_FREQ_ANNUAL, NULL},
    {"a day into its week", alm_period_contract, "2023-01-01", ALM_FREQ_WEEK, "2022-W52"},
    {"a day into the cut-off week", alm_period_contract, "9999-12-31", ALM_FREQ_WEEK, NULL},
    {"a year into a month", alm_period_contract, "2023", ALM_FREQ_MONTH, NULL},
    {"a unit into itself", alm_period_contract, "2023-Q1", ALM_FREQ_QUARTER, "2023-Q1"},
    {"quarter in months", alm_period_expand, "2023-Q1", ALM_FREQ_MONTH, "2023-01/2023-03"},
    {"trimester in months", alm_period_expand, "2023-T2", ALM_FREQ_MONTH, "2023-05/2023-08"},
    {"trimester in quarters", alm_period_expand, "2023-T2", ALM_FREQ_QUARTER, NULL},
    {"week in days", alm_period_expand, "2023-W01", ALM_FREQ_DAY, "2023-01-02/2023-01-08"},
    {"year in weeks", alm_period_expand, "2023", ALM_FREQ_WEEK, NULL},
    {"year in days", alm_period_expand, "2024", ALM_FREQ_DAY, "2024-01-01/2024-12-31"},
    {"horizon in quarters", alm_period_expand, "2021/2025", ALM_FREQ_QUARTER, "2021-Q1/2025-Q4"},
    {"twelve months in years", alm_period_expand, "2023-01/2023-12", ALM_FREQ_ANNUAL, "2023"},
    {"nine months in years", alm_period_expand, "2023-01/2023-09", ALM_FREQ_ANNUAL, NULL},
    {"all years in days", alm_period_expand, "0001/9999", ALM_FREQ_DAY, NULL},
};

static void converts(void **state)
{
    const convert_row *row = *state;
    alm_period got;
    alm_status st = ALM_STATUS_INIT;
    alm_code code = row->convert(period(row->from), row->to, &got, &st);
    assert_int_equal(code, row->want == NULL ? ALM_OUT_OF_RANGE : ALM_OK);
    if (row->want != NULL) {
        assert_label(got, row->want);
    } else {
        assert_true(strlen(st.message) > 0);
    }
}

static void counts_the_year_to_date(void **state)
{
    (void)state;
    assert_label(alm_period_year_to_date(period("2023-09")), "2023-01/2023-09");
    assert_label(alm_period_year_to_date(period("2023-Q4")), "2023-Q1/2023-Q4");
    assert_label(alm_period_year_to_date(period("2023-01")), "2023-01");
    assert_label(alm_period_year_to_date(period("2021/2025")), "2021/2025");
    assert_label(alm_period_year_to_date(period("2023-W05")), "2023-W01/2023-W05");
    assert_label(alm_period_year_to_date(period("2023-03-01")), "2023-01-01/2023-03-01");
    assert_label(alm_period_year_to_date(period("2023-06/2023-09")), "2023-01/2023-09");
    assert_label(alm_period_year_to_date(period("2000-12-31/P10000D")), "");
}

static void measures_distance_and_years(void **state)
{
    (void)state;
    assert_int_equal(alm_period_diff(period("2023-Q3"), period("2024-Q1")), 2);
    assert_int_equal(alm_period_diff(period("2024-01"), period("2023-01")), -12);
    assert_int_equal(alm_period_year(period("2022-12-26")), 2022);
    assert_int_equal(alm_period_year(period("2020-W53")), 2020); // though it ends in 2021
    assert_int_equal(alm_period_last_year(period("2021/2025")), 2025);
    assert_true(alm_period_contains(period("2023"), period("2023-Q4")));
    assert_false(alm_period_contains(period("2023"), period("2022-W52")));
    assert_label(alm_period_unit(period("2021/2025"), 4), "2025");
}

// ----- Frequencies and dates ---------------------------------------------------------------------

static void frequencies_have_letters(void **state)
{
    (void)state;
    static const struct {
        alm_freq freq;
        char letter;
        int per_year;
    } rows[] = {
#define ROW(name, number, letter, per_year) {ALM_FREQ_##name, letter, per_year},
        ALM_FREQ_MAP(ROW)
#undef ROW
    };
    assert_int_equal(ALM_ARRAY_LEN(rows), 7);
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        alm_freq back;
        assert_int_equal(rows[i].freq, i + 1);
        assert_int_equal(alm_freq_letter(rows[i].freq), rows[i].letter);
        assert_true(alm_freq_from_letter(rows[i].letter, &back));
        assert_int_equal(back, rows[i].freq);
        assert_int_equal(alm_freq_per_year(rows[i].freq), rows[i].per_year);
    }
    alm_freq none = ALM_FREQ_NONE;
    assert_int_equal(alm_freq_letter(ALM_FREQ_NONE), '?');
    assert_int_equal(alm_freq_per_year(ALM_FREQ_NONE), 0);
    assert_false(alm_freq_from_letter('a', &none));
    assert_false(alm_freq_from_letter('\0', &none));
}

static const bad_row bad_dates[] = {
    {"", ALM_INVALID_ARGUMENT, "is not a date"},
    {"2023-1-01", ALM_INVALID_ARGUMENT, "is not a date"},
    {"2023-01-01T00", ALM_INVALID_ARGUMENT, "is not a date"},
    {"2023/01/01", ALM_INVALID_ARGUMENT, "is not a date"},
    {"+023-01-01", ALM_INVALID_ARGUMENT, "is not a date"},
    {"0000-01-01", ALM_OUT_OF_RANGE, "no day 0000-01-01"},
    {"2023-00-01", ALM_OUT_OF_RANGE, "no day 2023-00-01"},
    {"2023-13-01", ALM_OUT_OF_RANGE, "no day 2023-13-01"},
    {"2023-01-00", ALM_OUT_OF_RANGE, "no day 2023-01-00"},
    {"2100-02-29", ALM_OUT_OF_RANGE, "no day 2100-02-29"},
};

static void refuses_dates(void **state)
{
    const bad_row *row = *state;
    alm_date got = 7;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_date_parse(alm_str_from(row->input), &got, &st), row->code);
    assert_non_null(strstr(st.message, row->says));
    assert_int_equal(got, 7);
}

static void dates_count_from_1970(void **state)
{
    (void)state;
    alm_date date;
    assert_int_equal(alm_date_parse(ALM_STR("1970-01-01"), &date, NULL), ALM_OK);
    assert_int_equal(date, 0);
    assert_int_equal(alm_date_parse(ALM_STR("2024-02-29"), &date, NULL), ALM_OK);
    assert_int_equal(date, 19782);
    assert_day(date, "2024-02-29");
    assert_day(-1, "1969-12-31");
    assert_day(ALM_DATE_NONE, "");
    assert_day(ALM_DATE_MAX, "");
    assert_false(alm_date_valid(ALM_DATE_NONE));
    assert_false(alm_date_valid(ALM_DATE_MAX));
    assert_int_equal(alm_date_days_in_month(2024, 2), 29);
    assert_int_equal(alm_date_days_in_month(2100, 2), 28);
    assert_int_equal(alm_date_days_in_month(2000, 2), 29);
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, reads_labels, label_rows, input)
    TEST_ADD_ROWS(&list, refuses_labels, bad_rows, input)
    TEST_ADD_ROWS(&list, steps, step_rows, name)
    TEST_ADD_ROWS(&list, converts, convert_rows, name)
    TEST_ADD_ROWS(&list, refuses_dates, bad_dates, input)
    TEST_ADD(&list, has_no_label_for_no_period);
    TEST_ADD(&list, every_period_of_a_working_life);
    TEST_ADD(&list, packs_in_order);
    TEST_ADD(&list, unpacks_only_what_it_packed);
    TEST_ADD(&list, counts_the_year_to_date);
    TEST_ADD(&list, measures_distance_and_years);
    TEST_ADD(&list, frequencies_have_letters);
    TEST_ADD(&list, dates_count_from_1970);
    return TEST_RUN(&list, "period");
}
