// The columns of the files we take: their names and other spellings, as data.
#ifndef ALM_INGESTION_COLUMNS_H
#define ALM_INGESTION_COLUMNS_H

#include "alm/str.h"

typedef struct column_def {
    const char *name;    // what messages call it
    const char *aliases; // other spellings, '|' between; ASCII letters in any case
    const char *option;  // what gives it where the column is missing ("--period"); NULL: nothing
    bool required;       // as a column or by the option
} column_def;

#define COLUMN_COUNT_MAX 16

typedef struct column_set {
    const char *what; // "observations"
    const column_def *defs;
    size_t count; // at most COLUMN_COUNT_MAX
} column_set;

typedef enum obs_field {
    OBS_INDICATOR,
    OBS_PLACE,
    OBS_PERIOD,
    OBS_VALUE,
    OBS_UNIT,
    OBS_UNIT_MULT,
    OBS_QUALIFIER,
    OBS_STATUS,
    OBS_MEASURE,
    OBS_ACCUMULATION,
    OBS_BREAKDOWN,
    OBS_RELATION,
    OBS_PUBLISHED,
    OBS_SOURCE,
    OBS_NOTE,
    OBS_FIELD_COUNT
} obs_field;

typedef enum indicator_field {
    IND_CODE,
    IND_NAME_ZH,
    IND_NAME_EN,
    IND_UNIT,
    IND_VALUE_TYPE,
    IND_OVER_PLACES,
    IND_OVER_TIME,
    IND_DIRECTION,
    IND_THEME,
    IND_NUMERATOR,
    IND_DENOMINATOR,
    IND_FORMULA,
    IND_DEFINITION,
    IND_ALIASES,
    IND_FIELD_COUNT
} indicator_field;

typedef enum place_field {
    PLC_CODE,
    PLC_NAME_ZH,
    PLC_NAME_EN,
    PLC_LEVEL,
    PLC_PARENT,
    PLC_VALID_FROM,
    PLC_VALID_TO,
    PLC_SUCCESSORS,
    PLC_ALIASES,
    PLC_FIELD_COUNT
} place_field;

typedef enum source_field {
    SRC_CODE,
    SRC_TITLE,
    SRC_PUBLISHER,
    SRC_PUBLISHED,
    SRC_ADDRESS,
    SRC_PRECEDENCE,
    SRC_NOTE,
    SRC_FIELD_COUNT
} source_field;

extern const column_set columns_of_observations;
extern const column_set columns_of_indicators;
extern const column_set columns_of_places;
extern const column_set columns_of_sources;

#endif
