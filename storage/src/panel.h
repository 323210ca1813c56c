// Slices turned by ninety degrees: the cells of a run of places over all periods, ready to be
// written as groups of series. Pure: bytes in, columns out.
#ifndef ALM_STORAGE_PANEL_H
#define ALM_STORAGE_PANEL_H

#include "group.h"

// One period's chunk: blocks of the winning vintages by place, and of the others.
typedef struct alm_panel_slice {
    alm_period period;
    alm_str winners, others; // empty: none
} alm_panel_slice;

// The cells of the places from..to-1. base: of the slices; may be NULL. Slices ascend by period.
// The panel lives in the arena; its texts view the slices.
//
// ALM_DATA_LOSS           a block is damaged
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_panel_build(const alm_panel_slice *slices, size_t count,
                                      const alm_base *base, alm_place_id from, alm_place_id to,
                                      alm_arena *arena, alm_panel *ret, alm_status *st);

#endif
