// Decimals: rows of input and expected output, one test a row. The random cases are in
// decimal_prop_test.c.
#include "alm/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

#define MAX ALM_DECIMAL_MANTISSA_MAX

static alm_decimal dec(int64_t mantissa, int exponent)
{
    return (alm_decimal){.mantissa = mantissa, .exponent = (int8_t)exponent};
}

static void assert_decimal(alm_decimal got, alm_decimal want)
{
    assert_int_equal(got.mantissa, want.mantissa);
    assert_int_equal(got.exponent, want.exponent);
}

// ----- Text --------------------------------------------------------------------------------------

typedef struct parse_row {
    const char *input;
    alm_code code;
    alm_decimal want;
} parse_row;

static const parse_row parse_rows[] = {
    {"0", ALM_OK, {0, 0}},
    {"-0", ALM_OK, {0, 0}},
    {"0.00", ALM_OK, {0, -2}},
    {"168.53", ALM_OK, {16853, -2}},
    {"168.530", ALM_OK, {168530, -3}},
    {"+7", ALM_OK, {7, 0}},
    {"-8.3", ALM_OK, {-83, -1}},
    {"007.50", ALM_OK, {750, -2}},
    {"2000", ALM_OK, {2000, 0}},
    {"1e3", ALM_OK, {1, 3}},
    {"1.25E+2", ALM_OK, {125, 0}},
    {"1.5e-3", ALM_OK, {15, -4}},
    {"0e18", ALM_OK, {0, 18}},
    {"1e0000000000000000000000001", ALM_OK, {1, 1}},
    {"999999999999999999", ALM_OK, {MAX, 0}},
    {"-0.999999999999999999", ALM_OK, {-MAX, -18}},
    {"1000000000000000000", ALM_OK, {INT64_C(100000000000000000), 1}},
    {"999999999999999999000000000000000000", ALM_OK, {MAX, 18}},
    {"0000000000000000000000000000000000000001", ALM_OK, {1, 0}},
    {"1234567890123456789", ALM_OUT_OF_RANGE, {0}},
    {"1000000000000000001", ALM_OUT_OF_RANGE, {0}},
    {"1.0000000000000000000", ALM_OUT_OF_RANGE, {0}},
    {"0.0000000000000000001", ALM_OUT_OF_RANGE, {0}},
    {"9999999999999999990000000000000000000", ALM_OUT_OF_RANGE, {0}},
    {"1e19", ALM_OUT_OF_RANGE, {0}},
    {"1e-19", ALM_OUT_OF_RANGE, {0}},
    {"1e99999999999999999999999999", ALM_OUT_OF_RANGE, {0}},
    {"1e-99999999999999999999999999", ALM_OUT_OF_RANGE, {0}},
    {"", ALM_INVALID_ARGUMENT, {0}},
    {"-", ALM_INVALID_ARGUMENT, {0}},
    {"--1", ALM_INVALID_ARGUMENT, {0}},
    {".5", ALM_INVALID_ARGUMENT, {0}},
    {"5.", ALM_INVALID_ARGUMENT, {0}},
    {"5.e1", ALM_INVALID_ARGUMENT, {0}},
    {"1,000", ALM_INVALID_ARGUMENT, {0}},
    {" 1", ALM_INVALID_ARGUMENT, {0}},
    {"1 ", ALM_INVALID_ARGUMENT, {0}},
    {"1e", ALM_INVALID_ARGUMENT, {0}},
    {"1e+", ALM_INVALID_ARGUMENT, {0}},
    {"1e1.5", ALM_INVALID_ARGUMENT, {0}},
    {"0x10", ALM_INVALID_ARGUMENT, {0}},
    {"NaN", ALM_INVALID_ARGUMENT, {0}},
    {"Infinity", ALM_INVALID_ARGUMENT, {0}},
    {"１２", ALM_INVALID_ARGUMENT, {0}},
    {"1.2.3", ALM_INVALID_ARGUMENT, {0}},
};

static void parses(void **state)
{
    const parse_row *row = *state;
    alm_status st = ALM_STATUS_INIT;
    alm_decimal got = dec(42, 7);
    assert_int_equal(alm_decimal_parse(alm_str_from(row->input), &got, &st), row->code);
    if (row->code == ALM_OK) {
        assert_decimal(got, row->want);
        return;
    }
    assert_decimal(got, dec(42, 7)); // untouched
    assert_int_equal(st.code, row->code);
    assert_non_null(strstr(st.message, row->input));
}

static void stops_at_the_end_of_a_view(void **state)
{
    (void)state;
    alm_decimal got;
    assert_int_equal(alm_decimal_parse(alm_str_slice(ALM_STR("12.345"), 0, 4), &got, NULL), ALM_OK);
    assert_decimal(got, dec(123, -1));
    assert_int_equal(alm_decimal_parse(ALM_STR("1\0"), &got, NULL), ALM_INVALID_ARGUMENT);
}

typedef struct format_row {
    const char *want;
    alm_decimal input;
    char group;
} format_row;

static const format_row format_rows[] = {
    {"168.53", {16853, -2}, 0},
    {"168.530", {168530, -3}, 0},
    {"2000", {2, 3}, 0},
    {"0", {0, 5}, 0},
    {"0.00", {0, -2}, 0},
    {"-0.05", {-5, -2}, 0},
    {"0.000000000000000001", {1, -18}, 0},
    {"999", {999, 0}, ','},
    {"1,000", {1000, 0}, ','},
    {"6,100", {6100, 0}, ','},
    {"-12,345.6789", {-123456789, -4}, ','},
    {"-123", {-123, 0}, ','},
    {"100,000", {1, 5}, ','},
    {"-999,999,999,999,999,999,000,000,000,000,000,000", {-MAX, 18}, ','},
};

static void formats(void **state)
{
    const format_row *row = *state;
    char out[ALM_DECIMAL_TEXT_MAX];
    assert_int_equal(alm_decimal_format(row->input, row->group, out), strlen(row->want));
    assert_string_equal(out, row->want);
}

// ----- Arithmetic --------------------------------------------------------------------------------

static void knows_what_is_valid(void **state)
{
    (void)state;
    assert_true(alm_decimal_valid(dec(MAX, 18)));
    assert_true(alm_decimal_valid(dec(-MAX, -18)));
    assert_false(alm_decimal_valid(dec(MAX + 1, 0)));
    assert_false(alm_decimal_valid(dec(INT64_MIN, 0)));
    assert_false(alm_decimal_valid(dec(1, 19)));
    assert_false(alm_decimal_valid(dec(1, -19)));
}

static void orders_where_scaling_would_overflow(void **state)
{
    (void)state;
    assert_int_equal(alm_decimal_cmp(dec(16853, -2), dec(168530, -3)), 0);
    assert_int_equal(alm_decimal_cmp(dec(0, 18), dec(0, -18)), 0);
    assert_true(alm_decimal_cmp(dec(MAX, 18), dec(MAX, -18)) > 0);
    assert_true(alm_decimal_cmp(dec(-MAX, 18), dec(1, -18)) < 0);
    assert_true(alm_decimal_cmp(dec(1, 18), dec(MAX, 0)) > 0);
    assert_true(alm_decimal_cmp(dec(-1, 18), dec(-MAX, 0)) < 0);
}

typedef struct round_row {
    const char *name;
    alm_decimal input;
    int exponent;
    alm_decimal want;
    bool lossless;
} round_row;

static const round_row round_rows[] = {
    {"a half goes to even, down", {25, -1}, 0, {2, 0}, false},
    {"a half goes to even, up", {35, -1}, 0, {4, 0}, false},
    {"past a half goes up", {2500001, -6}, 0, {3, 0}, false},
    {"negative half to even", {-25, -1}, 0, {-2, 0}, false},
    {"to tens", {6150, 0}, 2, {62, 2}, false},
    {"half of a small one is zero", {5, -1}, 0, {0, 0}, false},
    {"far below is zero", {MAX, -18}, 18, {0, 18}, false},
    {"finer writes zeros", {16853, -2}, -4, {1685300, -4}, true},
    {"carries into a new digit", {999, -1}, 0, {100, 0}, false},
    {"coarser without loss", {1500, 0}, 2, {15, 2}, true},
};

static void rounds(void **state)
{
    const round_row *row = *state;
    alm_decimal got;
    assert_int_equal(alm_decimal_round(row->input, row->exponent, &got, NULL), ALM_OK);
    assert_decimal(got, row->want);
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_decimal_rescale(row->input, row->exponent, &got, &st);
    assert_int_equal(code, row->lossless ? ALM_OK : ALM_OUT_OF_RANGE);
    if (row->lossless) {
        assert_decimal(got, row->want);
    } else {
        assert_non_null(strstr(st.message, "is not a multiple of 10^"));
    }
}

static void adds_what_passes_through_large_values(void **state)
{
    (void)state;
    alm_decimal got;
    assert_int_equal(alm_decimal_add(dec(15, -1), dec(250, -2), &got, NULL), ALM_OK);
    assert_decimal(got, dec(400, -2));
    // 10^18 has 19 digits; 10^18 - 1 has 18.
    assert_int_equal(alm_decimal_sub(dec(1, 18), dec(1, 0), &got, NULL), ALM_OK);
    assert_decimal(got, dec(MAX, 0));
    assert_int_equal(alm_decimal_add(dec(MAX, 0), dec(1, 0), &got, NULL), ALM_OUT_OF_RANGE);
    assert_int_equal(alm_decimal_add(dec(1, 18), dec(1, -18), &got, NULL), ALM_OUT_OF_RANGE);
    assert_int_equal(alm_decimal_add(dec(0, 18), dec(1, -18), &got, NULL), ALM_OK);
    assert_decimal(got, dec(1, -18));
}

static void shifts_the_exponent_first(void **state)
{
    (void)state;
    alm_decimal got;
    assert_int_equal(alm_decimal_shift(dec(16853, -2), 8, &got, NULL), ALM_OK);
    assert_decimal(got, dec(16853, 6));
    assert_int_equal(alm_decimal_shift(dec(5, 18), 2, &got, NULL), ALM_OK);
    assert_decimal(got, dec(500, 18));
    assert_int_equal(alm_decimal_shift(dec(500, -18), -2, &got, NULL), ALM_OK);
    assert_decimal(got, dec(5, -18));
    assert_int_equal(alm_decimal_shift(dec(5, -18), -1, &got, NULL), ALM_OUT_OF_RANGE);
    assert_int_equal(alm_decimal_shift(dec(MAX, 18), 1, &got, NULL), ALM_OUT_OF_RANGE);
    assert_int_equal(alm_decimal_shift(dec(1, 0), INT32_MAX, &got, NULL), ALM_OUT_OF_RANGE);
    assert_int_equal(alm_decimal_shift(dec(1, 0), INT32_MIN, &got, NULL), ALM_OUT_OF_RANGE);
    assert_int_equal(alm_decimal_shift(dec(0, 0), INT32_MIN, &got, NULL), ALM_OK);
    assert_decimal(got, dec(0, -18));
}

static void divides_and_scales(void **state)
{
    (void)state;
    alm_decimal got;
    alm_status st = ALM_STATUS_INIT;
    // 168.53 is 8.3% more than a year before: 168.53 / 1.083.
    assert_int_equal(alm_decimal_div(dec(16853, -2), dec(1083, -3), -2, &got, NULL), ALM_OK);
    assert_decimal(got, dec(15561, -2));
    assert_int_equal(alm_decimal_div(dec(1, 0), dec(0, 0), 0, &got, &st), ALM_OUT_OF_RANGE);
    assert_string_equal(st.message, "division by zero");
    assert_int_equal(alm_decimal_div(dec(1, 0), dec(3, 0), -19, &got, NULL), ALM_OUT_OF_RANGE);
    assert_int_equal(alm_decimal_scale(dec(1, 0), 2000, 3, -2, &got, NULL), ALM_OK);
    assert_decimal(got, dec(66667, -2));
    assert_int_equal(alm_decimal_scale(dec(MAX, 0), INT64_MIN, INT64_MIN, 0, &got, NULL), ALM_OK);
    assert_decimal(got, dec(MAX, 0));
    assert_int_equal(alm_decimal_scale_shift(dec(1, 0), 2, 3, 3, -1, &got, NULL), ALM_OK);
    assert_decimal(got, dec(6667, -1));
}

static void normalizes(void **state)
{
    (void)state;
    assert_decimal(alm_decimal_normalize(dec(168530, -3)), dec(16853, -2));
    assert_decimal(alm_decimal_normalize(dec(6100, 0)), dec(61, 2));
    assert_decimal(alm_decimal_normalize(dec(0, -7)), dec(0, 0));
    assert_decimal(alm_decimal_normalize(dec(1000, 17)), dec(100, 18));
}

static void gives_the_nearest_double(void **state)
{
    (void)state;
    assert_true(alm_decimal_to_double(dec(16853, -2)) == 168.53);
    assert_true(alm_decimal_to_double(dec(-1, -1)) == -0.1);
    assert_true(alm_decimal_to_double(dec(123456789012345678, -9)) == 123456789.012345678);
    assert_true(alm_decimal_to_double(dec(MAX, 18)) == 999999999999999999e18);
}

static void sums_leave_themselves_alone_when_they_fail(void **state)
{
    (void)state;
    alm_decimal_sum sum = {0};
    alm_decimal got = dec(1, 1);
    assert_int_equal(alm_decimal_sum_value(&sum, &got, NULL), ALM_OK);
    assert_decimal(got, dec(0, 0));
    assert_int_equal(alm_decimal_sum_add(&sum, dec(MAX, 18), NULL), ALM_OK);
    assert_int_equal(alm_decimal_sum_add(&sum, dec(1, -18), NULL), ALM_OUT_OF_RANGE);
    assert_int_equal(alm_decimal_sum_value(&sum, &got, NULL), ALM_OK);
    assert_decimal(got, dec(MAX, 18));
    // Through 19 digits and back.
    assert_int_equal(alm_decimal_sum_add(&sum, dec(MAX, 18), NULL), ALM_OK);
    assert_int_equal(alm_decimal_sum_value(&sum, &got, NULL), ALM_OUT_OF_RANGE);
    assert_int_equal(alm_decimal_sum_add(&sum, dec(-MAX, 18), NULL), ALM_OK);
    assert_int_equal(alm_decimal_sum_value(&sum, &got, NULL), ALM_OK);
    assert_decimal(got, dec(MAX, 18));
    // 2 x 10^38 fits an unsigned number of 128 bits but not a signed one.
    sum = (alm_decimal_sum){0};
    assert_int_equal(alm_decimal_sum_add(&sum, dec(MAX, 2), NULL), ALM_OK);
    assert_int_equal(alm_decimal_sum_add(&sum, dec(MAX, 2), NULL), ALM_OK);
    assert_int_equal(alm_decimal_sum_add(&sum, dec(1, -18), NULL), ALM_OUT_OF_RANGE);
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, parses, parse_rows, input)
    TEST_ADD_ROWS(&list, formats, format_rows, want)
    TEST_ADD_ROWS(&list, rounds, round_rows, name)
    TEST_ADD(&list, stops_at_the_end_of_a_view);
    TEST_ADD(&list, knows_what_is_valid);
    TEST_ADD(&list, orders_where_scaling_would_overflow);
    TEST_ADD(&list, adds_what_passes_through_large_values);
    TEST_ADD(&list, shifts_the_exponent_first);
    TEST_ADD(&list, divides_and_scales);
    TEST_ADD(&list, normalizes);
    TEST_ADD(&list, gives_the_nearest_double);
    TEST_ADD(&list, sums_leave_themselves_alone_when_they_fail);
    return TEST_RUN(&list, "decimal");
}
