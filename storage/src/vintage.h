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
// ALM_DATA_LOSS: the row's source is none of this catalogue's
ALM_MUST_USE alm_code alm_precedence_require(const alm_precedence *precedence, const alm_obs *row,
                                             alm_status *st);

// Orders a cell's vintages by source, then published, then sequence, as alm_vintage_choose wants
// them.
void alm_vintage_sort(const alm_obs **rows, size_t count);
// That order.
int alm_vintage_source_order(const alm_obs *a, const alm_obs *b);

// Are they vintages of one source and publication date? Both are of one cell.
bool alm_vintage_same(const alm_obs *a, const alm_obs *b);

// Does a withdrawal take back the vintage of its cell: an earlier figure of its source?
bool alm_vintage_takes_back(const alm_obs *withdrawal, const alm_obs *vintage);

// The one that wins of a cell's vintages (in the order of alm_vintage_sort) that the filter admits
// (NULL: all of them); NULL: it admits none. Their sources must be known (asserted). What each
// source published last is its word. Sources whose word is a withdrawal are out; of the others' the
// highest precedence wins, then the latest published, then the latest committed, then the lower
// source id, so that every read agrees. If all are out the cell has no value, and
// the answer is the withdrawal that took the last one away: of the sources that had published one,
// the latest published, then the latest committed, then of the lower source id; of the others only
// if there is none.
const alm_obs *alm_vintage_choose(const alm_precedence *precedence,
                                  const alm_vintage_filter *filter, const alm_obs *const *rows,
                                  size_t count);

bool alm_vintage_admitted(const alm_vintage_filter *filter, const alm_obs *vintage);

// The order vintages are stored in: place, then published, then sequence, then source.
int alm_vintage_order(const void *a, const void *b);

#endif
