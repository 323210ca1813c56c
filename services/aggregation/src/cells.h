// Rows gathered for one indicator, in columns, found again by variant, place and period.
#ifndef ALM_CELLS_H
#define ALM_CELLS_H

#include "row_reader.h"
#include "variant_table.h"

// Rows of one variant in one period, by place.
typedef struct alm_cell_run {
    uint32_t variant;
    alm_period period;
    size_t first;         // number of its first row
    alm_obs_columns rows; // places ascend; variants are those of the block they came in
    uint32_t next;        // a further run of the variant and period; ALM_CELL_NONE: none
    alm_place_id last;    // of the first of them: the highest place of all
} alm_cell_run;

typedef struct alm_cells {
    alm_arena *arena;
    alm_variant_table *variants;
    alm_cell_run *runs;
    size_t run_count, run_cap;
    size_t count;         // rows
    alm_cell_index index; // (variant, period) to the first of its runs
} alm_cells;

// variants is borrowed. The cells must stay where they are until the arena is reset.
ALM_MUST_USE alm_code alm_cells_init(alm_cells *cells, alm_arena *arena,
                                     alm_variant_table *variants, alm_status *st);

// An alm_row_visit whose arg is the alm_cells: copies rows in. A cell that is there already stays
// as it is, so that reads may overlap.
//
// ALM_RESOURCE_EXHAUSTED  more than ALM_QUERY_CELL_COUNT_MAX cells
// ALM_INTERNAL            places of a run that do not ascend
ALM_MUST_USE alm_code alm_cells_visit(void *arg, const alm_str *variants, size_t variant_count,
                                      const alm_obs_columns *rows, alm_status *st);

// Columns of a block that outlive it, in the arena. ALM_RESOURCE_EXHAUSTED: out of memory.
ALM_MUST_USE alm_code alm_cell_columns_copy(const alm_obs_columns *rows, alm_arena *arena,
                                            alm_obs_columns *ret, alm_status *st);

// The run that row i is in.
const alm_cell_run *alm_cells_run_of(const alm_cells *cells, size_t i);
// Row i in the order in which they came. Its note lives in the arena.
alm_obs alm_cells_row(const alm_cells *cells, size_t i);

// The number of a cell's row, which may have no number; ALM_CELL_NONE: there is none.
uint32_t alm_cells_find(const alm_cells *cells, uint32_t variant, alm_place_id place,
                        alm_period period);
// The same as a row. False: there is none.
bool alm_cells_get(const alm_cells *cells, uint32_t variant, alm_place_id place, alm_period period,
                   alm_obs *ret);

// The first run of a variant in a period; NULL: none.
const alm_cell_run *alm_cells_runs(const alm_cells *cells, uint32_t variant, alm_period period);
static inline const alm_cell_run *alm_cells_next(const alm_cells *cells, const alm_cell_run *run)
{
    return run->next == ALM_CELL_NONE ? NULL : &cells->runs[run->next];
}

// The first row of a run, from `from` on, whose place is not before `place`; the count if none.
size_t alm_cell_run_seek(const alm_cell_run *run, size_t from, alm_place_id place);

#endif
