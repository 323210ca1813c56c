// Decimals against whole numbers of unlimited length: millions of random cases,
// with mantissas of every length, ties of rounding and exponents from end to end.
#include "alm/decimal.h"

#include "test_bigint.h"
#include "test_random.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

#define CASE_COUNT 250000 // of each property

typedef struct property {
    const char *name;
    bool (*holds)(test_random *r, char *ret_case, size_t cap);
} property;

static int64_t random_mantissa(test_random *r)
{
    static const int64_t powers[] = {1,
                                     INT64_C(1000),
                                     INT64_C(1000000),
                                     INT64_C(1000000000),
                                     INT64_C(1000000000000),
                                     INT64_C(1000000000000000),
                                     INT64_C(1000000000000000000)};
    int64_t m;
    if (test_random_one_in(r, 4)) {
        // Around a power of ten, or a half of one.
        m = powers[test_random_below(r, ALM_ARRAY_LEN(powers))] / (1 + test_random_below(r, 2)) +
            (int64_t)test_random_below(r, 3) - 1;
    } else {
        m = (int64_t)(test_random_next(r) % (uint64_t)INT64_C(1000000000000000000));
        for (uint32_t drop = test_random_below(r, 19); drop > 0; drop--) {
            m /= 10;
        }
    }
    if (test_random_one_in(r, 8)) {
        m -= m % 1000;
    }
    m = m > ALM_DECIMAL_MANTISSA_MAX ? ALM_DECIMAL_MANTISSA_MAX : m;
    return test_random_one_in(r, 2) ? -m : m;
}

static alm_decimal random_decimal(test_random *r)
{
    return (alm_decimal){.mantissa = random_mantissa(r),
                         .exponent = (int8_t)((int)test_random_below(r, 37) - 18)};
}

// Two that often lie near each other.
static alm_decimal random_neighbour(test_random *r, alm_decimal d)
{
    if (test_random_one_in(r, 2)) {
        return random_decimal(r);
    }
    alm_decimal other = random_decimal(r);
    int exponent = d.exponent + (int)test_random_below(r, 5) - 2;
    other.exponent = (int8_t)ALM_MAX(-18, ALM_MIN(18, exponent));
    return other;
}

// d in units of 10^-18: every decimal is a whole number of them.
static big in_units(alm_decimal d)
{
    return big_scaled(d.mantissa, d.exponent + 18);
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

// num / den x 10^power as a quotient of whole numbers, in units of 10^exponent.
static void as_quotient(big *num, big *den, int power)
{
    big ten = big_scaled(1, power < 0 ? -power : power);
    *(power < 0 ? den : num) = big_mul(*(power < 0 ? den : num), ten);
    if (den->negative) {
        *den = big_negate(*den);
        *num = big_negate(*num);
    }
}

// Holds when the call rounded as the definition says, or refused what does not fit.
static bool rounded_well(alm_code code, alm_decimal got, big num, big den, int exponent)
{
    if (exponent < -18 || exponent > 18) {
        return code == ALM_OUT_OF_RANGE;
    }
    if (code != ALM_OK) {
        return code == ALM_OUT_OF_RANGE && big_quotient_too_large(num, den);
    }
    return alm_decimal_valid(got) && got.exponent == exponent &&
           big_is_rounded_quotient(num, den, got.mantissa);
}

static bool text_reads_back(test_random *r, char *ret_case, size_t cap)
{
    alm_decimal d = random_decimal(r);
    char text[ALM_DECIMAL_TEXT_MAX];
    size_t len = alm_decimal_format(d, 0, text);
    snprintf(ret_case, cap, "{%" PRId64 ", %d} as %s", d.mantissa, d.exponent, text);
    alm_decimal back;
    if (strlen(text) != len || alm_decimal_parse(alm_str_from(text), &back, NULL) != ALM_OK) {
        return false;
    }
    bool same_digits =
        d.exponent > 0 || (back.mantissa == d.mantissa && back.exponent == d.exponent);
    return same_digits && big_cmp(in_units(d), in_units(back)) == 0;
}

static bool groups_are_ornament(test_random *r, char *ret_case, size_t cap)
{
    alm_decimal d = random_decimal(r);
    char plain[ALM_DECIMAL_TEXT_MAX];
    char grouped[ALM_DECIMAL_TEXT_MAX];
    alm_decimal_format(d, 0, plain);
    alm_decimal_format(d, ',', grouped);
    snprintf(ret_case, cap, "%s as %s", plain, grouped);
    // Without its commas it is the plain text, and a comma stands where the whole digits left of
    // the point are a multiple of three.
    size_t whole_end = strcspn(grouped, ".");
    char stripped[ALM_DECIMAL_TEXT_MAX];
    size_t len = 0;
    size_t digits_left = strspn(plain + (plain[0] == '-'), "0123456789");
    for (size_t i = 0; grouped[i] != '\0'; i++) {
        if (grouped[i] == ',') {
            if (i > whole_end || digits_left % 3 != 0 || i == 0 || grouped[i - 1] == '-') {
                return false;
            }
            continue;
        }
        if (i > 0 && i < whole_end && grouped[i - 1] != ',' && grouped[i - 1] != '-' &&
            digits_left % 3 == 0) {
            return false;
        }
        digits_left -= i < whole_end && grouped[i] != '-';
        stripped[len++] = grouped[i];
    }
    stripped[len] = '\0';
    return strcmp(stripped, plain) == 0;
}

static bool orders_by_value(test_random *r, char *ret_case, size_t cap)
{
    alm_decimal a = random_decimal(r);
    alm_decimal b = random_neighbour(r, a);
    snprintf(ret_case, cap, "{%" PRId64 ", %d} and {%" PRId64 ", %d}", a.mantissa, a.exponent,
             b.mantissa, b.exponent);
    return sign(alm_decimal_cmp(a, b)) == big_cmp(in_units(a), in_units(b));
}

static bool adds_exactly(test_random *r, char *ret_case, size_t cap)
{
    alm_decimal a = random_decimal(r);
    alm_decimal b = random_neighbour(r, a);
    bool minus = test_random_one_in(r, 2);
    snprintf(ret_case, cap, "{%" PRId64 ", %d} %c {%" PRId64 ", %d}", a.mantissa, a.exponent,
             minus ? '-' : '+', b.mantissa, b.exponent);
    alm_decimal got;
    alm_code code = minus ? alm_decimal_sub(a, b, &got, NULL) : alm_decimal_add(a, b, &got, NULL);
    big want = minus ? big_sub(in_units(a), in_units(b)) : big_add(in_units(a), in_units(b));
    int exponent = ALM_MIN(a.exponent, b.exponent);
    if (code != ALM_OK) {
        big bound = big_scaled(1, 18 + exponent + 18);
        return code == ALM_OUT_OF_RANGE && big_cmp(big_abs(want), bound) >= 0;
    }
    return alm_decimal_valid(got) && got.exponent == exponent && big_cmp(in_units(got), want) == 0;
}

static bool rounds_half_to_even(test_random *r, char *ret_case, size_t cap)
{
    alm_decimal d = random_decimal(r);
    int exponent = (int)test_random_below(r, 41) - 20;
    snprintf(ret_case, cap, "{%" PRId64 ", %d} to %d", d.mantissa, d.exponent, exponent);
    alm_decimal got = {0};
    alm_code code = alm_decimal_round(d, exponent, &got, NULL);
    big num = big_of(d.mantissa);
    big den = big_of(1);
    as_quotient(&num, &den, d.exponent - exponent);
    if (!rounded_well(code, got, num, den, exponent)) {
        return false;
    }
    // Rescaling is rounding that loses nothing.
    alm_decimal rescaled;
    alm_code rescale_code = alm_decimal_rescale(d, exponent, &rescaled, NULL);
    bool lossless = code == ALM_OK && big_cmp(in_units(got), in_units(d)) == 0;
    return lossless ? rescale_code == ALM_OK && rescaled.mantissa == got.mantissa &&
                          rescaled.exponent == got.exponent
                    : rescale_code == ALM_OUT_OF_RANGE;
}

static bool scales_by_a_ratio(test_random *r, char *ret_case, size_t cap)
{
    alm_decimal d = random_decimal(r);
    bool small = test_random_one_in(r, 2);
    int64_t num = small ? (int64_t)test_random_below(r, 20) - 10 : (int64_t)test_random_next(r);
    int64_t den = small ? (int64_t)test_random_below(r, 20) - 10 : (int64_t)test_random_next(r);
    den = den == 0 ? INT64_MIN : den;
    int power = (int)test_random_below(r, 61) - 30;
    int exponent = (int)test_random_below(r, 37) - 18;
    snprintf(ret_case, cap, "{%" PRId64 ", %d} x %" PRId64 "/%" PRId64 " x 10^%d to %d", d.mantissa,
             d.exponent, num, den, power, exponent);
    alm_decimal got = {0};
    alm_code code = alm_decimal_scale_shift(d, num, den, power, exponent, &got, NULL);
    big n = big_mul(big_of(d.mantissa), big_of(num));
    big v = big_of(den);
    as_quotient(&n, &v, d.exponent + power - exponent);
    return rounded_well(code, got, n, v, exponent);
}

static bool divides(test_random *r, char *ret_case, size_t cap)
{
    alm_decimal a = random_decimal(r);
    alm_decimal b = random_neighbour(r, a);
    int exponent = (int)test_random_below(r, 37) - 18;
    snprintf(ret_case, cap, "{%" PRId64 ", %d} / {%" PRId64 ", %d} to %d", a.mantissa, a.exponent,
             b.mantissa, b.exponent, exponent);
    alm_decimal got = {0};
    alm_code code = alm_decimal_div(a, b, exponent, &got, NULL);
    if (b.mantissa == 0) {
        return code == ALM_OUT_OF_RANGE;
    }
    big num = big_of(a.mantissa);
    big den = big_of(b.mantissa);
    as_quotient(&num, &den, a.exponent - b.exponent - exponent);
    return rounded_well(code, got, num, den, exponent);
}

static bool shifts_exactly(test_random *r, char *ret_case, size_t cap)
{
    alm_decimal d = random_decimal(r);
    int power = (int)test_random_below(r, 121) - 60;
    snprintf(ret_case, cap, "{%" PRId64 ", %d} x 10^%d", d.mantissa, d.exponent, power);
    alm_decimal got;
    alm_code code = alm_decimal_shift(d, power, &got, NULL);
    // In units of 10^-80 shifted and unshifted values are whole.
    big want = big_scaled(d.mantissa, d.exponent + power + 80);
    if (code == ALM_OK) {
        return alm_decimal_valid(got) &&
               big_cmp(big_scaled(got.mantissa, got.exponent + 80), want) == 0;
    }
    // Refused: too large for the coarsest exponent, or finer than the finest one resolves.
    int wanted = d.exponent + power;
    if (wanted > 18) {
        return big_cmp(big_abs(want), big_scaled(1, 18 + 18 + 80)) >= 0;
    }
    int64_t digits = d.mantissa;
    while (digits != 0 && digits % 10 == 0) {
        digits /= 10;
        wanted++;
    }
    return digits != 0 && wanted < -18;
}

static bool sums_in_any_order(test_random *r, char *ret_case, size_t cap)
{
    alm_decimal_sum sum = {0};
    big want = {0};
    int finest = 18;
    uint32_t count = test_random_below(r, 8);
    snprintf(ret_case, cap, "%u addends", count);
    for (uint32_t i = 0; i < count; i++) {
        alm_decimal d = random_decimal(r);
        alm_decimal_sum before = sum;
        if (alm_decimal_sum_add(&sum, d, NULL) != ALM_OK) {
            if (sum.mantissa != before.mantissa || sum.exponent != before.exponent) {
                return false;
            }
            continue;
        }
        want = big_add(want, in_units(d));
        finest = ALM_MIN(finest, d.exponent);
    }
    if (!sum.any) {
        alm_decimal zero;
        return alm_decimal_sum_value(&sum, &zero, NULL) == ALM_OK && zero.mantissa == 0 &&
               zero.exponent == 0;
    }
    alm_decimal got;
    if (alm_decimal_sum_value(&sum, &got, NULL) != ALM_OK) {
        return big_cmp(big_abs(want), big_scaled(1, 18 + finest + 18)) >= 0;
    }
    return got.exponent == finest && big_cmp(in_units(got), want) == 0;
}

static bool doubles_are_nearest(test_random *r, char *ret_case, size_t cap)
{
    alm_decimal d = random_decimal(r);
    char text[ALM_DECIMAL_TEXT_MAX];
    alm_decimal_format(d, 0, text);
    snprintf(ret_case, cap, "%s", text);
    return alm_decimal_to_double(d) == strtod(text, NULL);
}

static bool normal_form_keeps_the_value(test_random *r, char *ret_case, size_t cap)
{
    alm_decimal d = random_decimal(r);
    snprintf(ret_case, cap, "{%" PRId64 ", %d}", d.mantissa, d.exponent);
    alm_decimal n = alm_decimal_normalize(d);
    if (d.mantissa == 0) {
        return n.mantissa == 0 && n.exponent == 0;
    }
    return alm_decimal_cmp(n, d) == 0 && (n.mantissa % 10 != 0 || n.exponent == 18);
}

static const property properties[] = {
    {"formatted numbers read back", text_reads_back},
    {"groups are ornament", groups_are_ornament},
    {"order is by value", orders_by_value},
    {"sums and differences are exact", adds_exactly},
    {"rounding is half to even", rounds_half_to_even},
    {"scaling rounds once", scales_by_a_ratio},
    {"division rounds once", divides},
    {"shifting is exact", shifts_exactly},
    {"sums of many are exact", sums_in_any_order},
    {"doubles are the nearest", doubles_are_nearest},
    {"normal forms keep the value", normal_form_keeps_the_value},
};

static void holds(void **state)
{
    const property *p = *state;
    test_random r = test_random_start();
    char what[160] = "";
    for (int i = 0; i < CASE_COUNT; i++) {
        if (!p->holds(&r, what, sizeof what)) {
            fail_msg("ALM_TEST_SEED=%" PRIu64 " case %d: %s", r.seed, i, what);
        }
    }
}

int main(void)
{
    static test_list list;
    TEST_ADD_ROWS(&list, holds, properties, name)
    return TEST_RUN(&list, "decimal_prop");
}
