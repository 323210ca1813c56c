// Rows gathered for one indicator, found again by variant, place and period.
#ifndef ALM_CELLS_H
#define ALM_CELLS_H

#include "row_reader.h"
#include "variant_table.h"

typedef struct alm_cells {
    alm_arena *arena;
    alm_variant_table *variants;
    alm_obs **chunks; // rows of ALM_CELLS_CHUNK each, so that rows never move
    size_t chunk_count, chunk_cap;
    size_t count;
    alm_cell_index index;
} alm_cells;

#define ALM_CELLS_CHUNK 1024

// variants is borrowed. The cells must stay where they are until the arena is reset.
ALM_MUST_USE alm_code alm_cells_init(alm_cells *cells, alm_arena *arena,
                                     alm_variant_table *variants, alm_status *st);

// An alm_row_visit whose arg is the alm_cells: copies rows in. A cell that is there already stays
// as it is, so that reads may overlap.
//
// ALM_RESOURCE_EXHAUSTED  more than ALM_QUERY_CELL_COUNT_MAX cells
ALM_MUST_USE alm_code alm_cells_visit(void *arg, const alm_str *variants, size_t variant_count,
                                      const alm_obs *rows, size_t row_count, alm_status *st);

static inline const alm_obs *alm_cells_row(const alm_cells *cells, size_t i)
{
    ALM_ASSERT(i < cells->count);
    return &cells->chunks[i / ALM_CELLS_CHUNK][i % ALM_CELLS_CHUNK];
}

// NULL: no such row. A row may have no number.
const alm_obs *alm_cells_find(const alm_cells *cells, uint32_t variant, alm_place_id place,
                              alm_period period);

#endif
