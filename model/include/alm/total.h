// A running total of values: the sum of their numbers and of how far each reaches below and above,
// all exact, so that it does not matter in which order they are added, nor how many at a time.
#ifndef ALM_TOTAL_H
#define ALM_TOTAL_H

#include "alm/observation.h"

// Numbers and reaches are mantissas x 10^scale. Zero-initialised it is the total of nothing.
typedef struct alm_total {
    __int128 number;
    __int128 below, above; // what the ends lie below and above the number, where they are closed
    uint32_t present;      // values that were added
    uint32_t source;       // of the newest; of several the one that was added first
    alm_date published;    // of the newest
    int8_t scale;
    int8_t exponent; // of the finest number
    uint8_t status;  // worst; of two that are as bad the one with the lower number
    bool is_inexact : 1;
    bool is_open_below : 1, is_open_above : 1;
    bool is_not_over : 1;  // some value is neither exact nor a lower bound
    bool is_not_under : 1; // likewise of upper bounds
    bool is_too_large : 1; // it does not fit: there is no number
} alm_total;

// Which source said a value, and when.
typedef struct alm_told {
    uint32_t source;
    alm_date published;
} alm_told;

// Adds a value to a total in `unit`. false: it has no number there (see alm_number_in_unit), and
// the total is as it was.
bool alm_total_add(alm_total *total, const alm_value *value, alm_unit unit, alm_told told);

// Values that are known to half a unit of their last digit, or exactly, and differ in their numbers
// alone are added together.
typedef struct alm_total_like {
    int8_t exponent; // of the numbers, in the total's unit
    uint8_t reach;   // of each, both ways, in tenths of 10^exponent
    uint8_t status;
    alm_qualifier qualifier;
} alm_total_like;

// What values like this one, whatever their numbers, add to a total in `unit`. false: they must be
// added one by one.
bool alm_total_like_of(const alm_value *value, alm_unit unit, alm_total_like *ret);
// Adds count values whose mantissas, at the value's exponent, make sum. All were told alike.
void alm_total_add_like(alm_total *total, const alm_total_like *like, __int128 sum, uint32_t count,
                        alm_told told);

// Adds what was added to another total of the same unit, as if it came behind all of total's.
void alm_total_merge(alm_total *total, const alm_total *other);

// The number, with the finest exponent that was added. ALM_OUT_OF_RANGE: more than 18 digits.
ALM_MUST_USE alm_code alm_total_number(const alm_total *total, alm_decimal *ret, alm_status *st);

// What the sum may be: the sum of the lower and of the upper ends, as the nearest doubles. Of
// nothing, or where the number does not fit, (-inf, +inf).
alm_interval alm_total_interval(const alm_total *total);

#endif
