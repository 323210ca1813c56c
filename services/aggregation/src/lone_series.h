// Published rows of one place and one variant, in the order of their periods: they are told as they
// come, without being made findable or ordered.
#ifndef ALM_LONE_SERIES_H
#define ALM_LONE_SERIES_H

#include "cells.h"

typedef struct alm_lone_series {
    alm_cells *cells;   // where rows go that are no such series
    alm_cell_run *runs; // of all periods of a message; period is that of the first row
    size_t run_count, run_cap;
    size_t count; // rows
    uint32_t variant;
    uint64_t last_period; // packed
    bool is_spilt;        // all rows are in the cells, and those to come go there
} alm_lone_series;

// cells is borrowed, and empty.
void alm_lone_series_init(alm_lone_series *series, alm_cells *cells);

// An alm_row_visit whose arg is the series. As alm_cells_visit.
ALM_MUST_USE alm_code alm_lone_series_visit(void *arg, const alm_str *variants,
                                            size_t variant_count, const alm_obs_columns *rows,
                                            alm_status *st);

// Moves the rows to the cells. As alm_cells_visit.
ALM_MUST_USE alm_code alm_lone_series_spill(alm_lone_series *series, alm_status *st);

#endif
