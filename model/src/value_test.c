// Values: code tables, printed text to the digit, intervals, and random interval arithmetic against
// the numbers that lie inside.
#include "alm/value.h"

#include "test_random.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

static alm_value value(alm_decimal number, const char *unit, alm_qualifier qualifier)
{
    alm_value v = {.number = number, .qualifier = qualifier, .has_number = true};
    assert_int_equal(alm_unit_parse(alm_str_from(unit), &v.unit, NULL), ALM_OK);
    return v;
}

// ----- Codes -------------------------------------------------------------------------------------

static void qualifiers_round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < ALM_QUALIFIER_COUNT; i++) {
        alm_qualifier back;
        const char *code = alm_qualifier_code((alm_qualifier)i);
        assert_true(alm_qualifier_parse(alm_str_from(code), &back));
        assert_int_equal(back, i);
        assert_int_equal(alm_qualifier_label((alm_qualifier)i, ALM_LANG_ZH)[0] == '\0', i == 0);
        assert_int_equal(alm_qualifier_label((alm_qualifier)i, ALM_LANG_EN)[0] == '\0', i == 0);
    }
    alm_qualifier untouched = ALM_QUALIFIER_ABOUT;
    assert_int_equal(ALM_QUALIFIER_COUNT, 11);
    assert_false(alm_qualifier_parse(ALM_STR("About"), &untouched));
    assert_false(alm_qualifier_parse(ALM_STR(""), &untouched));
    assert_false(alm_qualifier_parse(ALM_STR("?"), &untouched));
    assert_int_equal(untouched, ALM_QUALIFIER_ABOUT);
    assert_string_equal(alm_qualifier_code((alm_qualifier)99), "?");
    assert_string_equal(alm_qualifier_label((alm_qualifier)99, ALM_LANG_ZH), "?");
    assert_string_equal(alm_qualifier_label(ALM_QUALIFIER_MORE_THAN, ALM_LANG_ZH), "超");
    assert_string_equal(alm_qualifier_label(ALM_QUALIFIER_MORE_THAN, ALM_LANG_EN), "over");
}

static void statuses_round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < ALM_OBS_STATUS_COUNT; i++) {
        alm_obs_status back;
        char letter = alm_obs_status_letter((alm_obs_status)i);
        assert_true(alm_obs_status_parse((alm_str){&letter, 1}, &back));
        assert_int_equal(back, i);
        assert_true(strlen(alm_obs_status_label((alm_obs_status)i, ALM_LANG_EN)) > 0);
    }
    alm_obs_status untouched = ALM_OBS_STATUS_BREAK;
    assert_int_equal(ALM_OBS_STATUS_COUNT, 13);
    assert_false(alm_obs_status_parse(ALM_STR("a"), &untouched));
    assert_false(alm_obs_status_parse(ALM_STR("AP"), &untouched));
    assert_false(alm_obs_status_parse(ALM_STR(""), &untouched));
    assert_int_equal(untouched, ALM_OBS_STATUS_BREAK);
    assert_int_equal(alm_obs_status_letter((alm_obs_status)13), '?');
    assert_string_equal(alm_obs_status_label((alm_obs_status)13, ALM_LANG_ZH), "?");
    assert_string_equal(alm_obs_status_label(ALM_OBS_STATUS_PROVISIONAL, ALM_LANG_ZH), "初步");
    assert_true(alm_obs_status_missing(ALM_OBS_STATUS_WITHDRAWN));
    assert_true(alm_obs_status_missing(ALM_OBS_STATUS_MISSING_SUPPRESSED));
    assert_false(alm_obs_status_missing(ALM_OBS_STATUS_FORECAST));
    assert_true(alm_obs_status_missing((alm_obs_status)200));
}

static void the_worst_status_wins(void **state)
{
    (void)state;
    static const alm_obs_status by_rank[] = {ALM_OBS_STATUS_NORMAL,     ALM_OBS_STATUS_BREAK,
                                             ALM_OBS_STATUS_UNRELIABLE, ALM_OBS_STATUS_PROVISIONAL,
                                             ALM_OBS_STATUS_ESTIMATED,  ALM_OBS_STATUS_IMPUTED,
                                             ALM_OBS_STATUS_FORECAST,   ALM_OBS_STATUS_MISSING};
    for (size_t i = 0; i < ALM_ARRAY_LEN(by_rank); i++) {
        for (size_t j = 0; j < ALM_ARRAY_LEN(by_rank); j++) {
            assert_int_equal(alm_obs_status_worst(by_rank[i], by_rank[j]), by_rank[ALM_MAX(i, j)]);
        }
    }
    assert_int_equal(alm_obs_status_worst(ALM_OBS_STATUS_BREAK, ALM_OBS_STATUS_DEFINITION),
                     ALM_OBS_STATUS_BREAK);
}

static void measures_round_trip(void **state)
{
    (void)state;
    for (int i = 1; i <= ALM_MEASURE_NUMBER_MAX; i++) {
        alm_measure back;
        assert_true(alm_measure_parse(alm_str_from(alm_measure_code((alm_measure)i)), &back));
        assert_int_equal(back, i);
        assert_true(strlen(alm_measure_label((alm_measure)i, ALM_LANG_ZH)) > 0);
        assert_true(strlen(alm_measure_label((alm_measure)i, ALM_LANG_EN)) > 0);
    }
    alm_measure untouched = ALM_MEASURE_RATIO;
    assert_false(alm_measure_parse(ALM_STR("?"), &untouched));
    assert_false(alm_measure_parse(ALM_STR("levels"), &untouched));
    assert_int_equal(untouched, ALM_MEASURE_RATIO);
    assert_string_equal(alm_measure_code(ALM_MEASURE_NONE), "?");
    assert_string_equal(alm_measure_code((alm_measure)(ALM_MEASURE_NUMBER_MAX + 1)), "?");
    assert_string_equal(alm_measure_label(ALM_MEASURE_GROWTH_YOY, ALM_LANG_ZH), "同比增长");
}

static void accumulations_round_trip(void **state)
{
    (void)state;
    alm_accumulation back;
    assert_true(alm_accumulation_parse(ALM_STR("P"), &back));
    assert_int_equal(back, ALM_ACCUMULATION_PERIOD);
    assert_true(alm_accumulation_parse(ALM_STR("C"), &back));
    assert_int_equal(back, ALM_ACCUMULATION_CUMULATIVE);
    assert_false(alm_accumulation_parse(ALM_STR(""), &back));
    assert_false(alm_accumulation_parse(ALM_STR("c"), &back));
    assert_string_equal(alm_accumulation_code(ALM_ACCUMULATION_PERIOD), "P");
    assert_string_equal(alm_accumulation_code(ALM_ACCUMULATION_NONE), "?");
    assert_string_equal(alm_accumulation_code((alm_accumulation)3), "?");
}

static void measures_fix_the_dimension(void **state)
{
    (void)state;
    static const struct {
        alm_measure measure;
        alm_dimension want;
    } rows[] = {
        {ALM_MEASURE_LEVEL, ALM_DIMENSION_CNY},
        {ALM_MEASURE_CUMULATIVE_LEVEL, ALM_DIMENSION_CNY},
        {ALM_MEASURE_COUNT_OF_CHANGE, ALM_DIMENSION_CNY},
        {ALM_MEASURE_GROWTH_YOY, ALM_DIMENSION_RATIO},
        {ALM_MEASURE_GROWTH_POP, ALM_DIMENSION_RATIO},
        {ALM_MEASURE_GROWTH_AVG, ALM_DIMENSION_RATIO},
        {ALM_MEASURE_GROWTH_CUMULATIVE, ALM_DIMENSION_RATIO},
        {ALM_MEASURE_SHARE_OF, ALM_DIMENSION_RATIO},
        {ALM_MEASURE_COVERAGE, ALM_DIMENSION_RATIO},
        {ALM_MEASURE_CONTRIBUTION_SHARE, ALM_DIMENSION_RATIO},
        {ALM_MEASURE_RATIO, ALM_DIMENSION_RATIO},
        {ALM_MEASURE_PP_CHANGE, ALM_DIMENSION_POINTS},
        {ALM_MEASURE_CONTRIBUTION_PP, ALM_DIMENSION_POINTS},
        {ALM_MEASURE_RANK, ALM_DIMENSION_RANK},
        {ALM_MEASURE_TARGET, ALM_DIMENSION_NONE},
        {ALM_MEASURE_MILESTONE, ALM_DIMENSION_NONE},
    };
    assert_int_equal(ALM_ARRAY_LEN(rows), ALM_MEASURE_NUMBER_MAX);
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        assert_int_equal(alm_measure_dimension(rows[i].measure, ALM_DIMENSION_CNY), rows[i].want);
    }
    assert_int_equal(alm_measure_dimension((alm_measure)99, ALM_DIMENSION_CNY), ALM_DIMENSION_NONE);
}

// ----- Text --------------------------------------------------------------------------------------

typedef struct text_row {
    const char *zh, *en;
    alm_decimal number;
    const char *unit;
    alm_qualifier qualifier;
} text_row;

static const text_row text_rows[] = {
    {"168.53 亿元", "168.53 (100 million yuan)", {16853, -2}, "亿元", ALM_QUALIFIER_EXACT},
    {"168.530 亿元", "168.530 (100 million yuan)", {168530, -3}, "亿元", ALM_QUALIFIER_EXACT},
    {"超 6,100 家", "over 6,100", {6100, 0}, "家", ALM_QUALIFIER_MORE_THAN},
    {"约 13%", "about 13%", {13, 0}, "%", ALM_QUALIFIER_ABOUT},
    {"8.3%", "8.3%", {83, -1}, "%", ALM_QUALIFIER_EXACT},
    {"-2.0%", "-2.0%", {-20, -1}, "%", ALM_QUALIFIER_EXACT},
    {"6.5‰", "6.5‰", {65, -1}, "‰", ALM_QUALIFIER_EXACT},
    {"1.2 个百分点", "1.2 pp", {12, -1}, "百分点", ALM_QUALIFIER_EXACT},
    {"突破 2,000 亿元",
     "past 2,000 (100 million yuan)",
     {2000, 0},
     "亿元",
     ALM_QUALIFIER_PASSED_THRESHOLD},
    {"2.5 十亿元", "2.5 billion yuan", {25, -1}, "CNY_E9", ALM_QUALIFIER_EXACT},
    {"1.5 万亿元", "1.5 trillion yuan", {15, -1}, "万亿元", ALM_QUALIFIER_EXACT},
    {"168,530,000 元", "168,530,000 yuan", {16853, 4}, "元", ALM_QUALIFIER_EXACT},
    {"不低于 1.1 公里", "at least 1.1 km", {11, -1}, "公里", ALM_QUALIFIER_AT_LEAST},
    {"不足 5 万人次", "under 5 (10 thousand visits)", {5, 0}, "万人次", ALM_QUALIFIER_LESS_THAN},
    {"不超过 3.2 亩", "at most 3.2 mu", {32, -1}, "亩", ALM_QUALIFIER_AT_MOST},
    {"近 15,000 人", "nearly 15,000 persons", {15000, 0}, "人", ALM_QUALIFIER_NEARLY},
    {"预计 190 亿元", "expected 190 (100 million yuan)", {190, 0}, "亿元", ALM_QUALIFIER_EXPECTED},
    {"1.4 倍", "1.4 times", {14, -1}, "倍", ALM_QUALIFIER_EXACT},
    {"第 3 位", "no. 3", {3, 0}, "位", ALM_QUALIFIER_EXACT},
    {"前列 第 3 位", "in the top group no. 3", {3, 0}, "位", ALM_QUALIFIER_TOP_GROUP},
    {"102.3", "102.3", {1023, -1}, "index", ALM_QUALIFIER_EXACT},
    {"12.5 万套", "12.5 (10 thousand)", {125, -1}, "万套", ALM_QUALIFIER_EXACT},
    {"5 ×10^-3 元", "5 (×10^-3 yuan)", {5, 0}, "CNY_E-3", ALM_QUALIFIER_EXACT},
    {"0 家", "0", {0, 0}, "家", ALM_QUALIFIER_EXACT},
    {"突破 -999,999,999,999,999,999,000,000,000,000,000,000 ×10^-9 吨标准煤",
     "past -999,999,999,999,999,999,000,000,000,000,000,000 (×10^-9 tce)",
     {-ALM_DECIMAL_MANTISSA_MAX, 18},
     "tce_E-9",
     ALM_QUALIFIER_PASSED_THRESHOLD},
};

static void prints(void **state)
{
    const text_row *row = *state;
    alm_value v = value(row->number, row->unit, row->qualifier);
    char text[ALM_VALUE_TEXT_MAX];
    assert_int_equal(alm_value_format(&v, ALM_LANG_ZH, text), strlen(row->zh));
    assert_string_equal(text, row->zh);
    assert_int_equal(alm_value_format(&v, ALM_LANG_EN, text), strlen(row->en));
    assert_string_equal(text, row->en);
}

static void prints_what_has_no_number(void **state)
{
    (void)state;
    char text[ALM_VALUE_TEXT_MAX];
    alm_value v = {.unit = {.measure = ALM_MEASURE_UNIT_RANK}};
    v.qualifier = ALM_QUALIFIER_LEADING;
    alm_value_format(&v, ALM_LANG_ZH, text);
    assert_string_equal(text, "领先");
    v.qualifier = ALM_QUALIFIER_TOP_GROUP;
    alm_value_format(&v, ALM_LANG_EN, text);
    assert_string_equal(text, "in the top group");
    v.status = ALM_OBS_STATUS_MISSING_SUPPRESSED;
    assert_int_equal(alm_value_format(&v, ALM_LANG_ZH, text), strlen("—"));
    assert_string_equal(text, "—");
    v.qualifier = ALM_QUALIFIER_ABOUT;
    v.status = ALM_OBS_STATUS_NORMAL;
    alm_value_format(&v, ALM_LANG_ZH, text);
    assert_string_equal(text, "—");
}

static void prints_a_number_without_a_unit(void **state)
{
    (void)state;
    char text[ALM_VALUE_TEXT_MAX];
    alm_value v = {.number = {1234, -1}, .has_number = true};
    alm_value_format(&v, ALM_LANG_EN, text);
    assert_string_equal(text, "123.4");
}

// ----- Intervals ---------------------------------------------------------------------------------

typedef struct interval_row {
    const char *name;
    alm_decimal number;
    const char *unit;
    alm_qualifier qualifier;
    double lower, upper;
} interval_row;

#define INF INFINITY

static const interval_row interval_rows[] = {
    {"exact: half of the last digit", {16853, -2}, "亿元", ALM_QUALIFIER_EXACT, 168.525, 168.535},
    {"exact: trailing zeros claim more",
     {168530, -3},
     "亿元",
     ALM_QUALIFIER_EXACT,
     168.5295,
     168.5305},
    {"exact: a whole number of 亿", {190, 0}, "亿元", ALM_QUALIFIER_EXACT, 189.5, 190.5},
    {"exact: negative", {-20, -1}, "%", ALM_QUALIFIER_EXACT, -2.05, -1.95},
    {"exact: a count is itself", {6100, 0}, "家", ALM_QUALIFIER_EXACT, 6100, 6100},
    {"exact: people are counted", {15000, 0}, "人", ALM_QUALIFIER_EXACT, 15000, 15000},
    {"exact: visits are counted", {7, 0}, "人次", ALM_QUALIFIER_EXACT, 7, 7},
    {"exact: a rank is itself", {3, 0}, "位", ALM_QUALIFIER_EXACT, 3, 3},
    {"exact: a count in 万 is not", {12, 0}, "万套", ALM_QUALIFIER_EXACT, 11.5, 12.5},
    {"exact: a count with decimals is not", {125, -1}, "套", ALM_QUALIFIER_EXACT, 12.45, 12.55},
    {"exact: a count in hundreds is not", {61, 2}, "家", ALM_QUALIFIER_EXACT, 6050, 6150},
    {"exact: money is measured", {5, 0}, "元", ALM_QUALIFIER_EXACT, 4.5, 5.5},
    {"exact: 18 decimals", {1, -18}, "元", ALM_QUALIFIER_EXACT, 5e-19, 1.5e-18},
    {"expected: as exact", {190, 0}, "亿元", ALM_QUALIFIER_EXPECTED, 189.5, 190.5},
    {"about: one of the last significant digit", {6100, 0}, "家", ALM_QUALIFIER_ABOUT, 6000, 6200},
    {"about: 13%", {13, 0}, "%", ALM_QUALIFIER_ABOUT, 12, 14},
    {"about: decimals are significant", {50, -1}, "%", ALM_QUALIFIER_ABOUT, 4.9, 5.1},
    {"about: an exponent is not", {2, 3}, "元", ALM_QUALIFIER_ABOUT, 1000, 3000},
    {"about: zero", {0, 0}, "%", ALM_QUALIFIER_ABOUT, -1, 1},
    {"about: negative", {-300, 0}, "人", ALM_QUALIFIER_ABOUT, -400, -200},
    {"more than", {6100, 0}, "家", ALM_QUALIFIER_MORE_THAN, 6100, INF},
    {"at least", {11, -1}, "公里", ALM_QUALIFIER_AT_LEAST, 1.1, INF},
    {"passed a threshold", {2000, 0}, "亿元", ALM_QUALIFIER_PASSED_THRESHOLD, 2000, INF},
    {"less than", {5, 0}, "%", ALM_QUALIFIER_LESS_THAN, -INF, 5},
    {"at most", {5, 0}, "%", ALM_QUALIFIER_AT_MOST, -INF, 5},
    {"nearly", {15000, 0}, "人", ALM_QUALIFIER_NEARLY, 14000, 15000},
    {"nearly: a fall", {-5, 0}, "%", ALM_QUALIFIER_NEARLY, -5, -4},
    {"leading claims no number", {1, 0}, "位", ALM_QUALIFIER_LEADING, -INF, INF},
};

static void assert_near(double got, double want)
{
    if (got != want && !(fabs(got - want) <= fabs(want) * 1e-15)) {
        fail_msg("%.20g, not %.20g", got, want);
    }
}

static void claims(void **state)
{
    const interval_row *row = *state;
    alm_value v = value(row->number, row->unit, row->qualifier);
    alm_interval got = alm_value_interval(&v);
    assert_near(got.lower, row->lower);
    assert_near(got.upper, row->upper);
    v.has_number = false;
    got = alm_value_interval(&v);
    assert_true(isinf(got.lower) && got.lower < 0 && isinf(got.upper) && got.upper > 0);
}

static void assert_interval(alm_interval got, double lower, double upper)
{
    assert_near(got.lower, lower);
    assert_near(got.upper, upper);
}

static void interval_arithmetic_at_the_edges(void **state)
{
    (void)state;
    alm_interval open = {2, INF};
    alm_interval all = {-INF, INF};
    alm_interval half = {-INF, 3};
    alm_interval four = {4, 4};
    assert_interval(alm_interval_add(open, four), 6, INF);
    assert_interval(alm_interval_add(open, half), -INF, INF);
    assert_interval(alm_interval_sub(four, open), -INF, 2);
    assert_interval(alm_interval_sub(open, open), -INF, INF);
    assert_interval(alm_interval_div(open, (alm_interval){4, INF}), 0, INF);
    assert_interval(alm_interval_div(half, (alm_interval){-INF, -1}), -3, INF);
    assert_interval(alm_interval_div(all, four), -INF, INF);
    assert_interval(alm_interval_div(four, open), 0, 2);
    assert_interval(alm_interval_div(four, (alm_interval){0, 2}), -INF, INF);
    assert_interval(alm_interval_div(four, (alm_interval){-1, 0}), -INF, INF);
    assert_interval(alm_interval_div(four, (alm_interval){0, 0}), -INF, INF);
    assert_interval(alm_interval_scale(open, -2), -INF, -4);
    assert_interval(alm_interval_scale(all, 0), 0, 0);
    assert_interval(alm_interval_scale(half, 100), -INF, 300);
}

static void says_what_an_interval_may_claim(void **state)
{
    (void)state;
    assert_int_equal(alm_interval_qualifier((alm_interval){1, 2}, true), ALM_QUALIFIER_EXACT);
    assert_int_equal(alm_interval_qualifier((alm_interval){1, 2}, false), ALM_QUALIFIER_ABOUT);
    assert_int_equal(alm_interval_qualifier((alm_interval){1, INF}, false),
                     ALM_QUALIFIER_MORE_THAN);
    assert_int_equal(alm_interval_qualifier((alm_interval){-INF, 1}, false),
                     ALM_QUALIFIER_LESS_THAN);
    assert_int_equal(alm_interval_qualifier((alm_interval){-INF, INF}, false), ALM_QUALIFIER_ABOUT);
}

// Small whole numbers keep every double operation but division exact.
static alm_interval random_interval(test_random *r)
{
    double a = (double)test_random_below(r, 41) - 20;
    double b = a + (double)test_random_below(r, 10);
    return (alm_interval){test_random_one_in(r, 8) ? -INF : a, test_random_one_in(r, 8) ? INF : b};
}

static double random_inside(test_random *r, alm_interval i)
{
    double lower = isinf(i.lower) ? (isinf(i.upper) ? -50 : i.upper - 50) : i.lower;
    double upper = isinf(i.upper) ? lower + 100 : i.upper;
    return lower + (upper - lower) * test_random_below(r, 5) / 4;
}

static bool inside(double x, alm_interval i)
{
    double slack = fabs(x) * 1e-15; // of the quotient's own rounding
    return x >= i.lower - slack && x <= i.upper + slack && i.lower <= i.upper;
}

// Whatever numbers lie in the operands, their result lies in the interval's.
static void results_lie_inside(void **state)
{
    (void)state;
    test_random r = test_random_start();
    for (int i = 0; i < 1000000; i++) {
        alm_interval a = random_interval(&r);
        alm_interval b = random_interval(&r);
        double x = random_inside(&r, a);
        double y = random_inside(&r, b);
        double factor = (double)test_random_below(&r, 9) - 4;
        bool good = inside(x + y, alm_interval_add(a, b)) &&
                    inside(x - y, alm_interval_sub(a, b)) &&
                    inside(x * factor, alm_interval_scale(a, factor)) &&
                    (y == 0 || inside(x / y, alm_interval_div(a, b)));
        if (!good) {
            fail_msg("ALM_TEST_SEED=%" PRIu64 " case %d: %g in [%g, %g] and %g in [%g, %g], x %g",
                     r.seed, i, x, a.lower, a.upper, y, b.lower, b.upper, factor);
        }
    }
}

// The number itself is never outside of what it claims.
static void a_number_lies_in_its_own_interval(void **state)
{
    (void)state;
    test_random r = test_random_start();
    for (int i = 0; i < 300000; i++) {
        int64_t m = (int64_t)(test_random_next(&r) % (uint64_t)ALM_DECIMAL_MANTISSA_MAX);
        for (uint32_t drop = test_random_below(&r, 19); drop > 0; drop--) {
            m /= 10;
        }
        alm_value v = {.number = {test_random_one_in(&r, 2) ? -m : m,
                                  (int8_t)((int)test_random_below(&r, 37) - 18)},
                       .unit = {.measure = (uint8_t)(1 + test_random_below(&r, 28))},
                       .qualifier = (alm_qualifier)test_random_below(&r, ALM_QUALIFIER_COUNT),
                       .has_number = true};
        alm_interval claim = alm_value_interval(&v);
        double x = alm_decimal_to_double(v.number);
        if (!(claim.lower <= x && x <= claim.upper)) {
            fail_msg("ALM_TEST_SEED=%" PRIu64 " case %d: {%" PRId64 ", %d} in [%.20g, %.20g]",
                     r.seed, i, v.number.mantissa, v.number.exponent, claim.lower, claim.upper);
        }
    }
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, prints, text_rows, zh)
    TEST_ADD_ROWS(&list, claims, interval_rows, name)
    TEST_ADD(&list, qualifiers_round_trip);
    TEST_ADD(&list, statuses_round_trip);
    TEST_ADD(&list, the_worst_status_wins);
    TEST_ADD(&list, measures_round_trip);
    TEST_ADD(&list, accumulations_round_trip);
    TEST_ADD(&list, measures_fix_the_dimension);
    TEST_ADD(&list, prints_what_has_no_number);
    TEST_ADD(&list, prints_a_number_without_a_unit);
    TEST_ADD(&list, interval_arithmetic_at_the_edges);
    TEST_ADD(&list, says_what_an_interval_may_claim);
    TEST_ADD(&list, results_lie_inside);
    TEST_ADD(&list, a_number_lies_in_its_own_interval);
    return TEST_RUN(&list, "value");
}
