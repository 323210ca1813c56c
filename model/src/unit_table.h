// What reading and writing units share: one row per measure unit, one row per power of ten.
#ifndef ALM_MODEL_UNIT_TABLE_H
#define ALM_MODEL_UNIT_TABLE_H

#include "alm/unit.h"

typedef struct alm_unit_row {
    const char *code; // NULL: no such number
    const char *zh;
    const char *en;
    alm_dimension dimension;
    int8_t num;
    int8_t den;
    int8_t power;
} alm_unit_row;

// By alm_measure_unit; the row of NONE and holes are all zero.
extern const alm_unit_row alm_unit_rows[];
extern const size_t alm_unit_row_count;

typedef struct alm_multiplier_row {
    const char *zh;
    const char *en;
    bool reads_on; // en may stand right behind a number: 5.2 billion
} alm_multiplier_row;

// By power of ten, 0..ALM_UNIT_MULT_MAX.
extern const alm_multiplier_row alm_multiplier_rows[ALM_UNIT_MULT_MAX + 1];

// Of an alm_measure_unit; NULL: none of ours.
const alm_unit_row *alm_unit_row_of(uint8_t measure);

// Ratios and places in a list are not counted by the ten thousand.
bool alm_dimension_takes_multiplier(alm_dimension dimension);

#endif
