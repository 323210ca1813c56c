// With `last`: how far back the answer of each place goes, of one variant at a time. An engine
// shows the winners of the variant's cells, newest period first, until nothing remains.
#ifndef ALM_STORAGE_READ_CUTOFFS_H
#define ALM_STORAGE_READ_CUTOFFS_H

#include "read_plan.h"

// Is the cell one of those that n counts?
bool alm_cutoffs_counts(const alm_read *read, const alm_obs *winner);

typedef struct alm_cutoffs {
    const alm_read *read;
    uint32_t *found;  // cells that count, up to read->last
    uint64_t *from;   // the oldest period (packed) that counts
    size_t count;     // of places: by index in the read's list, or by id
    size_t remaining; // places with fewer than read->last
    uint64_t lowest;  // the lowest from of all; UINT64_MAX: no place has one
} alm_cutoffs;

// place_count: of the catalogue. In the arena; read is borrowed as long as *ret.
//
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_cutoffs_init(const alm_read *read, uint64_t place_count, alm_arena *arena,
                                       alm_cutoffs *ret, alm_status *st);
void alm_cutoffs_begin(alm_cutoffs *cut); // another variant
void alm_cutoffs_count(alm_cutoffs *cut, const alm_obs *winner);
// Is the cell among the newest n of its place? Once all that count are counted.
bool alm_cutoffs_admit(const alm_cutoffs *cut, const alm_obs *winner);

#endif
