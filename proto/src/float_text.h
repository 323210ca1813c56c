// Floating point as JSON writes it.
#ifndef ALM_PROTO_FLOAT_TEXT_H
#define ALM_PROTO_FLOAT_TEXT_H

#include <stddef.h>

#define ALM_FLOAT_TEXT_MAX 40

// The shortest text that reads back as the same; NaN and the infinities in quotes. Returns the
// length.
size_t alm_double_text(double value, char *out);
size_t alm_float_text(float value, char *out);

#endif
