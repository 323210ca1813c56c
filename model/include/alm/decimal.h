// Decimal numbers as published: a scaled integer, exact, with its digits kept.
//
// 168.53 is {16853, -2}; 168.530 is {168530, -3}: equal in value (alm_decimal_cmp), different in
// what they claim to know. Published figures never pass through binary floating point.
#ifndef ALM_DECIMAL_H
#define ALM_DECIMAL_H

#include "alm/status.h"
#include "alm/str.h"

// value = mantissa x 10^exponent
typedef struct alm_decimal {
    int64_t mantissa; // |mantissa| <= ALM_DECIMAL_MANTISSA_MAX
    int8_t exponent;  // ALM_DECIMAL_EXPONENT_MIN .. ALM_DECIMAL_EXPONENT_MAX
} alm_decimal;

#define ALM_DECIMAL_MANTISSA_MAX INT64_C(999999999999999999) // 18 digits
#define ALM_DECIMAL_EXPONENT_MIN (-18)
#define ALM_DECIMAL_EXPONENT_MAX 18
#define ALM_DECIMAL_TEXT_MAX     64 // sign, 36 digits, 11 commas, NUL

bool alm_decimal_valid(alm_decimal d); // for decimals that came from a wire or a disk; all
                                       // functions below assert it

// Parses [+-]digits[.digits][(e|E)[+-]digits]. Keeps trailing zeros of the fraction. No grouping,
// no white space, no NaN or Infinity: the caller strips what its format allows. Of an integer
// longer than 18 digits the trailing zeros go into the exponent, so that every text that
// alm_decimal_format writes without groups reads back to the same value.
//
// ALM_INVALID_ARGUMENT  not a number
// ALM_OUT_OF_RANGE      more than 18 significant digits, or an exponent outside the range
ALM_MUST_USE alm_code alm_decimal_parse(alm_str text, alm_decimal *ret, alm_status *st);

// Plain notation with exactly -exponent decimals (none when exponent >= 0; zeros are written out):
// {16853, -2} is "168.53", {2, 3} is "2000". group: 0, or ',' to group the integer part by three.
// out holds ALM_DECIMAL_TEXT_MAX bytes, NUL-terminated. Returns the length.
size_t alm_decimal_format(alm_decimal d, char group, char *out);

// Order by value. Exact for every pair.
int alm_decimal_cmp(alm_decimal a, alm_decimal b);

// The same value with the given exponent. ALM_OUT_OF_RANGE: it cannot be held exactly.
ALM_MUST_USE alm_code alm_decimal_rescale(alm_decimal d, int exponent, alm_decimal *ret,
                                          alm_status *st);

// Rounds to the given exponent, half to even. Coarser or equal only; a finer exponent rescales.
ALM_MUST_USE alm_code alm_decimal_round(alm_decimal d, int exponent, alm_decimal *ret,
                                        alm_status *st);

// Exact; the result has the smaller exponent. ALM_OUT_OF_RANGE: more than 18 digits.
ALM_MUST_USE alm_code alm_decimal_add(alm_decimal a, alm_decimal b, alm_decimal *ret,
                                      alm_status *st);
ALM_MUST_USE alm_code alm_decimal_sub(alm_decimal a, alm_decimal b, alm_decimal *ret,
                                      alm_status *st);

// Exact multiplication by 10^power: moves the exponent, and the digits only where the exponent
// cannot go further. ALM_OUT_OF_RANGE: the result has no decimal.
ALM_MUST_USE alm_code alm_decimal_shift(alm_decimal d, int power, alm_decimal *ret, alm_status *st);

// d x num / den, rounded once, half to even, to the given exponent. den must not be 0 (asserted).
// ALM_OUT_OF_RANGE: more than 18 digits, or an exponent outside the range.
ALM_MUST_USE alm_code alm_decimal_scale(alm_decimal d, int64_t num, int64_t den, int exponent,
                                        alm_decimal *ret, alm_status *st);

// d x num / den x 10^power, otherwise as alm_decimal_scale. den must not be 0 (asserted).
ALM_MUST_USE alm_code alm_decimal_scale_shift(alm_decimal d, int64_t num, int64_t den, int power,
                                              int exponent, alm_decimal *ret, alm_status *st);

// a / b rounded half to even to the given exponent. ALM_OUT_OF_RANGE: b is zero, or too large.
ALM_MUST_USE alm_code alm_decimal_div(alm_decimal a, alm_decimal b, int exponent, alm_decimal *ret,
                                      alm_status *st);

// Strips trailing zeros of the mantissa (0 becomes {0, 0}); raises the exponent.
alm_decimal alm_decimal_normalize(alm_decimal d);

double alm_decimal_to_double(alm_decimal d); // nearest double

// The sum of many decimals, exact: 128 bits at the finest exponent seen, so that a total may pass
// through values of more than 18 digits. Start with {0}; the sum of nothing is {0, 0}.
// ALM_OUT_OF_RANGE: the sum or a rescaled addend does not fit; the sum is unchanged.
typedef struct alm_decimal_sum {
    __int128 mantissa;
    int8_t exponent;
    bool any;
} alm_decimal_sum;
ALM_MUST_USE alm_code alm_decimal_sum_add(alm_decimal_sum *sum, alm_decimal d, alm_status *st);
ALM_MUST_USE alm_code alm_decimal_sum_value(const alm_decimal_sum *sum, alm_decimal *ret,
                                            alm_status *st);

#endif
