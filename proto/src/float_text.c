#include "float_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static size_t special_text(double value, char *out)
{
    const char *text = isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return (size_t)snprintf(out, ALM_FLOAT_TEXT_MAX, "%s", text);
}

// Whole numbers that are written without an exponent are most of what there is.
static size_t whole_text(double value, char *out)
{
    return (size_t)snprintf(out, ALM_FLOAT_TEXT_MAX, "%s%lld", signbit(value) ? "-" : "",
                            (long long)fabs(value));
}

size_t alm_double_text(double value, char *out)
{
    if (!isfinite(value)) {
        return special_text(value, out);
    }
    if (fabs(value) < 1e15 && trunc(value) == value) {
        return whole_text(value, out);
    }
    // Every number of fifteen digits survives, but for those too small to have all their bits.
    for (int digits = fabs(value) < DBL_MIN ? 1 : 15;; digits++) {
        int len = snprintf(out, ALM_FLOAT_TEXT_MAX, "%.*g", digits, value);
        if (digits == 17 || strtod(out, NULL) == value) {
            return (size_t)len;
        }
    }
}

size_t alm_float_text(float value, char *out)
{
    if (!isfinite(value)) {
        return special_text((double)value, out);
    }
    if (fabsf(value) < 1e6f && truncf(value) == value) {
        return whole_text((double)value, out);
    }
    for (int digits = fabsf(value) < FLT_MIN ? 1 : 6;; digits++) {
        int len = snprintf(out, ALM_FLOAT_TEXT_MAX, "%.*g", digits, (double)value);
        if (digits == 9 || strtof(out, NULL) == value) {
            return (size_t)len;
        }
    }
}
