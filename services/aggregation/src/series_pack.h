// The series of neighbouring places, packed: all that a reader answered of them, kept small and
// found again by place.
//
// Rows stand by variant, place, period. Of each variant a column is its lowest value and what each
// row has more, in as few bytes as the widest of them takes: none where all are alike.
//
// Threading: a pack never changes once it is made; it may be shared by its holders.
#ifndef ALM_SERIES_PACK_H
#define ALM_SERIES_PACK_H

#include "row_reader.h"

#define ALM_PACK_PLACE_BITS  4
#define ALM_PACK_PLACE_COUNT (1 << ALM_PACK_PLACE_BITS) // from a multiple of it on

typedef struct alm_series_pack alm_series_pack;

// --- making one ----------------------------------------------------------------------------------

#define ALM_PACK_ROW_COUNT_MAX (1 << 17) // what has more is not kept

typedef struct alm_pack_draft alm_pack_draft;

// In the arena. first_place: a multiple of ALM_PACK_PLACE_COUNT. NULL: no memory.
ALM_MUST_USE alm_pack_draft *alm_pack_draft_create(alm_place_id first_place, alm_arena *arena);

// An alm_row_visit whose arg is the draft.
//
// ALM_RESOURCE_EXHAUSTED  more than ALM_PACK_ROW_COUNT_MAX rows, or no memory
// ALM_INTERNAL            a place of another pack, or rows of a place whose periods do not ascend
ALM_MUST_USE alm_code alm_pack_draft_visit(void *arg, const alm_str *variants, size_t variant_count,
                                           const alm_obs_columns *rows, alm_status *st);

// What was visited, with one holder.
//
// ALM_INTERNAL            as alm_pack_draft_visit
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_series_pack_create(const alm_pack_draft *draft, alm_series_pack **ret,
                                             alm_status *st);
alm_series_pack *alm_series_pack_retain(alm_series_pack *pack);
void alm_series_pack_release(alm_series_pack **pack); // accepts NULL

size_t alm_series_pack_bytes(const alm_series_pack *pack); // all it takes
size_t alm_series_pack_rows(const alm_series_pack *pack);

// --- reading -------------------------------------------------------------------------------------

// What a read of all periods without as_of, sources and all_vintages answers of the fetch's places,
// each of which is in one of the packs: the rows that the fetch's periods and without_value ask
// for, as storage chooses them (storage/include/alm/store.h). The packs ascend, and were read with
// the fetch's other words, of all periods and without_value.
//
//   arena  of what is visited
ALM_MUST_USE alm_code alm_series_packs_read(alm_series_pack *const *packs, size_t pack_count,
                                            const alm_fetch *fetch, alm_row_visit visit, void *arg,
                                            alm_arena *arena, alm_status *st);

#endif
