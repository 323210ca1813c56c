// Numbers, units and values as text for people. A test holds it against the model's own.
#include "almanac.h"

#include "alm/assert.h"
#include "alm/str.h"

#include <string.h>

#define EXPONENT_MAX 40

size_t almanac_number_text(int64_t mantissa, int32_t exponent, char group, char *out)
{
    ALM_ASSERT(exponent >= -EXPONENT_MAX && exponent <= EXPONENT_MAX);
    char reversed[ALMANAC_NUMBER_TEXT_MAX]; // digits from the last to the first, no point
    size_t count = 0;
    uint64_t rest = mantissa < 0 ? 0 - (uint64_t)mantissa : (uint64_t)mantissa;
    for (int32_t i = 0; i < exponent && rest != 0; i++) {
        reversed[count++] = '0';
    }
    size_t decimals = exponent < 0 ? (size_t)-exponent : 0;
    do {
        reversed[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0 || count <= decimals);

    size_t len = 0;
    if (mantissa < 0) {
        out[len++] = '-';
    }
    for (size_t left = count; left > 0; left--) {
        out[len++] = reversed[left - 1];
        size_t whole_left = left - 1 > decimals ? left - 1 - decimals : 0;
        if (left - 1 == decimals && decimals > 0) {
            out[len++] = '.';
        } else if (whole_left > 0 && whole_left % 3 == 0 && group != '\0') {
            out[len++] = group;
        }
    }
    ALM_ASSERT(len < ALMANAC_NUMBER_TEXT_MAX);
    out[len] = '\0';
    return len;
}
