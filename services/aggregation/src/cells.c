#include "cells.h"

#include "alm/limits.h"

#include <stdlib.h>

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

typedef struct dated {
    uint64_t family_place;
    uint64_t period;
    const alm_obs *row;
} dated;

static int by_newest(const void *a, const void *b)
{
    const dated *x = a;
    const dated *y = b;
    if (x->family_place != y->family_place) {
        return x->family_place < y->family_place ? -1 : 1;
    }
    return x->period == y->period ? 0 : x->period > y->period ? -1 : 1;
}

// For each variant the one that stands for its family.
static alm_code find_families(alm_cells *cells, uint32_t **ret, alm_status *st)
{
    size_t count = cells->variants->count;
    uint32_t *families = alm_arena_calloc(cells->arena, count, sizeof *families);
    if (families == NULL) {
        return no_memory(cells, st);
    }
    for (size_t i = 0; i < count; i++) {
        ALM_TRY(alm_variant_table_sibling(cells->variants, (uint32_t)i, ALM_MEASURE_LEVEL, NULL,
                                          &families[i], st));
    }
    *ret = families;
    return ALM_OK;
}

alm_code alm_cells_keep_last(alm_cells *cells, uint32_t last, alm_status *st)
{
    size_t count = cells->count;
    uint32_t *families = NULL;
    ALM_TRY(find_families(cells, &families, st));
    dated *list = alm_arena_calloc(cells->arena, count, sizeof *list);
    if (list == NULL) {
        return no_memory(cells, st);
    }
    for (size_t i = 0; i < count; i++) {
        const alm_obs *row = alm_cells_row(cells, i);
        uint64_t family_place = key_of(families[row->variant], row->place);
        list[i] = (dated){family_place, alm_period_pack(row->period), row};
    }
    qsort(list, count, sizeof *list, by_newest);

    // The kept rows go to fresh chunks; the old ones live on in the arena and are read from there.
    cells->chunks = NULL;
    cells->chunk_count = cells->chunk_cap = cells->count = 0;
    cells->index.count = 0;
    for (size_t i = 0; i < cells->index.cap; i++) {
        cells->index.slots[i].value = ALM_CELL_NONE;
    }
    uint32_t periods = 0;
    for (size_t i = 0; i < count; i++) {
        bool same_place = i > 0 && list[i].family_place == list[i - 1].family_place;
        bool same_period = same_place && list[i].period == list[i - 1].period;
        periods = !same_place ? 1 : same_period ? periods : periods + 1;
        if (periods <= last) {
            ALM_TRY(add(cells, list[i].row, list[i].row->variant, st));
        }
    }
    return ALM_OK;
}
