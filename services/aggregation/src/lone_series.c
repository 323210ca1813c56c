#include "lone_series.h"

void alm_lone_series_init(alm_lone_series *series, alm_cells *cells)
{
    *series = (alm_lone_series){.cells = cells};
}

alm_code alm_lone_series_spill(alm_lone_series *series, alm_status *st)
{
    static const uint32_t only; // of the one variant that is handed over
    alm_cells *cells = series->cells;
    series->is_spilt = true;
    for (size_t i = 0; i < series->run_count; i++) {
        alm_obs_columns rows = series->runs[i].rows;
        rows.variant = &only;
        rows.each_variant = 0;
        ALM_TRY(alm_cells_visit(
            cells, &alm_variant_table_get(cells->variants, series->variant)->text, 1, &rows, st));
    }
    series->run_count = series->count = 0;
    return ALM_OK;
}

// Are all rows of one variant and place, in periods that ascend, behind those that were there?
static bool goes_on(const alm_lone_series *series, const uint32_t *map, const alm_obs_columns *rows)
{
    uint32_t variant = ALM_OBS_AT(rows, variant, 0);
    alm_place_id place = ALM_OBS_AT(rows, place, 0);
    uint64_t last = series->last_period; // 0 before the first: no period is that
    bool is_one = series->count == 0 || map[variant] == series->variant;
    for (size_t i = 0; i < rows->count && is_one; i++) {
        uint64_t period = alm_period_pack(ALM_OBS_AT(rows, period, i));
        is_one = ALM_OBS_AT(rows, variant, i) == variant && ALM_OBS_AT(rows, place, i) == place &&
                 period > last;
        last = period;
    }
    return is_one;
}

static alm_code append(alm_lone_series *series, uint32_t variant, const alm_obs_columns *rows,
                       alm_status *st)
{
    void *runs = series->runs;
    alm_arena *arena = series->cells->arena;
    if (!alm_arena_grow(arena, &runs, &series->run_cap, series->run_count + 1,
                        sizeof *series->runs)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory for %zu rows",
                              rows->count);
    }
    series->runs = runs;
    alm_cell_run *run = &series->runs[series->run_count];
    *run = (alm_cell_run){.variant = variant,
                          .period = ALM_OBS_AT(rows, period, 0),
                          .first = series->count,
                          .next = ALM_CELL_NONE,
                          .last = ALM_OBS_AT(rows, place, 0)};
    ALM_TRY(alm_cell_columns_copy(rows, arena, &run->rows, st));
    series->run_count++;
    series->count += rows->count;
    series->variant = variant;
    series->last_period = alm_period_pack(ALM_OBS_AT(rows, period, rows->count - 1));
    return ALM_OK;
}

alm_code alm_lone_series_visit(void *arg, const alm_str *variants, size_t variant_count,
                               const alm_obs_columns *rows, alm_status *st)
{
    alm_lone_series *series = arg;
    uint32_t *map;
    if (series->is_spilt || rows->count == 0) {
        return alm_cells_visit(series->cells, variants, variant_count, rows, st);
    }
    ALM_TRY(alm_variant_table_map(series->cells->variants, variants, variant_count, &map, st));
    if (goes_on(series, map, rows)) {
        return append(series, map[rows->variant[0]], rows, st);
    }
    ALM_TRY(alm_lone_series_spill(series, st));
    return alm_cells_visit(series->cells, variants, variant_count, rows, st);
}
