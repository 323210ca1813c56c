// Reading runs of decimal digits of a known width; labels and dates are made of them.
#ifndef ALM_MODEL_DIGITS_H
#define ALM_MODEL_DIGITS_H

#include "alm/str.h"

// All of s as a number. False: empty, longer than nine bytes, or a byte that is no digit.
static inline bool alm_digits_read(alm_str s, int32_t *ret)
{
    *ret = 0;
    if (s.len < 1 || s.len > 9) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
        *ret = *ret * 10 + (s.data[i] - '0');
    }
    return true;
}

#endif
