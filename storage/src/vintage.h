// Which of a cell's vintages wins. Pure: every engine rests on it; tests/model decides it again by
// another way.
#ifndef ALM_STORAGE_VINTAGE_H
#define ALM_STORAGE_VINTAGE_H

#include "alm/observation.h"

// Precedence by source id. Not owned.
typedef struct alm_precedence {
    const int32_t *of;
    size_t count;
} alm_precedence;

// What a question admits. Zero-initialised it admits nothing: as_of must be set.
typedef struct alm_vintage_filter {
    alm_date as_of;          // ALM_DATE_MAX: all
    uint64_t at_sequence;    // admits sequences up to it
    const uint32_t *sources; // ascending; count 0: all
    size_t source_count;
} alm_vintage_filter;

// May the source stand in a row of this catalogue?
bool alm_precedence_knows(const alm_precedence *precedence, uint32_t source);

// > 0: a wins over b. Both sources must be known (asserted). Two vintages of one commit that tie in
// precedence and publication are told apart by the lower source id, so that every read agrees.
int alm_vintage_cmp(const alm_precedence *precedence, const alm_obs *a, const alm_obs *b);

bool alm_vintage_admitted(const alm_vintage_filter *filter, const alm_obs *vintage);

// The order vintages are stored in: place, then published, then sequence, then source.
int alm_vintage_order(const void *a, const void *b);

#endif
