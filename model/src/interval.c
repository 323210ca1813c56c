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

alm_reach alm_value_reach(const alm_value *value)
{
    static const alm_reach open = {.is_open_below = true, .is_open_above = true};
    if (!value->has_number) {
        return open;
    }
    alm_reach last = {.exponent = value->number.exponent};
    alm_reach significant = {.exponent = drop_round_zeros(value->number).exponent};
    switch (value->qualifier) {
    case ALM_QUALIFIER_EXACT:
    case ALM_QUALIFIER_EXPECTED:
        last.below = last.above = counted_one_by_one(value) ? 0 : 5;
        return last;
    case ALM_QUALIFIER_ABOUT:
        significant.below = significant.above = 10;
        return significant;
    case ALM_QUALIFIER_MORE_THAN:
    case ALM_QUALIFIER_AT_LEAST:
    case ALM_QUALIFIER_PASSED_THRESHOLD:
        last.is_open_above = true;
        return last;
    case ALM_QUALIFIER_LESS_THAN:
    case ALM_QUALIFIER_AT_MOST:
        last.is_open_below = true;
        return last;
    case ALM_QUALIFIER_NEARLY:
        significant.above = value->number.mantissa < 0 ? 10 : 0;
        significant.below = value->number.mantissa < 0 ? 0 : 10;
        return significant;
    default: // leading and top group say nothing of the number
        return open;
    }
}

// The number written to the reach's digit, and so many tenths of it on.
static double end_of(alm_decimal number, int exponent, int tenths)
{
    if (tenths == 0) {
        return alm_decimal_to_double(number);
    }
    return beside(number.exponent == exponent ? number : drop_round_zeros(number), tenths);
}

alm_interval alm_value_interval(const alm_value *value)
{
    alm_reach reach = alm_value_reach(value);
    return (alm_interval){
        .lower =
            reach.is_open_below ? -INFINITY : end_of(value->number, reach.exponent, -reach.below),
        .upper =
            reach.is_open_above ? INFINITY : end_of(value->number, reach.exponent, reach.above)};
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
