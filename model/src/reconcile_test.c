// Verdicts: each row is a claim, what it is held against, and what comes of it as text.
#include "alm/reconcile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

// "13", "about 13", "over 2000"; "" is missing; "-" has no number.
static alm_figure figure(const char *text, const char *unit)
{
    static const struct {
        const char *word;
        alm_qualifier qualifier;
    } words[] = {{"about ", ALM_QUALIFIER_ABOUT},
                 {"over ", ALM_QUALIFIER_MORE_THAN},
                 {"under ", ALM_QUALIFIER_LESS_THAN},
                 {"nearly ", ALM_QUALIFIER_NEARLY}};
    alm_value value = {.has_number = text != NULL && text[0] != '\0'};
    alm_str number = alm_str_from(text == NULL ? "" : text);
    for (size_t i = 0; i < ALM_ARRAY_LEN(words); i++) {
        alm_str word = alm_str_from(words[i].word);
        if (alm_str_starts_with(number, word)) {
            value.qualifier = words[i].qualifier;
            number = alm_str_slice(number, word.len, number.len);
        }
    }
    assert_int_equal(alm_unit_parse(alm_str_from(unit), &value.unit, NULL), ALM_OK);
    if (value.has_number) {
        assert_int_equal(alm_decimal_parse(number, &value.number, NULL), ALM_OK);
    }
    return alm_figure_of(&value, 1);
}

#define YUAN    "CNY_E8"
#define PERCENT "percent"

// "verdict[ lack][ 10^power][ #try] computed~tolerance[ -> implied number [lower, upper]]"
static void tell(const alm_judgement *it, char *out, size_t size)
{
    size_t len = (size_t)snprintf(out, size, "%s", alm_verdict_code(it->verdict));
    if (it->lack != ALM_LACK_NONE) {
        len += (size_t)snprintf(out + len, size - len, " %d", (int)it->lack);
    }
    if (it->power != 0) {
        len += (size_t)snprintf(out + len, size - len, " 10^%d", it->power);
    }
    if (it->computed.has) {
        len += (size_t)snprintf(out + len, size - len, " %.5g~%.3g", it->computed.number,
                                it->tolerance);
    }
    if (it->implied != ALM_IMPLIED_NONE) {
        (void)snprintf(out + len, size - len, " -> %d %.6g [%.6g, %.6g]", (int)it->implied,
                       it->figure.number, it->figure.interval.lower, it->figure.interval.upper);
    }
}

// --- ratios -------------------------------------------------------------------------------------

typedef struct ratio_row {
    const char *name;
    double offset;
    const char *claimed, *part, *whole;
    struct {
        alm_verdict verdict;
        const char *part, *whole;
    } tries[3];
    bool is_real, is_comparable;
    const char *want;
} ratio_row;

static const ratio_row ratio_rows[] = {
    {.name = "growth that is what levels say",
     .offset = 100,
     .claimed = "7.38",
     .part = "180.97",
     .whole = "168.53",
     .want = "match 7.3815~0.0112"},
    {.name = "growth at the edge of its rounding",
     .offset = 100,
     .claimed = "10",
     .part = "110.5",
     .whole = "100.00",
     .want = "match 10.5~0.556"},
    {.name = "growth past it",
     .offset = 100,
     .claimed = "9.9",
     .part = "111",
     .whole = "100.000",
     .want = "unexplained 11~0.551 -> 1 101.001 [100.5, 101.502]"},
    {.name = "a base that has no value is implied",
     .offset = 100,
     .claimed = "12.8",
     .part = "2286.2",
     .want = "not_judged 3 -> 1 2026.77 [2025.83, 2027.72]"},
    {.name = "over, by about: at least the least",
     .offset = 100,
     .claimed = "about 13",
     .part = "over 2000",
     .want = "not_judged 3 -> 1 1769.91 [1754.39, inf]"},
    {.name = "a level that has no value is implied",
     .offset = 100,
     .claimed = "10",
     .whole = "200",
     .want = "not_judged 2 -> 2 220 [218.452, 221.553]"},
    {.name = "neither level", .offset = 100, .claimed = "10", .want = "not_judged 4"},
    {.name = "growth without a number",
     .offset = 100,
     .part = "110",
     .whole = "100",
     .want = "not_judged 1 10~inf"},
    {.name = "a base of zero",
     .offset = 100,
     .claimed = "10",
     .part = "110",
     .whole = "0",
     .want = "not_judged 5 -> 1 100 [99.095, 100.913]"},
    {.name = "a negative base",
     .offset = 100,
     .claimed = "10",
     .part = "110",
     .whole = "-100",
     .want = "not_judged 6 -> 1 100 [99.095, 100.913]"},
    {.name = "a base that may be zero",
     .offset = 100,
     .claimed = "10",
     .part = "110",
     .whole = "under 100",
     .want = "not_judged 7 -> 1 100 [99.095, 100.913]"},
    {.name = "a profit that became a loss",
     .offset = 100,
     .claimed = "-150.0",
     .part = "-50.0",
     .whole = "100.0",
     .want = "match -150~0.125"},
    {.name = "all is gone: no base is implied",
     .offset = 100,
     .claimed = "-100",
     .part = "0",
     .want = "not_judged 3"},
    {.name = "over 2000 is as much as that",
     .offset = 100,
     .claimed = "about 13",
     .part = "over 2000",
     .whole = "1770",
     .want = "match 12.994~inf"},
    {.name = "a whole that may be anything",
     .offset = 0,
     .claimed = "over 50",
     .part = "50",
     .whole = "under 100",
     .want = "not_judged 7 -> 3 100 [0, 101]"},
    {.name = "over 60 of 100 is no 50 %",
     .offset = 0,
     .claimed = "50",
     .part = "over 60",
     .whole = "100",
     .want = "unexplained 60~inf -> 3 120 [118.812, inf]"},
    {.name = "the base as it stood then",
     .offset = 100,
     .claimed = "10.0",
     .part = "110.0",
     .whole = "105.0",
     .tries = {{ALM_VERDICT_BASE_REVISED, "110.0", "100.0"},
               {ALM_VERDICT_WRONG_COMPARISON, "110.0", "100.0"}},
     .want = "base_revised 4.7619~0.148"},
    {.name = "figures from the year's start",
     .offset = 100,
     .claimed = "20.0",
     .part = "110.0",
     .whole = "100.0",
     .tries = {{ALM_VERDICT_BASE_REVISED, "110.0", "99.0"},
               {ALM_VERDICT_ACCUMULATION_MIXUP, "240.0", "200.0"}},
     .want = "accumulation_mixup 10~0.155"},
    {.name = "against the month before",
     .offset = 100,
     .claimed = "2.0",
     .part = "102.0",
     .whole = "90.0",
     .tries = {{ALM_VERDICT_ACCUMULATION_MIXUP, NULL, NULL},
               {ALM_VERDICT_WRONG_COMPARISON, "102.0", "100.0"}},
     .want = "wrong_comparison 13.333~0.169"},
    {.name = "nothing firm is no other comparison",
     .offset = 100,
     .claimed = "13",
     .part = "over 2000",
     .whole = "1700",
     .tries = {{ALM_VERDICT_WRONG_COMPARISON, "over 2000", "1900"}},
     .want = "unexplained 17.647~inf -> 1 1769.91 [1762.11, inf]"},
    {.name = "ten thousand for a hundred million",
     .offset = 100,
     .claimed = "10.0",
     .part = "1100000",
     .whole = "100.0",
     .want = "unit_slip 10^-4 1.0999e+06~551"},
    {.name = "a hundred million times",
     .offset = 100,
     .claimed = "10.0",
     .part = "110.0",
     .whole = "10000000000",
     .want = "unit_slip 10^8 -100~0.05"},
    {.name = "at constant prices",
     .offset = 100,
     .claimed = "5.0",
     .part = "107.1",
     .whole = "100.0",
     .is_real = true,
     .want = "constant_price 7.1~0.154 -> 5 2 [1.85293, 2.14731]"},
    {.name = "a comparable base",
     .offset = 100,
     .claimed = "7.25",
     .part = "431.78",
     .whole = "370",
     .is_comparable = true,
     .want = "comparable_base 16.697~0.164 -> 1 402.592 [402.569, 402.616]"},
    {.name = "a share that is one",
     .claimed = "67.7",
     .part = "378.8",
     .whole = "559.5",
     .want = "match 67.703~0.065"},
    {.name = "a share whose whole has no value",
     .claimed = "67.7",
     .part = "378.8",
     .want = "not_judged 3 -> 3 559.527 [559.041, 560.015]"},
    {.name = "rounder figures say less",
     .claimed = "67",
     .part = "370",
     .want = "not_judged 3 -> 3 552.239 [547.407, 557.143]"},
    {.name = "a share whose part has no value",
     .claimed = "40",
     .whole = "475",
     .want = "not_judged 2 -> 4 190 [187.428, 192.578]"},
    {.name = "real is said of growth alone",
     .claimed = "30",
     .part = "10.0",
     .whole = "20.0",
     .is_real = true,
     .want = "unexplained 50~0.875 -> 3 33.3333 [32.623, 34.0678]"},
};

static void judges_ratios(void **state)
{
    const ratio_row *row = *state;
    alm_ratio_try tries[ALM_ARRAY_LEN(row->tries)];
    alm_ratio_claim claim = {.claimed = figure(row->claimed, PERCENT),
                             .offset = row->offset,
                             .part = figure(row->part, YUAN),
                             .whole = figure(row->whole, YUAN),
                             .tries = tries,
                             .is_real = row->is_real,
                             .is_comparable = row->is_comparable};
    while (claim.try_count < ALM_ARRAY_LEN(tries) &&
           row->tries[claim.try_count].verdict != ALM_VERDICT_NONE) {
        size_t i = claim.try_count++;
        tries[i] = (alm_ratio_try){row->tries[i].verdict, figure(row->tries[i].part, YUAN),
                                   figure(row->tries[i].whole, YUAN)};
    }
    char got[200];
    alm_judgement it = alm_judge_ratio(&claim);
    tell(&it, got, sizeof got);
    assert_string_equal(got, row->want);
}

// --- sums ---------------------------------------------------------------------------------------

typedef struct sum_row {
    const char *name, *claimed, *computed;
    bool is_comparable;
    const char *want;
} sum_row;

static const sum_row sum_rows[] = {
    {"the same", "370", "370", false, "match 370~1"},
    {"within the rounding of both", "370", "370.5", false, "match 370.5~0.55"},
    {"past it", "370", "378.8", false, "revised 378.8~0.55"},
    {"over 2000 and what it was", "2286.2", "over 2000", false, "match 2000~inf"},
    {"over 2000 and less", "1986.2", "over 2000", false, "revised 2000~inf"},
    {"intervals that touch at a point", "2000", "nearly 2000", false, "match 2000~500"},
    {"open intervals that touch", "under 2000", "over 2000", false, "match 2000~inf"},
    {"open intervals that do not", "under 1999", "over 2000", false, "revised 2000~inf"},
    {"thousands", "37.88", "3788", false, "unit_slip 10^2 3788~0.505"},
    {"zero slips nowhere", "5", "0", false, "revised 0~1"},
    {"less than nothing", "-3.1", "-3.2", false, "match -3.2~0.1"},
    {"another scope", "370", "378.8", true, "comparable_base 378.8~0.55"},
    {"no claim", "", "378.8", false, "not_judged 1 378.8~0"},
    {"nothing to hold it against", "370", "", false, "not_judged 3"},
};

static void judges_sums(void **state)
{
    const sum_row *row = *state;
    alm_sum_claim claim = {.claimed = figure(row->claimed, YUAN),
                           .computed = figure(row->computed, YUAN),
                           .is_comparable = row->is_comparable,
                           .otherwise = ALM_VERDICT_REVISED};
    char got[200];
    alm_judgement it = alm_judge_sum(&claim);
    tell(&it, got, sizeof got);
    assert_string_equal(got, row->want);
}

// --- ranks --------------------------------------------------------------------------------------

typedef struct rank_row {
    const char *name, *claimed;
    bool has_own;
    uint32_t better, surely, perhaps, missing;
    const char *want;
} rank_row;

static const rank_row rank_rows[] = {
    {"first of all", "1", true, 0, 0, 0, 0, "match 1~0"},
    {"two are better", "1", true, 2, 2, 0, 0, "unexplained 3~0 -> 7 3 [3, 3]"},
    {"one may be", "2", true, 0, 0, 1, 0, "match 1~0"},
    {"a peer is missing", "1", true, 0, 0, 0, 1, "not_judged 8 1~0"},
    {"whatever the missing one is", "1", true, 1, 1, 0, 1, "unexplained 2~0 -> 7 2 [2, 3]"},
    {"no value of its own", "1", false, 0, 0, 0, 0, "not_judged 2"},
    {"in the top group", "", true, 3, 3, 0, 0, "not_judged 1 4~0 -> 7 4 [4, 4]"},
};

static void judges_ranks(void **state)
{
    const rank_row *row = *state;
    alm_rank_claim claim = {figure(row->claimed, "rank"),
                            row->has_own,
                            row->better,
                            row->surely,
                            row->perhaps,
                            row->missing};
    char got[200];
    alm_judgement it = alm_judge_rank(&claim);
    tell(&it, got, sizeof got);
    assert_string_equal(got, row->want);
}

// --- figures as values, and words ---------------------------------------------------------------

static void figures_have_the_digits_they_deserve(void **state)
{
    (void)state;
    static const struct {
        double number, lower, upper;
        int finest;
        bool is_sum;
        const char *want;
    } rows[] = {
        {559.5273, 559.04, 560.015, -3, false, "约 559.5 亿元"},
        {552.239, 547.407, 557.143, -2, false, "约 552 亿元"},
        {1769.91, 1754.39, INFINITY, 0, false, "超 1,754 亿元"},
        {100, -INFINITY, 98.76, -1, false, "不足 98.8 亿元"},
        {100, -INFINITY, INFINITY, 0, false, ""},
        {6, 5.5, 6.5, 0, true, "约 6 亿元"},
        {0.1 + 0.2, 0.2, 0.4, -1, true, "约 0.3 亿元"},
        {7, 6.9, INFINITY, -1, true, "超 6.9 亿元"},
        {7, -INFINITY, 7.04, -1, true, "不足 7.1 亿元"},
        {1e30, 1e30, 1e30, 0, true, ""},
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        alm_figure it = {true, rows[i].number, {rows[i].lower, rows[i].upper}};
        alm_telling how = {.unit = {.measure = ALM_MEASURE_UNIT_CNY, .mult = 8},
                           .finest = rows[i].finest,
                           .is_sum = rows[i].is_sum};
        alm_value value;
        char text[ALM_VALUE_TEXT_MAX] = "";
        if (alm_figure_value(&it, &how, &value)) {
            (void)alm_value_format(&value, ALM_LANG_ZH, text);
        }
        assert_string_equal(text, rows[i].want);
    }
}

static void notes_are_understood(void **state)
{
    (void)state;
    assert_true(alm_text_says_real(ALM_STR("按不变价计算")));
    assert_true(alm_text_says_real(ALM_STR("Growth at Constant Prices")));
    assert_false(alm_text_says_real(ALM_STR("可比口径")));
    assert_false(alm_text_says_real(ALM_STR("")));
    assert_true(alm_text_says_comparable(ALM_STR("按可比口径增长")));
    assert_true(alm_text_says_comparable(ALM_STR("base restated")));
    assert_false(alm_text_says_comparable(ALM_STR("按可比价计算")));
    assert_string_equal(alm_verdict_code(ALM_VERDICT_UNIT_SLIP), "unit_slip");
    assert_string_equal(alm_verdict_label(ALM_VERDICT_UNIT_SLIP, ALM_LANG_ZH), "单位错位");
    assert_string_equal(alm_verdict_code((alm_verdict)99), "?");
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, judges_ratios, ratio_rows, name);
    TEST_ADD_ROWS(&list, judges_sums, sum_rows, name);
    TEST_ADD_ROWS(&list, judges_ranks, rank_rows, name);
    TEST_ADD(&list, figures_have_the_digits_they_deserve);
    TEST_ADD(&list, notes_are_understood);
    return TEST_RUN(&list, "reconcile");
}
