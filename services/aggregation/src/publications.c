#include "publications.h"

#include "alm/limits.h"

#include <stdlib.h>

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                          "out of memory for what was published; ask for fewer places or periods");
}

static alm_code add(alm_publications *it, const alm_obs *row, uint32_t variant, alm_status *st)
{
    void *rows = it->rows;
    if (it->count == ALM_QUERY_CELL_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "more than %d publications to hold against each other, the limit; "
                              "ask for fewer places or periods",
                              ALM_QUERY_CELL_COUNT_MAX);
    }
    if (!alm_arena_grow(it->arena, &rows, &it->cap, it->count + 1, sizeof *row)) {
        return no_memory(st);
    }
    it->rows = rows;
    alm_obs *copy = &it->rows[it->count];
    *copy = *row;
    copy->variant = variant;
    if (row->note.len > 0) {
        copy->note.data = alm_arena_strdup(it->arena, row->note);
        if (copy->note.data == NULL) {
            return no_memory(st);
        }
    }
    it->count++;
    return ALM_OK;
}

alm_code alm_publications_visit(void *arg, const alm_str *variants, size_t variant_count,
                                const alm_obs_columns *rows, alm_status *st)
{
    alm_publications *it = arg;
    uint32_t *map;
    ALM_TRY(alm_variant_table_map(it->variants, variants, variant_count, &map, st));
    for (size_t i = 0; i < rows->count; i++) {
        alm_obs row = alm_obs_at(rows, i);
        ALM_ASSERT(row.variant < variant_count);
        ALM_TRY(add(it, &row, map[row.variant], st));
    }
    return ALM_OK;
}

// --- order --------------------------------------------------------------------------------------

static int cell_order(const alm_obs *a, const alm_obs *b)
{
    int order = COMPARE(a->variant, b->variant);
    order = order != 0 ? order : COMPARE(a->place, b->place);
    return order != 0 ? order : alm_period_cmp(a->period, b->period);
}

static int by_cell(const void *a, const void *b)
{
    const alm_obs *x = a;
    const alm_obs *y = b;
    int order = cell_order(x, y);
    order = order != 0 ? order : COMPARE(x->published, y->published);
    order = order != 0 ? order : COMPARE(x->sequence, y->sequence);
    return order != 0 ? order : COMPARE(x->source, y->source);
}

void alm_publications_sort(alm_publications *it)
{
    if (it->count > 0) {
        qsort(it->rows, it->count, sizeof *it->rows, by_cell);
    }
}

alm_cell_rows alm_publications_cell(const alm_publications *it, size_t first)
{
    size_t end = first;
    while (end < it->count && cell_order(&it->rows[first], &it->rows[end]) == 0) {
        end++;
    }
    return (alm_cell_rows){&it->rows[first], end - first};
}

alm_cell_rows alm_publications_find(const alm_publications *it, uint32_t variant,
                                    alm_place_id place, alm_period period)
{
    alm_obs key = {.variant = variant, .place = place, .period = period};
    size_t low = 0;
    size_t high = it->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cell_order(&it->rows[middle], &key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_there = low < it->count && cell_order(&it->rows[low], &key) == 0;
    return is_there ? alm_publications_cell(it, low) : (alm_cell_rows){0};
}

// --- which counts -------------------------------------------------------------------------------

static bool is_withdrawal(const alm_obs *row)
{
    return row->value.status == ALM_OBS_STATUS_WITHDRAWN;
}

static int precedence_of(const alm_publications *it, const alm_obs *row)
{
    return row->source == ALM_SOURCE_NONE
               ? 0
               : alm_catalog_source(it->catalog, row->source)->precedence;
}

bool alm_publication_is_last_word(alm_cell_rows cell, const alm_obs *row, alm_date as_of)
{
    for (size_t i = 0; i < cell.count; i++) {
        const alm_obs *other = &cell.rows[i];
        if (other->source == row->source && other->published <= as_of && other > row) {
            return false;
        }
    }
    return row->published <= as_of;
}

// Both are of one cell.
static bool wins(const alm_publications *it, const alm_obs *a, const alm_obs *b)
{
    int order = COMPARE(precedence_of(it, a), precedence_of(it, b));
    order = order != 0 ? order : COMPARE(a->published, b->published);
    order = order != 0 ? order : COMPARE(a->sequence, b->sequence);
    order = order != 0 ? order : COMPARE(b->source, a->source);
    return order > 0;
}

const alm_obs *alm_publications_choose(const alm_publications *it, alm_cell_rows cell,
                                       alm_date as_of)
{
    const alm_obs *chosen = NULL;
    for (size_t i = 0; i < cell.count; i++) {
        const alm_obs *row = &cell.rows[i];
        if (!is_withdrawal(row) && alm_publication_is_last_word(cell, row, as_of) &&
            (chosen == NULL || wins(it, row, chosen))) {
            chosen = row;
        }
    }
    return chosen;
}

const alm_obs *alm_publications_same(alm_cell_rows cell, const alm_obs *as)
{
    const alm_obs *same = NULL;
    for (size_t i = 0; i < cell.count; i++) {
        const alm_obs *row = &cell.rows[i];
        if (row->source != as->source) {
            continue;
        }
        if (is_withdrawal(row)) {
            same = NULL;
        } else if (row->published == as->published) {
            same = row;
        }
    }
    return same;
}
