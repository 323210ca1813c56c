// What a published number claims: the interval it stands for.
#include "alm/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// number + tenths of a unit of its last digit, as the nearest double. Nearest, so that the ends
// keep their order: an end never passes the number itself.
static double beside(alm_decimal number, int64_t tenths)
{
    int exponent = number.exponent - 1;
    bool fits = number.mantissa < ALM_DECIMAL_MANTISSA_MAX / 10 &&
                number.mantissa > -ALM_DECIMAL_MANTISSA_MAX / 10;
    if (fits && exponent >= ALM_DECIMAL_EXPONENT_MIN) {
        return alm_decimal_to_double(
            (alm_decimal){.mantissa = number.mantissa * 10 + tenths, .exponent = (int8_t)exponent});
    }
    // Up to 19 digits: past a decimal, and past int64_t.
    __int128 mantissa = (__int128)number.mantissa * 10 + tenths;
    char text[ALM_DECIMAL_TEXT_MAX];
    uint64_t digits = (uint64_t)(mantissa < 0 ? -mantissa : mantissa);
    snprintf(text, sizeof text, "%s%" PRIu64 "e%d", mantissa < 0 ? "-" : "", digits, exponent);
    return strtod(text, NULL);
}

static bool counted_one_by_one(const alm_value *value)
{
    if (value->unit.mult != 0 || value->number.exponent != 0) {
        return false;
    }
    switch (alm_unit_dimension(value->unit)) {
    case ALM_DIMENSION_PERSONS:
    case ALM_DIMENSION_VISITS:
    case ALM_DIMENSION_COUNT:
    case ALM_DIMENSION_RANK:
    case ALM_DIMENSION_ORDINAL:
        return true;
    default:
        return false;
    }
}

// The number so written that its last digit is significant: 6100 becomes {61, 2}, 0.50 stays.
static alm_decimal drop_round_zeros(alm_decimal number)
{
    return number.exponent < 0 ? number : alm_decimal_normalize(number);
}

alm_interval alm_value_interval(const alm_value *value)
{
    alm_interval all = {.lower = -INFINITY, .upper = INFINITY};
    if (!value->has_number) {
        return all;
    }
    alm_decimal number = value->number;
    bool is_exact =
        value->qualifier == ALM_QUALIFIER_EXACT || value->qualifier == ALM_QUALIFIER_EXPECTED;
    if (is_exact && !counted_one_by_one(value)) {
        return (alm_interval){.lower = beside(number, -5), .upper = beside(number, 5)};
    }
    double v = alm_decimal_to_double(number);
    if (is_exact) {
        return (alm_interval){.lower = v, .upper = v};
    }
    alm_decimal coarse = drop_round_zeros(number);
    switch (value->qualifier) {
    case ALM_QUALIFIER_ABOUT:
        return (alm_interval){.lower = beside(coarse, -10), .upper = beside(coarse, 10)};
    case ALM_QUALIFIER_MORE_THAN:
    case ALM_QUALIFIER_AT_LEAST:
    case ALM_QUALIFIER_PASSED_THRESHOLD:
        return (alm_interval){.lower = v, .upper = INFINITY};
    case ALM_QUALIFIER_LESS_THAN:
    case ALM_QUALIFIER_AT_MOST:
        return (alm_interval){.lower = -INFINITY, .upper = v};
    case ALM_QUALIFIER_NEARLY:
        return number.mantissa < 0 ? (alm_interval){.lower = v, .upper = beside(coarse, 10)}
                                   : (alm_interval){.lower = beside(coarse, -10), .upper = v};
    default: // exact ones are above; leading and top group say nothing of the number
        return all;
    }
}

alm_interval alm_interval_add(alm_interval a, alm_interval b)
{
    return (alm_interval){.lower = a.lower + b.lower, .upper = a.upper + b.upper};
}

alm_interval alm_interval_sub(alm_interval a, alm_interval b)
{
    return (alm_interval){.lower = a.lower - b.upper, .upper = a.upper - b.lower};
}

alm_interval alm_interval_mul(alm_interval a, alm_interval b)
{
    // Zero times infinity is no number: nothing of anything is nothing.
    double ends[4] = {a.lower * b.lower, a.lower * b.upper, a.upper * b.lower, a.upper * b.upper};
    alm_interval product = {.lower = INFINITY, .upper = -INFINITY};
    for (size_t i = 0; i < ALM_ARRAY_LEN(ends); i++) {
        double end = isnan(ends[i]) ? 0 : ends[i];
        product.lower = fmin(product.lower, end);
        product.upper = fmax(product.upper, end);
    }
    return product;
}

alm_interval alm_interval_div(alm_interval a, alm_interval b)
{
    if (b.lower <= 0 && b.upper >= 0) {
        return (alm_interval){.lower = -INFINITY, .upper = INFINITY};
    }
    // Infinity over infinity is no number: fmin and fmax pass over it, and the corners beside it
    // give the ends.
    double q[4] = {a.lower / b.lower, a.lower / b.upper, a.upper / b.lower, a.upper / b.upper};
    return (alm_interval){.lower = fmin(fmin(q[0], q[1]), fmin(q[2], q[3])),
                          .upper = fmax(fmax(q[0], q[1]), fmax(q[2], q[3]))};
}

alm_interval alm_interval_scale(alm_interval a, double factor)
{
    if (factor == 0) {
        return (alm_interval){0};
    }
    alm_interval product = {.lower = a.lower * factor, .upper = a.upper * factor};
    return factor > 0 ? product : (alm_interval){.lower = product.upper, .upper = product.lower};
}

alm_qualifier alm_interval_qualifier(alm_interval interval, bool all_exact)
{
    if (all_exact) {
        return ALM_QUALIFIER_EXACT;
    }
    bool open_below = isinf(interval.lower);
    bool open_above = isinf(interval.upper);
    if (open_above && !open_below) {
        return ALM_QUALIFIER_MORE_THAN;
    }
    if (open_below && !open_above) {
        return ALM_QUALIFIER_LESS_THAN;
    }
    return ALM_QUALIFIER_ABOUT;
}
