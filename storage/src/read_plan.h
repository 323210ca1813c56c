// What a read asks for, as questions an engine can put to its keys: which variants, which periods,
// which places. Pure.
#ifndef ALM_STORAGE_READ_PLAN_H
#define ALM_STORAGE_READ_PLAN_H

#include "alm/store.h"
#include "vintage.h"

// Does the read ask for this variant (canonical text)? ALM_DATA_LOSS: it is not one.
ALM_MUST_USE alm_code alm_read_wants_variant(const alm_read *read, alm_str text, bool *ret,
                                             alm_status *st);

bool alm_read_wants_period(const alm_read *read, alm_period period);

// The lowest packed period from `packed` on that may be asked for; UINT64_MAX: none.
uint64_t alm_read_next_period(const alm_read *read, uint64_t packed);

// The lowest place from `place` on that is asked for; ALM_PLACE_NONE: none.
alm_place_id alm_read_next_place(const alm_read *read, alm_place_id place);

// Its index in the read's list, SIZE_MAX if it is not asked for; with all_places the id itself.
size_t alm_read_place_index(const alm_read *read, alm_place_id place);

// What the read admits, its state fixed at the newest commit or the one asked for. In the arena.
// last_day: no vintage was published later, see alm_head.
//
// ALM_OUT_OF_RANGE        at_sequence is not committed yet
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_read_filter(const alm_read *read, uint64_t newest, uint64_t last_day,
                                      alm_arena *arena, alm_vintage_filter *ret, alm_status *st);

#endif
