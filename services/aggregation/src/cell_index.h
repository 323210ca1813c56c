// A map from a cell (two numbers) to a row number: open addressing, 24 bytes a slot, at most half
// full. A node-based table takes three times that and a heap call for each of two million cells.
#ifndef ALM_CELL_INDEX_H
#define ALM_CELL_INDEX_H

#include "alm/arena.h"
#include "alm/status.h"

#include <stdint.h>

#define ALM_CELL_NONE UINT32_MAX

typedef struct alm_cell_slot {
    uint64_t a, b;
    uint32_t held; // value + 1; 0: free
} alm_cell_slot;

typedef struct alm_cell_index {
    alm_cell_slot *slots; // heap; freed when the arena is reset
    size_t cap;           // power of two, or 0
    size_t count;
} alm_cell_index;

// The index must stay where it is until the arena is reset.
ALM_MUST_USE alm_code alm_cell_index_init(alm_cell_index *index, alm_arena *arena, alm_status *st);

// The value stored for (a, b); ALM_CELL_NONE if there is none.
uint32_t alm_cell_index_find(const alm_cell_index *index, uint64_t a, uint64_t b);

// Stores value for (a, b) unless there is one already; *ret is what is stored now.
//
// ALM_RESOURCE_EXHAUSTED  out of memory; nothing changed
ALM_MUST_USE alm_code alm_cell_index_add(alm_cell_index *index, uint64_t a, uint64_t b,
                                         uint32_t value, uint32_t *ret, alm_status *st);

#endif
