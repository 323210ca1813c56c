// Units for people, from their codes ("CNY_E8").
#ifndef ALM_UNIT_LABEL_H
#define ALM_UNIT_LABEL_H

#include "almanac.h"

// How a unit stands behind a number.
typedef enum alm_unit_shape {
    ALM_UNIT_PLAIN,  // "12 套": a word after a space
    ALM_UNIT_CLINGS, // "13%": no space
    ALM_UNIT_RANK,   // "第 3 位": a word on both sides
    ALM_UNIT_APART,  // "6 (10 thousand m²)": the multiplier does not read on from a number
} alm_unit_shape;
alm_unit_shape alm_unit_shape_of(const char *unit, almanac_lang lang);

#endif
