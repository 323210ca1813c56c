// Numbers as text: rows, and random ones against long arithmetic done by the C library.
#include "almanac.h"

#include "alm/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct number_row {
    const char *name;
    int64_t mantissa;
    int32_t exponent;
    char group;
    const char *want;
} number_row;

static const number_row number_rows[] = {
    {"number: zero", 0, 0, ',', "0"},
    {"number: zero keeps its decimals", 0, -2, 0, "0.00"},
    {"number: zero has no powers", 0, 8, 0, "0"},
    {"number: decimals", 16853, -2, 0, "168.53"},
    {"number: trailing zero", 168530, -3, 0, "168.530"},
    {"number: below one", 5, -3, ',', "0.005"},
    {"number: negative below one", -5, -1, 0, "-0.5"},
    {"number: power", 2, 11, ',', "200,000,000,000"},
    {"number: grouped", 6100, 0, ',', "6,100"},
    {"number: grouped, decimals are not", 1234567891, -4, ',', "123,456.7891"},
    {"number: three digits are no group", -123, 0, ',', "-123"},
    {"number: the least", INT64_MIN, 0, 0, "-9223372036854775808"},
    {"number: the greatest, all decimals", INT64_MAX, -40, 0,
     "0.0000000000000000000009223372036854775807"},
    {"number: the greatest, all powers", INT64_MAX, 40, 0,
     "92233720368547758070000000000000000000000000000000000000000"},
};

static void writes_numbers(void **state)
{
    const number_row *row = *state;
    char got[ALMANAC_NUMBER_TEXT_MAX];
    size_t len = almanac_number_text(row->mantissa, row->exponent, row->group, got);
    assert_string_equal(got, row->want);
    assert_int_equal(len, strlen(row->want));
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

// Taking point and commas out and reading the digits gives the mantissa again.
static void random_numbers_read_back(void **state)
{
    (void)state;
    const char *given = getenv("ALM_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 42;
    for (int round = 0; round < 100000; round++) {
        int64_t mantissa = (int64_t)next_random(&seed) >> (next_random(&seed) % 64);
        int32_t exponent = -(int32_t)(next_random(&seed) % 19);
        char text[ALMANAC_NUMBER_TEXT_MAX], digits[ALMANAC_NUMBER_TEXT_MAX];
        almanac_number_text(mantissa, exponent, ',', text);
        size_t len = 0;
        for (const char *c = text; *c != '\0'; c++) {
            if (*c != ',' && *c != '.') {
                digits[len++] = *c;
            }
        }
        digits[len] = '\0';
        assert_int_equal(strtoll(digits, NULL, 10), mantissa);
        const char *point = strchr(text, '.');
        assert_int_equal(point != NULL ? (int32_t)strlen(point + 1) : 0, -exponent);
    }
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(number_rows) + 1];
    size_t count = 0;
    for (; count < ALM_ARRAY_LEN(number_rows); count++) {
        tests[count] = (struct CMUnitTest){.name = number_rows[count].name,
                                           .test_func = writes_numbers,
                                           .initial_state = (void *)(uintptr_t)&number_rows[count]};
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(random_numbers_read_back);
    return _cmocka_run_group_tests("number", tests, count, NULL, NULL);
}
