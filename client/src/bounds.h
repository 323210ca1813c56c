// The interval that a number's digits stand for, where an answer leaves it out.
#ifndef ALM_BOUNDS_H
#define ALM_BOUNDS_H

#include <stdint.h>

// The double nearest to mantissa x 10^exponent.
double alm_number_nearest(int64_t mantissa, int32_t exponent);

// Half a unit of the number's last digit either way, each end the nearest double.
void alm_number_digits(int64_t mantissa, int32_t exponent, double *ret_lower, double *ret_upper);

#endif
