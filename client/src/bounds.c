#include "bounds.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define EXACT_MANTISSA_MAX (INT64_C(1) << 53) // doubles hold every integer so far
#define EXACT_POWER_MAX    22                 // and every power of ten

enum { TEXT_MAX = 48 }; // a sign, 21 digits, an exponent

double alm_number_nearest(int64_t mantissa, int32_t exponent)
{
    static const double powers[EXACT_POWER_MAX + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    };
    bool is_exact = mantissa >= -EXACT_MANTISSA_MAX && mantissa <= EXACT_MANTISSA_MAX &&
                    exponent >= -EXACT_POWER_MAX && exponent <= EXACT_POWER_MAX;
    if (is_exact) { // two exact doubles: the one operation rounds once
        return exponent < 0 ? (double)mantissa / powers[-exponent]
                            : (double)mantissa * powers[exponent];
    }
    char text[TEXT_MAX];
    (void)snprintf(text, sizeof text, "%" PRId64 "e%" PRId32, mantissa, exponent);
    return strtod(text, NULL);
}

// The digits of a number that ends in five, which may be one more than an integer holds.
static double beside(int64_t mantissa, int32_t exponent, bool is_above)
{
    if (mantissa > -EXACT_MANTISSA_MAX / 16 && mantissa < EXACT_MANTISSA_MAX / 16) {
        return alm_number_nearest(mantissa * 10 + (is_above ? 5 : -5), exponent - 1);
    }
    bool is_negative = mantissa < 0;
    uint64_t digits = is_negative ? -(uint64_t)mantissa : (uint64_t)mantissa;
    digits -= is_above == is_negative ? 1 : 0; // towards zero: 120 - 5 is 11 and a five
    char text[TEXT_MAX];
    (void)snprintf(text, sizeof text, "%s%" PRIu64 "5e%" PRId32, is_negative ? "-" : "", digits,
                   exponent - 1);
    return strtod(text, NULL);
}

void alm_number_digits(int64_t mantissa, int32_t exponent, double *ret_lower, double *ret_upper)
{
    *ret_lower = beside(mantissa, exponent, false);
    *ret_upper = beside(mantissa, exponent, true);
}
