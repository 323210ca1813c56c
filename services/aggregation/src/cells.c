#include "cells.h"

#include "alm/limits.h"

static alm_code no_memory(const alm_cells *cells, alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "out of memory for %zu cells; ask for fewer places or periods",
                          cells->count + 1);
}

alm_code alm_cells_init(alm_cells *cells, alm_arena *arena, alm_variant_table *variants,
                        alm_status *st)
{
    *cells = (alm_cells){.arena = arena, .variants = variants};
    return alm_cell_index_init(&cells->index, arena, st);
}

static uint64_t key_of(uint32_t variant, alm_place_id place)
{
    return (uint64_t)variant << 32 | place;
}

static alm_obs *slot(alm_cells *cells)
{
    if (cells->count == cells->chunk_count * ALM_CELLS_CHUNK) {
        void *chunks = cells->chunks;
        alm_obs *chunk = alm_arena_alloc(cells->arena, ALM_CELLS_CHUNK * sizeof *chunk);
        if (chunk == NULL || !alm_arena_grow(cells->arena, &chunks, &cells->chunk_cap,
                                             cells->chunk_count + 1, sizeof(cells->chunks[0]))) {
            return NULL;
        }
        cells->chunks = chunks;
        cells->chunks[cells->chunk_count++] = chunk;
    }
    return &cells->chunks[cells->count / ALM_CELLS_CHUNK][cells->count % ALM_CELLS_CHUNK];
}

static alm_code add(alm_cells *cells, const alm_obs *row, uint32_t variant, alm_status *st)
{
    if (cells->count == ALM_QUERY_CELL_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "the question touches more than %d cells, the limit; ask for fewer "
                              "places or periods",
                              ALM_QUERY_CELL_COUNT_MAX);
    }
    uint32_t fresh = (uint32_t)cells->count;
    uint32_t stored;
    ALM_TRY(alm_cell_index_add(&cells->index, key_of(variant, row->place),
                               alm_period_pack(row->period), fresh, &stored, st));
    if (stored != fresh) {
        return ALM_OK;
    }
    alm_obs *copy = slot(cells);
    if (copy == NULL) {
        return no_memory(cells, st);
    }
    *copy = *row;
    copy->variant = variant;
    if (row->note.len > 0) {
        copy->note.data = alm_arena_strdup(cells->arena, row->note);
        if (copy->note.data == NULL) {
            return no_memory(cells, st);
        }
    }
    cells->count++;
    return ALM_OK;
}

alm_code alm_cells_visit(void *arg, const alm_str *variants, size_t variant_count,
                         const alm_obs *rows, size_t row_count, alm_status *st)
{
    alm_cells *cells = arg;
    uint32_t *map;
    ALM_TRY(alm_variant_table_map(cells->variants, variants, variant_count, &map, st));
    for (size_t i = 0; i < row_count; i++) {
        ALM_ASSERT(rows[i].variant < variant_count);
        ALM_TRY(add(cells, &rows[i], map[rows[i].variant], st));
    }
    return ALM_OK;
}

const alm_obs *alm_cells_find(const alm_cells *cells, uint32_t variant, alm_place_id place,
                              alm_period period)
{
    uint32_t row =
        alm_cell_index_find(&cells->index, key_of(variant, place), alm_period_pack(period));
    return row == ALM_CELL_NONE ? NULL : alm_cells_row(cells, row);
}
