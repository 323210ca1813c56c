// One observation: a value of one series in one period, as a source published it on a day.
#ifndef ALM_OBSERVATION_H
#define ALM_OBSERVATION_H

#include "alm/place.h"
#include "alm/series.h"
#include "alm/value.h"

// Rows travel with a table of their variants (canonical text, see series.h).
typedef struct alm_obs {
    uint32_t variant; // index into the table that travels with the rows
    alm_place_id place;
    alm_period period;
    alm_value value;
    uint32_t source;    // source id of the catalogue; ALM_SOURCE_NONE: not said
    alm_date published; // the vintage; never ALM_DATE_NONE
    alm_str note;       // as published; may be empty
    uint64_t sequence;  // the commit that stored it; 0 before it is stored
} alm_obs;

#define ALM_SOURCE_NONE UINT32_MAX

#endif
