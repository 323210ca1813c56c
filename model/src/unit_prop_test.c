// Conversions against fractions of unlimited whole numbers: a million random values between random
// units of every pair that converts.
#include "alm/unit.h"

#include "test_bigint.h"
#include "test_random.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "test_rows.h"

#define CASE_COUNT 1000000

// The map once more, by number.
typedef struct size_row {
    alm_dimension dimension;
    int num, den, power;
} size_row;

static const size_row sizes[] = {
#define ROW(name, number, code, dim, n, d, p, zh, en) [number] = {ALM_DIMENSION_##dim, n, d, p},
    ALM_MEASURE_UNIT_MAP(ROW)
#undef ROW
};

static alm_unit random_unit(test_random *r)
{
    alm_unit u = {.measure = (uint8_t)(1 + test_random_below(r, ALM_ARRAY_LEN(sizes) - 1)),
                  .mult = (int8_t)((int)test_random_below(r, 22) + ALM_UNIT_MULT_MIN)};
    if (test_random_one_in(r, 3)) {
        u.measure = ALM_MEASURE_UNIT_MU; // the one that does not divide evenly
    }
    u.mult = alm_unit_valid(u) ? u.mult : 0;
    alm_unit quotient = u;
    quotient.per = test_random_one_in(r, 2) ? ALM_MEASURE_UNIT_MU : ALM_MEASURE_UNIT_M2;
    quotient.per_mult = (int8_t)test_random_below(r, 5);
    return test_random_one_in(r, 3) && alm_unit_valid(quotient) ? quotient : u;
}

static alm_unit random_target(test_random *r, alm_unit from)
{
    for (;;) {
        alm_unit to = random_unit(r);
        bool is_quotient = to.per != ALM_MEASURE_UNIT_NONE;
        if (sizes[to.measure].dimension == sizes[from.measure].dimension &&
            is_quotient == (from.per != ALM_MEASURE_UNIT_NONE)) {
            return to;
        }
    }
}

static alm_decimal random_value(test_random *r)
{
    int64_t m = (int64_t)(test_random_next(r) % (uint64_t)INT64_C(1000000000000000000));
    for (uint32_t drop = test_random_below(r, 19); drop > 0; drop--) {
        m /= 10;
    }
    if (test_random_one_in(r, 3)) {
        m -= m % 600; // so that thirds and halves come out even
    }
    int exponent = test_random_one_in(r, 2) ? (int)test_random_below(r, 37) - 18
                                            : (int)test_random_below(r, 8) - 5;
    return (alm_decimal){.mantissa = test_random_one_in(r, 2) ? -m : m,
                         .exponent = (int8_t)exponent};
}

// One of it in its base: of a quotient one over the other.
static size_row size_of(alm_unit unit)
{
    size_row size = sizes[unit.measure];
    size.power += unit.mult;
    if (unit.per != ALM_MEASURE_UNIT_NONE) {
        size.num *= sizes[unit.per].den;
        size.den *= sizes[unit.per].num;
        size.power -= sizes[unit.per].power + unit.per_mult;
    }
    return size;
}

// value in `to` is *num / *den, whole numbers, den > 0. 10^60 is more than any power in play.
static void exact_fraction(alm_decimal value, alm_unit from, alm_unit to, big *num, big *den)
{
    size_row a = size_of(from);
    size_row b = size_of(to);
    *num = big_scaled((__int128)value.mantissa * a.num * b.den, 60 + value.exponent + a.power);
    *den = big_scaled((__int128)a.den * b.num, 60 + b.power);
}

// Is d = num / den?
static bool is_quotient(alm_decimal d, big num, big den)
{
    big left = big_mul(big_scaled(d.mantissa, d.exponent + 18), den);
    return big_cmp(left, big_mul(num, big_scaled(1, 18))) == 0;
}

// Does a decimal of 18 digits equal the value in `to`? It is n / c x 10^power for a small c: take
// the threes out, turn halves into tenths, and see whether what is left is short enough.
static bool has_decimal(alm_decimal value, alm_unit from, alm_unit to)
{
    size_row a = size_of(from);
    size_row b = size_of(to);
    __int128 n = (__int128)value.mantissa * a.num * b.den;
    int c = a.den * b.num;
    int power = value.exponent + a.power - b.power;
    for (; c % 3 == 0; c /= 3, n /= 3) {
        if (n % 3 != 0) {
            return false;
        }
    }
    for (; c % 2 == 0; c /= 2, n *= 5) {
        power--;
    }
    ALM_ASSERT(c == 1);
    for (; n != 0 && n % 10 == 0; n /= 10) {
        power++;
    }
    for (; n != 0 && power > ALM_DECIMAL_EXPONENT_MAX && n / ALM_DECIMAL_MANTISSA_MAX == 0;
         n *= 10) {
        power--;
    }
    return n == 0 || (n <= ALM_DECIMAL_MANTISSA_MAX && n >= -ALM_DECIMAL_MANTISSA_MAX &&
                      power >= ALM_DECIMAL_EXPONENT_MIN && power <= ALM_DECIMAL_EXPONENT_MAX);
}

typedef struct conversion {
    alm_decimal value;
    alm_unit from, to;
    int exponent;
} conversion;

static const char *check(const conversion *c)
{
    big num;
    big den;
    exact_fraction(c->value, c->from, c->to, &num, &den);
    alm_decimal got;
    alm_code code = alm_unit_convert(c->value, c->from, c->to, &got, NULL);
    if (code == ALM_OK && (!alm_decimal_valid(got) || !is_quotient(got, num, den))) {
        return "the exact value is wrong";
    }
    if (code != ALM_OK && (code != ALM_OUT_OF_RANGE || has_decimal(c->value, c->from, c->to))) {
        return "refused, but there is an exact value";
    }
    alm_decimal rounded;
    bool exact = false;
    alm_code round_code =
        alm_unit_convert_round(c->value, c->from, c->to, c->exponent, &rounded, &exact, NULL);
    if (code == ALM_OK) {
        bool same = round_code == ALM_OK && exact && rounded.mantissa == got.mantissa &&
                    rounded.exponent == got.exponent;
        return same ? NULL : "exact and rounded differ";
    }
    big n = c->exponent < 0 ? big_mul(num, big_scaled(1, -c->exponent)) : num;
    big d = c->exponent > 0 ? big_mul(den, big_scaled(1, c->exponent)) : den;
    if (round_code != ALM_OK) {
        return round_code == ALM_OUT_OF_RANGE && big_quotient_too_large(n, d)
                   ? NULL
                   : "refused, but a rounded value fits";
    }
    return !exact && rounded.exponent == c->exponent &&
                   big_is_rounded_quotient(n, d, rounded.mantissa)
               ? NULL
               : "the rounded value is wrong";
}

static void conversions_are_fractions(void **state)
{
    (void)state;
    test_random r = test_random_start();
    for (int i = 0; i < CASE_COUNT; i++) {
        conversion c = {.value = random_value(&r), .from = random_unit(&r)};
        c.to = random_target(&r, c.from);
        c.exponent = (int)test_random_below(&r, 37) - 18;
        const char *wrong = check(&c);
        if (wrong != NULL) {
            char from[ALM_UNIT_TEXT_MAX];
            char to[ALM_UNIT_TEXT_MAX];
            alm_unit_code(c.from, from);
            alm_unit_code(c.to, to);
            fail_msg("ALM_TEST_SEED=%" PRIu64 " case %d: {%" PRId64 ", %d} %s in %s to %d: %s",
                     r.seed, i, c.value.mantissa, c.value.exponent, from, to, c.exponent, wrong);
        }
    }
}

int main(void)
{
    static test_list list;
    TEST_ADD(&list, conversions_are_fractions);
    return TEST_RUN(&list, "unit_prop");
}
