#include "cells.h"

#include "alm/limits.h"

static alm_code no_memory_for(size_t count, alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "out of memory for %zu cells; ask for fewer places or periods", count);
}

alm_code alm_cells_init(alm_cells *cells, alm_arena *arena, alm_variant_table *variants,
                        alm_status *st)
{
    *cells = (alm_cells){.arena = arena, .variants = variants};
    return alm_cell_index_init(&cells->index, arena, st);
}

// --- copies -------------------------------------------------------------------------------------

static alm_code copy_notes(alm_arena *arena, alm_obs_columns *rows, alm_status *st)
{
    size_t count = 0;
    for (size_t i = 0; i < (rows->each_note ? rows->count : 1); i++) {
        count = ALM_MAX(count, (size_t)rows->note[i] + 1);
    }
    alm_str *notes = alm_arena_calloc(arena, count, sizeof *notes);
    for (size_t i = 1; notes != NULL && i < count; i++) {
        notes[i] = (alm_str){alm_arena_strdup(arena, rows->notes[i]), rows->notes[i].len};
        if (notes[i].data == NULL) {
            return no_memory_for(rows->count, st);
        }
    }
    rows->notes = notes;
    return notes == NULL ? no_memory_for(rows->count, st) : ALM_OK;
}

alm_code alm_cell_columns_copy(const alm_obs_columns *rows, alm_arena *arena, alm_obs_columns *ret,
                               alm_status *st)
{
    *ret = *rows;
#define COLUMN_COPY(name, type)                                                                    \
    {                                                                                              \
        size_t bytes = (rows->each_##name ? rows->count : 1) * sizeof(type);                       \
        type *copy = alm_arena_alloc(arena, bytes);                                                \
        if (copy == NULL) {                                                                        \
            return no_memory_for(rows->count, st);                                                 \
        }                                                                                          \
        memcpy(copy, rows->name, bytes);                                                           \
        ret->name = copy;                                                                          \
    }
    ALM_OBS_COLUMN_MAP(COLUMN_COPY)
#undef COLUMN_COPY
    return copy_notes(arena, ret, st);
}

// --- runs ---------------------------------------------------------------------------------------

size_t alm_cell_run_seek(const alm_cell_run *run, size_t from, alm_place_id place)
{
    const alm_obs_columns *rows = &run->rows;
    size_t to = rows->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (ALM_OBS_AT(rows, place, middle) < place) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static bool has_place(const alm_cell_run *run, size_t at, alm_place_id place)
{
    return at < run->rows.count && ALM_OBS_AT(&run->rows, place, at) == place;
}

const alm_cell_run *alm_cells_runs(const alm_cells *cells, uint32_t variant, alm_period period)
{
    uint32_t at = alm_cell_index_find(&cells->index, variant, alm_period_pack(period));
    return at == ALM_CELL_NONE ? NULL : &cells->runs[at];
}

uint32_t alm_cells_find(const alm_cells *cells, uint32_t variant, alm_place_id place,
                        alm_period period)
{
    const alm_cell_run *run = alm_cells_runs(cells, variant, period);
    for (; run != NULL; run = alm_cells_next(cells, run)) {
        size_t at = alm_cell_run_seek(run, 0, place);
        if (has_place(run, at, place)) {
            return (uint32_t)(run->first + at);
        }
    }
    return ALM_CELL_NONE;
}

static alm_code append(alm_cells *cells, uint32_t variant, alm_period period,
                       const alm_obs_columns *rows, alm_status *st)
{
    void *runs = cells->runs;
    uint32_t fresh = (uint32_t)cells->run_count;
    uint32_t head;
    if (rows->count > ALM_QUERY_CELL_COUNT_MAX - cells->count) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "the question touches more than %d cells, the limit; ask for fewer "
                              "places or periods",
                              ALM_QUERY_CELL_COUNT_MAX);
    }
    ALM_TRY(alm_cell_index_add(&cells->index, variant, alm_period_pack(period), fresh, &head, st));
    if (!alm_arena_grow(cells->arena, &runs, &cells->run_cap, cells->run_count + 1,
                        sizeof *cells->runs)) {
        return no_memory_for(cells->count + 1, st);
    }
    cells->runs = runs;
    cells->runs[fresh] = (alm_cell_run){
        .variant = variant,
        .period = period,
        .first = cells->count,
        .rows = *rows,
        .next = ALM_CELL_NONE,
        .last = ALM_OBS_AT(rows, place, rows->count - 1),
    };
    if (head != fresh) { // behind the first: what comes last is mostly looked for next
        cells->runs[fresh].next = cells->runs[head].next;
        cells->runs[head].next = fresh;
        cells->runs[head].last = ALM_MAX(cells->runs[head].last, cells->runs[fresh].last);
    }
    cells->run_count++;
    cells->count += rows->count;
    return ALM_OK;
}

// Those rows of a run that are not there yet, as runs. Reads that overlap are rare: nearly always a
// run goes on where the message before it ended.
static alm_code append_new(alm_cells *cells, uint32_t variant, alm_period period,
                           const alm_obs_columns *rows, alm_status *st)
{
    size_t from = 0;
    const alm_cell_run *known = alm_cells_runs(cells, variant, period);
    if (known == NULL || known->last < ALM_OBS_AT(rows, place, 0)) {
        return append(cells, variant, period, rows, st);
    }
    for (size_t i = 0; i <= rows->count; i++) {
        bool is_end = i == rows->count || alm_cells_find(cells, variant, ALM_OBS_AT(rows, place, i),
                                                         period) != ALM_CELL_NONE;
        if (is_end && from < i) {
            alm_obs_columns part = alm_obs_columns_cut(rows, from, i - from);
            ALM_TRY(append(cells, variant, period, &part, st));
        }
        from = is_end ? i + 1 : from;
    }
    return ALM_OK;
}

static bool is_same_run(const alm_obs_columns *rows, size_t a, size_t b)
{
    return ALM_OBS_AT(rows, variant, a) == ALM_OBS_AT(rows, variant, b) &&
           alm_period_eq(ALM_OBS_AT(rows, period, a), ALM_OBS_AT(rows, period, b));
}

// Where the run that begins at a row ends. False: its places do not ascend.
static bool run_end(const alm_obs_columns *rows, size_t from, size_t *ret)
{
    size_t i = from + 1;
    while (i < rows->count && is_same_run(rows, from, i)) {
        if (ALM_OBS_AT(rows, place, i) <= ALM_OBS_AT(rows, place, i - 1)) {
            return false;
        }
        i++;
    }
    *ret = i;
    return true;
}

alm_code alm_cells_visit(void *arg, const alm_str *variants, size_t variant_count,
                         const alm_obs_columns *rows, alm_status *st)
{
    alm_cells *cells = arg;
    uint32_t *map;
    alm_obs_columns copy;
    ALM_TRY(alm_variant_table_map(cells->variants, variants, variant_count, &map, st));
    ALM_TRY(alm_cell_columns_copy(rows, cells->arena, &copy, st));
    for (size_t from = 0, end; from < copy.count; from = end) {
        uint32_t variant = ALM_OBS_AT(&copy, variant, from);
        ALM_ASSERT(variant < variant_count);
        if (!run_end(&copy, from, &end)) {
            return alm_status_set(st, ALM_INTERNAL, "storage answered rows out of order: %.*s",
                                  ALM_STR_ARGS(variants[variant]));
        }
        alm_obs_columns part = alm_obs_columns_cut(&copy, from, end - from);
        ALM_TRY(append_new(cells, map[variant], ALM_OBS_AT(&copy, period, from), &part, st));
    }
    return ALM_OK;
}

// --- rows ---------------------------------------------------------------------------------------

const alm_cell_run *alm_cells_run_of(const alm_cells *cells, size_t i)
{
    ALM_ASSERT(i < cells->count);
    size_t from = 0;
    size_t to = cells->run_count;
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        if (cells->runs[middle].first <= i) {
            from = middle;
        } else {
            to = middle;
        }
    }
    return &cells->runs[from];
}

alm_obs alm_cells_row(const alm_cells *cells, size_t i)
{
    const alm_cell_run *run = alm_cells_run_of(cells, i);
    alm_obs row = alm_obs_at(&run->rows, i - run->first);
    row.variant = run->variant;
    return row;
}

bool alm_cells_get(const alm_cells *cells, uint32_t variant, alm_place_id place, alm_period period,
                   alm_obs *ret)
{
    uint32_t at = alm_cells_find(cells, variant, place, period);
    if (at == ALM_CELL_NONE) {
        return false;
    }
    *ret = alm_cells_row(cells, at);
    return true;
}
