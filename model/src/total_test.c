// Totals: known sums to the digit and their ends to the bit; and of random values the same total in
// whatever order they are added, and however many at a time.
#include "alm/total.h"

#include "test_random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

static alm_unit unit_of(const char *text)
{
    alm_unit unit;
    assert_int_equal(alm_unit_parse(alm_str_from(text), &unit, NULL), ALM_OK);
    return unit;
}

static alm_value value_of(int64_t mantissa, int exponent, const char *unit, alm_qualifier qualifier)
{
    return (alm_value){.number = {mantissa, (int8_t)exponent},
                       .unit = unit_of(unit),
                       .qualifier = qualifier,
                       .has_number = true};
}

// --- known sums ----------------------------------------------------------------------------------

typedef struct sum_case {
    const char *name;
    alm_decimal numbers[3];
    const char *units[3];
    alm_qualifier qualifiers[3];
    size_t count;
    const char *in;
    alm_decimal want; // exponent 99: too large
    double lower, upper;
} sum_case;

static const sum_case cases[] = {
    {"half units add up exactly",
     {{1, -1}, {2, -1}, {3, -1}},
     {"CNY_E8", "CNY_E8", "CNY_E8"},
     {0},
     3,
     "CNY_E8",
     {6, -1},
     0.45,
     0.75},
    {"the finest digits are told",
     {{15, -1}, {200, -2}},
     {"CNY_E8", "CNY_E8"},
     {0},
     2,
     "CNY_E8",
     {350, -2},
     3.445,
     3.555},
    {"things counted have no width",
     {{5, 0}, {7, 0}},
     {"persons", "persons"},
     {0},
     2,
     "persons",
     {12, 0},
     12,
     12},
    {"units with other powers",
     {{5, -1}, {25000, 0}},
     {"persons_E4", "persons"},
     {0},
     2,
     "persons_E4",
     {30000, -4},
     2.95,
     3.05},
    {"about reaches a unit of what is significant",
     {{6100, 0}, {1, 0}},
     {"CNY", "CNY"},
     {ALM_QUALIFIER_ABOUT},
     2,
     "CNY",
     {6101, 0},
     6000.5,
     6201.5},
    {"nearly reaches towards zero only",
     {{40, 0}, {-40, 0}},
     {"CNY", "CNY"},
     {ALM_QUALIFIER_NEARLY, ALM_QUALIFIER_NEARLY},
     2,
     "CNY",
     {0, 0},
     -10,
     10},
    {"over is open above",
     {{3, 0}, {4, 0}},
     {"CNY", "CNY"},
     {ALM_QUALIFIER_MORE_THAN},
     2,
     "CNY",
     {7, 0},
     6.5,
     INFINITY},
    {"under is open below",
     {{3, 0}, {4, 0}},
     {"CNY", "CNY"},
     {ALM_QUALIFIER_AT_MOST},
     2,
     "CNY",
     {7, 0},
     -INFINITY,
     7.5},
    {"leading says nothing of its number",
     {{3, 0}},
     {"CNY"},
     {ALM_QUALIFIER_LEADING},
     1,
     "CNY",
     {3, 0},
     -INFINITY,
     INFINITY},
    {"18 digits beside a tenth: the ends are rounded once",
     {{100000000000000000, 0}, {1, -1}},
     {"CNY", "CNY"},
     {0},
     2,
     "CNY",
     {0, 99},
     99999999999999999.55,
     100000000000000000.65},
};

static void add_case(const sum_case *c, alm_total *ret)
{
    *ret = (alm_total){0};
    for (size_t i = 0; i < c->count; i++) {
        alm_value value =
            value_of(c->numbers[i].mantissa, c->numbers[i].exponent, c->units[i], c->qualifiers[i]);
        assert_true(alm_total_add(ret, &value, unit_of(c->in), (alm_told){0, 1}));
    }
}

static void adds(void **state)
{
    const sum_case *c = *state;
    alm_total total;
    alm_decimal number;
    add_case(c, &total);
    alm_interval ends = alm_total_interval(&total);
    assert_true(ends.lower == c->lower && ends.upper == c->upper);
    assert_int_equal(total.present, c->count);
    if (c->want.exponent == 99) {
        assert_int_equal(alm_total_number(&total, &number, NULL), ALM_OUT_OF_RANGE);
        return;
    }
    assert_int_equal(alm_total_number(&total, &number, NULL), ALM_OK);
    assert_int_equal(number.mantissa, c->want.mantissa);
    assert_int_equal(number.exponent, c->want.exponent);
}

static void what_has_no_number_there_is_not_added(void **state)
{
    (void)state;
    alm_total total = {0};
    alm_value missing = {.unit = unit_of("CNY"), .status = ALM_OBS_STATUS_MISSING};
    alm_value stranger = value_of(1, 0, "persons", ALM_QUALIFIER_EXACT);
    assert_false(alm_total_add(&total, &missing, unit_of("CNY"), (alm_told){0, 1}));
    assert_false(alm_total_add(&total, &stranger, unit_of("CNY"), (alm_told){0, 1}));
    assert_int_equal(total.present, 0);
    assert_true(isinf(alm_total_interval(&total).lower));
}

static void units_that_are_no_power_apart_keep_their_width(void **state)
{
    (void)state;
    alm_total total = {0};
    alm_value mu = value_of(300, -2, "mu", ALM_QUALIFIER_EXACT);
    assert_true(alm_total_add(&total, &mu, unit_of("m2"), (alm_told){0, 1}));
    alm_interval ends = alm_total_interval(&total);
    assert_true(fabs(ends.lower - 2.995 * 2000 / 3) < 1e-6);
    assert_true(fabs(ends.upper - 3.005 * 2000 / 3) < 1e-6);
}

static void the_newest_is_told_and_of_several_the_first(void **state)
{
    (void)state;
    alm_total total = {0};
    alm_value value = value_of(1, 0, "CNY", ALM_QUALIFIER_EXACT);
    const alm_told told[] = {{4, 10}, {5, 20}, {6, 20}, {7, 15}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(told); i++) {
        assert_true(alm_total_add(&total, &value, value.unit, told[i]));
    }
    assert_int_equal(total.published, 20);
    assert_int_equal(total.source, 5);
}

// --- any order, any grouping ---------------------------------------------------------------------

#define VALUE_COUNT 40

static const char *const units[] = {"CNY", "CNY_E4", "CNY_E8", "CNY_E4"};

static alm_value random_value(test_random *random, bool is_even)
{
    alm_qualifier qualifier = is_even || test_random_below(random, 3) > 0
                                  ? ALM_QUALIFIER_EXACT
                                  : (alm_qualifier)test_random_below(random, ALM_QUALIFIER_COUNT);
    int64_t mantissa = (int64_t)test_random_below(random, 2000000) - 1000000;
    alm_value value = value_of(mantissa, is_even ? -2 : (int)test_random_below(random, 8) - 4,
                               is_even ? "CNY_E4" : units[test_random_below(random, 4)], qualifier);
    value.status = (alm_obs_status)test_random_below(random, ALM_OBS_STATUS_MISSING);
    return value;
}

static bool same_total(const alm_total *a, const alm_total *b)
{
    alm_decimal x, y;
    alm_interval p = alm_total_interval(a);
    alm_interval q = alm_total_interval(b);
    assert_int_equal(alm_total_number(a, &x, NULL), alm_total_number(b, &y, NULL));
    return x.mantissa == y.mantissa && x.exponent == y.exponent && p.lower == q.lower &&
           p.upper == q.upper && a->present == b->present && a->source == b->source &&
           a->published == b->published && a->status == b->status &&
           a->is_inexact == b->is_inexact && a->is_not_over == b->is_not_over &&
           a->is_not_under == b->is_not_under;
}

static void order_does_not_matter(void **state)
{
    (void)state;
    test_random random = test_random_start();
    alm_unit unit = unit_of("CNY_E4");
    for (int round = 0; round < 2000; round++) {
        alm_value values[VALUE_COUNT];
        alm_total forward = {0}, backward = {0}, merged = {0}, half[2] = {{0}, {0}};
        for (size_t i = 0; i < VALUE_COUNT; i++) {
            values[i] = random_value(&random, false);
        }
        size_t middle = test_random_below(&random, VALUE_COUNT + 1);
        for (size_t i = 0; i < VALUE_COUNT; i++) {
            alm_told told = {3, 7};
            assert_true(alm_total_add(&forward, &values[i], unit, told));
            assert_true(alm_total_add(&backward, &values[VALUE_COUNT - 1 - i], unit, told));
            assert_true(alm_total_add(&half[i >= middle], &values[i], unit, told));
        }
        alm_total_merge(&merged, &half[0]);
        alm_total_merge(&merged, &half[1]);
        assert_true(same_total(&forward, &backward));
        assert_true(same_total(&forward, &merged));
    }
}

static void many_at_once_are_each_alone(void **state)
{
    (void)state;
    test_random random = test_random_start();
    for (int round = 0; round < 2000; round++) {
        alm_total alone = {0}, together = {0};
        alm_unit unit = unit_of(units[test_random_below(&random, 3)]);
        alm_value like = random_value(&random, true);
        alm_told told = {1, 9};
        uint32_t count = test_random_below(&random, 100);
        int64_t sum = 0;
        for (uint32_t i = 0; i < count; i++) {
            alm_value value = like;
            value.number.mantissa = random_value(&random, true).number.mantissa;
            sum += value.number.mantissa;
            assert_true(alm_total_add(&alone, &value, unit, told));
        }
        alm_total_like all;
        assert_true(alm_total_like_of(&like, unit, &all));
        alm_total_add_like(&together, &all, sum, count, told);
        assert_true(same_total(&alone, &together));
    }
}

static void one_value_has_its_own_interval(void **state)
{
    (void)state;
    test_random random = test_random_start();
    for (int round = 0; round < 20000; round++) {
        alm_total total = {0};
        alm_value value = random_value(&random, false);
        value.number.mantissa *= round % 2 == 0 ? 1 : 100000000003;
        assert_true(alm_total_add(&total, &value, value.unit, (alm_told){0, 1}));
        alm_interval got = alm_total_interval(&total);
        alm_interval want = alm_value_interval(&value);
        assert_true(got.lower == want.lower && got.upper == want.upper);
    }
}

static void only_plain_values_add_up(void **state)
{
    (void)state;
    alm_total_like like;
    alm_value value = value_of(1, -1, "mu", ALM_QUALIFIER_EXACT);
    assert_true(alm_total_like_of(&value, unit_of("mu"), &like));
    assert_false(alm_total_like_of(&value, unit_of("m2"), &like));
    assert_false(alm_total_like_of(&value, unit_of("CNY"), &like));
    value.qualifier = ALM_QUALIFIER_ABOUT;
    assert_false(alm_total_like_of(&value, unit_of("mu"), &like));
    value = value_of(1, ALM_DECIMAL_EXPONENT_MIN, "CNY", ALM_QUALIFIER_EXPECTED);
    assert_true(alm_total_like_of(&value, unit_of("CNY"), &like));
    assert_false(alm_total_like_of(&value, unit_of("CNY_E4"), &like));
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, adds, cases, name)
    TEST_ADD(&list, what_has_no_number_there_is_not_added);
    TEST_ADD(&list, units_that_are_no_power_apart_keep_their_width);
    TEST_ADD(&list, the_newest_is_told_and_of_several_the_first);
    TEST_ADD(&list, order_does_not_matter);
    TEST_ADD(&list, many_at_once_are_each_alone);
    TEST_ADD(&list, one_value_has_its_own_interval);
    TEST_ADD(&list, only_plain_values_add_up);
    return TEST_RUN(&list, "total");
}
