#include "alm/decimal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef unsigned __int128 u128;

#define DIGITS_MAX 18
#define POWER_MAX  38 // 10^38 is the largest power of ten in 128 bits

// ----- 128-bit magnitudes ------------------------------------------------------------------------

static const uint64_t powers_of_ten[] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
    UINT64_C(10000000000000000000),
};
#define POWER_64_MAX 19

static u128 power_of_ten(int power)
{
    ALM_ASSERT(power >= 0 && power <= POWER_MAX);
    return power <= POWER_64_MAX
               ? powers_of_ten[power]
               : (u128)powers_of_ten[POWER_64_MAX] * powers_of_ten[power - POWER_64_MAX];
}

static u128 magnitude(__int128 v)
{
    return v < 0 ? -(u128)v : (u128)v;
}

// m x 10^power. False: more than 128 bits.
static bool scale_up(u128 m, int power, u128 *ret)
{
    if (m == 0) {
        *ret = 0;
        return true;
    }
    return power <= POWER_MAX && !__builtin_mul_overflow(m, power_of_ten(power), ret);
}

static u128 divide_half_even(u128 num, u128 den)
{
    u128 quotient = num / den;
    u128 rest = num % den;
    u128 to_next = den - rest;
    if (rest > to_next || (rest == to_next && quotient % 2 == 1)) {
        quotient++;
    }
    return quotient;
}

// ----- Making decimals ---------------------------------------------------------------------------

static bool exponent_in_range(int64_t exponent)
{
    return exponent >= ALM_DECIMAL_EXPONENT_MIN && exponent <= ALM_DECIMAL_EXPONENT_MAX;
}

static alm_code too_many_digits(int exponent, alm_status *st)
{
    return alm_status_set(st, ALM_OUT_OF_RANGE, "the result needs more than %d digits at 10^%d",
                          DIGITS_MAX, exponent);
}

// The exponent must be in range.
static alm_code make(bool negative, u128 mantissa, int exponent, alm_decimal *ret, alm_status *st)
{
    if (mantissa > (u128)ALM_DECIMAL_MANTISSA_MAX) {
        return too_many_digits(exponent, st);
    }
    int64_t digits = (int64_t)mantissa;
    *ret = (alm_decimal){.mantissa = negative ? -digits : digits, .exponent = (int8_t)exponent};
    return ALM_OK;
}

// Rounds num / den x 10^power to the exponent. A term that overflows 128 bits decides the result at
// once: num is at most 10^18 x 2^63 and den at most 2^63, so the quotient is then beyond 10^19 or
// below one tenth.
static alm_code round_ratio(bool negative, u128 num, u128 den, int power, int exponent,
                            alm_decimal *ret, alm_status *st)
{
    ALM_ASSERT(den > 0);
    if (!exponent_in_range(exponent)) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "decimal exponent %d is outside %d..%d",
                              exponent, ALM_DECIMAL_EXPONENT_MIN, ALM_DECIMAL_EXPONENT_MAX);
    }
    int shift = power - exponent;
    u128 scaled;
    if (shift >= 0) {
        if (!scale_up(num, shift, &scaled)) {
            return too_many_digits(exponent, st);
        }
        return make(negative, divide_half_even(scaled, den), exponent, ret, st);
    }
    if (!scale_up(den, -shift, &scaled)) {
        return make(false, 0, exponent, ret, st);
    }
    return make(negative, divide_half_even(num, scaled), exponent, ret, st);
}

bool alm_decimal_valid(alm_decimal d)
{
    return d.mantissa >= -ALM_DECIMAL_MANTISSA_MAX && d.mantissa <= ALM_DECIMAL_MANTISSA_MAX &&
           exponent_in_range(d.exponent);
}

// ----- Text --------------------------------------------------------------------------------------

// A number taken apart, not yet weighed.
typedef struct number_parts {
    alm_str whole;
    alm_str fraction;
    int64_t exponent; // what stands behind e; 0 if nothing does
    bool negative;
} number_parts;

static bool skip_char(alm_str text, size_t *at, char a, char b)
{
    bool found = *at < text.len && (text.data[*at] == a || text.data[*at] == b);
    *at += found;
    return found;
}

static alm_str take_digits(alm_str text, size_t *at)
{
    size_t from = *at;
    while (*at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9') {
        (*at)++;
    }
    return alm_str_slice(text, from, *at);
}

static bool take_sign(alm_str text, size_t *at)
{
    bool negative = skip_char(text, at, '-', '-');
    if (!negative) {
        skip_char(text, at, '+', '+');
    }
    return negative;
}

// False: not the grammar.
static bool split_number(alm_str text, number_parts *ret)
{
    size_t at = 0;
    *ret = (number_parts){.negative = take_sign(text, &at)};
    ret->whole = take_digits(text, &at);
    if (ret->whole.len == 0) {
        return false;
    }
    if (skip_char(text, &at, '.', '.')) {
        ret->fraction = take_digits(text, &at);
        if (ret->fraction.len == 0) {
            return false;
        }
    }
    if (skip_char(text, &at, 'e', 'E')) {
        bool negative = take_sign(text, &at);
        alm_str digits = take_digits(text, &at);
        if (digits.len == 0) {
            return false;
        }
        // Beyond this bound no text is long enough to bring the number back into range.
        for (size_t i = 0; i < digits.len && ret->exponent < INT64_C(1000000000000000); i++) {
            ret->exponent = ret->exponent * 10 + (digits.data[i] - '0');
        }
        ret->exponent = negative ? -ret->exponent : ret->exponent;
    }
    return at == text.len;
}

static alm_str skip_leading_zeros(alm_str digits)
{
    size_t zeros = 0;
    while (zeros < digits.len && digits.data[zeros] == '0') {
        zeros++;
    }
    return alm_str_slice(digits, zeros, digits.len);
}

// Moves trailing zeros of a long integer into the exponent.
static void fold_integer(number_parts *parts)
{
    parts->whole = skip_leading_zeros(parts->whole);
    while (parts->fraction.len == 0 && parts->whole.len > DIGITS_MAX &&
           parts->whole.data[parts->whole.len - 1] == '0') {
        parts->whole.len--;
        parts->exponent++;
    }
}

// Appends digits to the mantissa. False: more than 18 significant ones.
static bool append_digits(alm_str digits, int64_t *mantissa)
{
    for (size_t i = 0; i < digits.len; i++) {
        if (*mantissa > ALM_DECIMAL_MANTISSA_MAX / 10) {
            return false;
        }
        *mantissa = *mantissa * 10 + (digits.data[i] - '0');
    }
    return true;
}

alm_code alm_decimal_parse(alm_str text, alm_decimal *ret, alm_status *st)
{
    number_parts parts;
    if (!split_number(text, &parts)) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "\"%.*s\" is not a decimal number",
                              ALM_STR_ARGS(text));
    }
    fold_integer(&parts);
    int64_t mantissa = 0;
    if (!append_digits(parts.whole, &mantissa) || !append_digits(parts.fraction, &mantissa)) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "\"%.*s\" has more than %d significant digits",
                              ALM_STR_ARGS(text), DIGITS_MAX);
    }
    int64_t exponent = parts.exponent - (int64_t)parts.fraction.len;
    if (!exponent_in_range(exponent)) {
        return alm_status_set(
            st, ALM_OUT_OF_RANGE, "the exponent of \"%.*s\" is %" PRId64 ", outside %d..%d",
            ALM_STR_ARGS(text), exponent, ALM_DECIMAL_EXPONENT_MIN, ALM_DECIMAL_EXPONENT_MAX);
    }
    *ret = (alm_decimal){.mantissa = parts.negative ? -mantissa : mantissa,
                         .exponent = (int8_t)exponent};
    return ALM_OK;
}

// Writes the digits least significant first, with at least one before the point.
static int reversed_digits(alm_decimal d, char *out)
{
    int count = 0;
    for (; count < d.exponent && d.mantissa != 0; count++) {
        out[count] = '0';
    }
    for (uint64_t rest = (uint64_t)magnitude(d.mantissa); rest > 0; rest /= 10) {
        out[count++] = (char)('0' + rest % 10);
    }
    while (count <= -d.exponent || count == 0) {
        out[count++] = '0';
    }
    return count;
}

size_t alm_decimal_format(alm_decimal d, char group, char *out)
{
    ALM_ASSERT(alm_decimal_valid(d));
    char digits[ALM_DECIMAL_TEXT_MAX];
    int count = reversed_digits(d, digits);
    int decimals = d.exponent < 0 ? -d.exponent : 0;
    size_t len = 0;
    if (d.mantissa < 0) {
        out[len++] = '-';
    }
    for (int i = count - 1; i >= 0; i--) {
        out[len++] = digits[i];
        int whole_left = i - decimals;
        if (whole_left == 0 && decimals > 0) {
            out[len++] = '.';
        } else if (whole_left > 0 && whole_left % 3 == 0 && group != 0) {
            out[len++] = group;
        }
    }
    ALM_ASSERT(len < ALM_DECIMAL_TEXT_MAX);
    out[len] = '\0';
    return len;
}

// ----- Order -------------------------------------------------------------------------------------

static int digit_count(uint64_t v)
{
    int count = 0;
    while (count <= POWER_64_MAX && v >= powers_of_ten[count]) {
        count++;
    }
    return count;
}

static int cmp_magnitude(alm_decimal a, alm_decimal b)
{
    uint64_t a_digits = (uint64_t)magnitude(a.mantissa);
    uint64_t b_digits = (uint64_t)magnitude(b.mantissa);
    int a_top = digit_count(a_digits) + a.exponent;
    int b_top = digit_count(b_digits) + b.exponent;
    if (a_top != b_top) {
        return a_top < b_top ? -1 : 1;
    }
    // The leading digits stand at one place, so the exponents are at most 17 apart.
    int finest = ALM_MIN(a.exponent, b.exponent);
    u128 a_scaled = a_digits * power_of_ten(a.exponent - finest);
    u128 b_scaled = b_digits * power_of_ten(b.exponent - finest);
    return (a_scaled > b_scaled) - (a_scaled < b_scaled);
}

int alm_decimal_cmp(alm_decimal a, alm_decimal b)
{
    ALM_ASSERT(alm_decimal_valid(a));
    ALM_ASSERT(alm_decimal_valid(b));
    if (a.exponent == b.exponent) {
        return (a.mantissa > b.mantissa) - (a.mantissa < b.mantissa);
    }
    int a_sign = (a.mantissa > 0) - (a.mantissa < 0);
    int b_sign = (b.mantissa > 0) - (b.mantissa < 0);
    if (a_sign != b_sign) {
        return a_sign < b_sign ? -1 : 1;
    }
    return a_sign == 0 ? 0 : a_sign * cmp_magnitude(a, b);
}

// ----- Arithmetic --------------------------------------------------------------------------------

// More digits of the same number. False: they do not fit, or there are not more.
static bool refine(alm_decimal d, int exponent, alm_decimal *ret)
{
    int power = d.exponent - exponent;
    int64_t mantissa;
    if (power <= 0 || power > ALM_DECIMAL_EXPONENT_MAX || exponent < ALM_DECIMAL_EXPONENT_MIN ||
        __builtin_mul_overflow(d.mantissa, (int64_t)powers_of_ten[power], &mantissa)) {
        return false;
    }
    *ret = (alm_decimal){mantissa, (int8_t)exponent};
    return alm_decimal_valid(*ret);
}

alm_code alm_decimal_rescale(alm_decimal d, int exponent, alm_decimal *ret, alm_status *st)
{
    alm_decimal rescaled;
    ALM_ASSERT(alm_decimal_valid(d));
    if (d.exponent == exponent) {
        *ret = d;
        return ALM_OK;
    }
    if (refine(d, exponent, &rescaled)) {
        *ret = rescaled;
        return ALM_OK;
    }
    ALM_TRY(alm_decimal_round(d, exponent, &rescaled, st));
    if (alm_decimal_cmp(rescaled, d) != 0) {
        char text[ALM_DECIMAL_TEXT_MAX];
        alm_decimal_format(d, 0, text);
        return alm_status_set(st, ALM_OUT_OF_RANGE, "%s is not a multiple of 10^%d", text,
                              exponent);
    }
    *ret = rescaled;
    return ALM_OK;
}

alm_code alm_decimal_round(alm_decimal d, int exponent, alm_decimal *ret, alm_status *st)
{
    ALM_ASSERT(alm_decimal_valid(d));
    return round_ratio(d.mantissa < 0, magnitude(d.mantissa), 1, d.exponent, exponent, ret, st);
}

alm_code alm_decimal_add(alm_decimal a, alm_decimal b, alm_decimal *ret, alm_status *st)
{
    alm_decimal_sum sum = {0};
    ALM_TRY(alm_decimal_sum_add(&sum, a, st));
    ALM_TRY(alm_decimal_sum_add(&sum, b, st));
    return alm_decimal_sum_value(&sum, ret, st);
}

alm_code alm_decimal_sub(alm_decimal a, alm_decimal b, alm_decimal *ret, alm_status *st)
{
    ALM_ASSERT(alm_decimal_valid(b));
    b.mantissa = -b.mantissa;
    return alm_decimal_add(a, b, ret, st);
}

alm_code alm_decimal_shift(alm_decimal d, int power, alm_decimal *ret, alm_status *st)
{
    ALM_ASSERT(alm_decimal_valid(d));
    int64_t wanted = (int64_t)d.exponent + power;
    int64_t nearest = ALM_MAX(ALM_DECIMAL_EXPONENT_MIN, ALM_MIN(ALM_DECIMAL_EXPONENT_MAX, wanted));
    // What the exponent cannot take, the digits must; zero takes any.
    int64_t left = d.mantissa == 0 ? 0 : wanted - nearest;
    u128 digits = magnitude(d.mantissa);
    bool fits = left >= -DIGITS_MAX && left <= DIGITS_MAX;
    if (fits && left >= 0) {
        return make(d.mantissa < 0, digits * power_of_ten((int)left), (int)nearest, ret, st);
    }
    if (fits && digits % power_of_ten((int)-left) == 0) {
        return make(d.mantissa < 0, digits / power_of_ten((int)-left), (int)nearest, ret, st);
    }
    return alm_status_set(st, ALM_OUT_OF_RANGE, "the result needs the decimal exponent %" PRId64,
                          wanted);
}

alm_code alm_decimal_scale(alm_decimal d, int64_t num, int64_t den, int exponent, alm_decimal *ret,
                           alm_status *st)
{
    return alm_decimal_scale_shift(d, num, den, 0, exponent, ret, st);
}

alm_code alm_decimal_scale_shift(alm_decimal d, int64_t num, int64_t den, int power, int exponent,
                                 alm_decimal *ret, alm_status *st)
{
    ALM_ASSERT(alm_decimal_valid(d));
    ALM_ASSERT(den != 0);
    ALM_ASSERT(power >= -1000 && power <= 1000);
    bool negative = (d.mantissa < 0) ^ (num < 0) ^ (den < 0);
    return round_ratio(negative, magnitude(d.mantissa) * magnitude(num), magnitude(den),
                       d.exponent + power, exponent, ret, st);
}

alm_code alm_decimal_div(alm_decimal a, alm_decimal b, int exponent, alm_decimal *ret,
                         alm_status *st)
{
    ALM_ASSERT(alm_decimal_valid(a));
    ALM_ASSERT(alm_decimal_valid(b));
    if (b.mantissa == 0) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "division by zero");
    }
    return round_ratio((a.mantissa < 0) ^ (b.mantissa < 0), magnitude(a.mantissa),
                       magnitude(b.mantissa), a.exponent - b.exponent, exponent, ret, st);
}

alm_decimal alm_decimal_normalize(alm_decimal d)
{
    ALM_ASSERT(alm_decimal_valid(d));
    if (d.mantissa == 0) {
        return (alm_decimal){0};
    }
    while (d.mantissa % 10 == 0 && d.exponent < ALM_DECIMAL_EXPONENT_MAX) {
        d.mantissa /= 10;
        d.exponent++;
    }
    return d;
}

double alm_decimal_to_double(alm_decimal d)
{
    ALM_ASSERT(alm_decimal_valid(d));
    if (d.mantissa <= INT64_C(1) << 53 && d.mantissa >= -(INT64_C(1) << 53)) {
        // Both operands are exact doubles, so the one operation rounds once.
        double power = (double)powers_of_ten[abs(d.exponent)];
        return d.exponent < 0 ? (double)d.mantissa / power : (double)d.mantissa * power;
    }
    char text[ALM_DECIMAL_TEXT_MAX];
    snprintf(text, sizeof text, "%" PRId64 "e%d", d.mantissa, d.exponent);
    return strtod(text, NULL);
}

// ----- Sums --------------------------------------------------------------------------------------

// v x 10^power, power >= 0. False: it does not fit.
static bool scale_up_signed(__int128 v, int power, __int128 *ret)
{
    u128 scaled;
    if (power == 0) {
        *ret = v;
        return true;
    }
    if (!scale_up(magnitude(v), power, &scaled) || scaled >> 127 != 0) {
        return false;
    }
    *ret = v < 0 ? -(__int128)scaled : (__int128)scaled;
    return true;
}

alm_code alm_decimal_sum_add(alm_decimal_sum *sum, alm_decimal d, alm_status *st)
{
    ALM_ASSERT(alm_decimal_valid(d));
    int coarse = sum->any ? sum->exponent : d.exponent;
    int finest = ALM_MIN(coarse, d.exponent);
    __int128 total;
    __int128 addend;
    if (!scale_up_signed(sum->mantissa, coarse - finest, &total) ||
        !scale_up_signed(d.mantissa, d.exponent - finest, &addend) ||
        __builtin_add_overflow(total, addend, &total)) {
        return alm_status_set(st, ALM_OUT_OF_RANGE, "the sum does not fit 128 bits at 10^%d",
                              finest);
    }
    *sum = (alm_decimal_sum){.mantissa = total, .exponent = (int8_t)finest, .any = true};
    return ALM_OK;
}

alm_code alm_decimal_sum_value(const alm_decimal_sum *sum, alm_decimal *ret, alm_status *st)
{
    return make(sum->mantissa < 0, magnitude(sum->mantissa), sum->exponent, ret, st);
}
