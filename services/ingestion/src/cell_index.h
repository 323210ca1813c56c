// Which cells a piece has filled: finds the row that said the same cell, source and publication day
// before.
#ifndef ALM_INGESTION_CELL_INDEX_H
#define ALM_INGESTION_CELL_INDEX_H

#include "alm/arena.h"
#include "alm/observation.h"

typedef struct cell_index {
    uint32_t *slots; // row + 1; 0: empty
    size_t mask;
} cell_index;

// For at most row_count rows. False: the arena is exhausted.
ALM_MUST_USE bool cell_index_init(cell_index *index, size_t row_count, alm_arena *arena);

// The row before `row` of the same cell, or `row` itself, which is then known.
size_t cell_index_put(cell_index *index, const alm_obs *rows, size_t row);

#endif
