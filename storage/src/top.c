#include "top.h"

#define VISIT_ROW_COUNT 8192 // of a visit, about

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the first rows of a slice");
}

// --- the first numbers ---------------------------------------------------------------------------

static bool is_behind(const alm_top_rows *it, alm_decimal number, alm_decimal other)
{
    return alm_top_is_behind(it->top, alm_decimal_cmp(number, other));
}

static bool is_full(const alm_top_rows *it, const alm_top_unit *unit)
{
    return unit->count == it->top.count;
}

static void sift_down(const alm_top_rows *it, alm_top_unit *unit)
{
    alm_decimal *first = unit->first;
    for (size_t at = 0, child = 1; child < unit->count; child = at * 2 + 1) {
        child += child + 1 < unit->count && is_behind(it, first[child + 1], first[child]);
        if (!is_behind(it, first[child], first[at])) {
            return;
        }
        alm_decimal held = first[at];
        first[at] = first[child];
        first[child] = held;
        at = child;
    }
}

static void sift_up(const alm_top_rows *it, alm_top_unit *unit)
{
    alm_decimal *first = unit->first;
    for (size_t at = unit->count - 1; at > 0;) {
        size_t parent = (at - 1) / 2;
        if (!is_behind(it, first[at], first[parent])) {
            return;
        }
        alm_decimal held = first[at];
        first[at] = first[parent];
        first[parent] = held;
        at = parent;
    }
}

// False: so many come before the number that it is not wanted.
static bool offer(const alm_top_rows *it, alm_top_unit *unit, alm_decimal number)
{
    if (!is_full(it, unit)) {
        unit->first[unit->count++] = number;
        sift_up(it, unit);
        return true;
    }
    if (is_behind(it, number, unit->first[0])) {
        return false;
    }
    unit->first[0] = number;
    sift_down(it, unit);
    return true;
}

// NULL: no memory.
static alm_top_unit *unit_of(alm_top_rows *it, alm_unit unit)
{
    void *units = it->units;
    for (size_t i = 0; i < it->unit_count; i++) {
        if (alm_unit_eq(it->units[i].unit, unit)) {
            return &it->units[i];
        }
    }
    alm_decimal *first = alm_arena_alloc(it->arena, it->top.count * sizeof *first);
    if (first == NULL ||
        !alm_arena_grow(it->arena, &units, &it->unit_cap, it->unit_count + 1, sizeof *it->units)) {
        return NULL;
    }
    it->units = units;
    it->units[it->unit_count] = (alm_top_unit){.unit = unit, .first = first};
    return &it->units[it->unit_count++];
}

// --- rows ----------------------------------------------------------------------------------------

static alm_code keep_row(alm_top_rows *it, const alm_obs *row, alm_status *st)
{
    void *rows = it->rows;
    char *note = row->note.len > 0 ? alm_arena_strdup(it->arena, row->note) : NULL;
    if ((row->note.len > 0 && note == NULL) ||
        !alm_arena_grow(it->arena, &rows, &it->cap, it->count + 1, sizeof *it->rows)) {
        return no_memory(st);
    }
    it->rows = rows;
    it->rows[it->count] = *row;
    it->rows[it->count++].note = (alm_str){.data = note, .len = row->note.len};
    return ALM_OK;
}

static alm_code take_row(alm_top_rows *it, const alm_obs *row, alm_status *st)
{
    if (row->value.has_number) {
        alm_top_unit *unit = unit_of(it, row->value.unit);
        if (unit == NULL) {
            return no_memory(st);
        }
        if (!offer(it, unit, row->value.number)) {
            return ALM_OK;
        }
    }
    return keep_row(it, row, st);
}

static bool is_wanted(alm_top_rows *it, const alm_obs *row)
{
    for (size_t i = 0; i < it->unit_count; i++) {
        const alm_top_unit *unit = &it->units[i];
        if (!is_full(it, unit)) {
            continue;
        }
        if (!row->value.has_number) {
            return false;
        }
        if (alm_unit_eq(unit->unit, row->value.unit)) {
            return !is_behind(it, row->value.number, unit->first[0]);
        }
    }
    return true;
}

// Those that were among the first when they came and are not now go.
static void end_slice(alm_top_rows *it)
{
    size_t kept = it->from;
    for (size_t i = it->from; i < it->count; i++) {
        if (is_wanted(it, &it->rows[i])) {
            it->rows[kept++] = it->rows[i];
        }
    }
    it->count = it->from = kept;
    it->unit_count = 0;
}

static alm_code visit_kept(alm_top_rows *it, alm_status *st)
{
    alm_obs_columns columns;
    if (it->count > 0) {
        if (!alm_obs_columns_of(it->rows, it->count, it->arena, &columns)) {
            return no_memory(st);
        }
        ALM_TRY(it->visit(it->arg, it->variant, &columns, st));
    }
    alm_arena_reset(it->arena);
    it->variant = (alm_str){0};
    it->rows = NULL;
    it->units = NULL;
    it->count = it->cap = it->from = it->unit_cap = 0;
    return ALM_OK;
}

static alm_code begin_variant(alm_top_rows *it, alm_str variant, alm_status *st)
{
    it->variant = (alm_str){.data = alm_arena_strdup(it->arena, variant), .len = variant.len};
    return it->variant.data == NULL ? no_memory(st) : ALM_OK;
}

alm_code alm_top_rows_take(void *arg, alm_str variant, const alm_obs_columns *rows, alm_status *st)
{
    alm_top_rows *it = arg;
    if (!alm_str_eq(it->variant, variant)) {
        ALM_TRY(alm_top_rows_end(it, st));
        ALM_TRY(begin_variant(it, variant, st));
    }
    for (size_t i = 0; i < rows->count; i++) {
        alm_obs row = alm_obs_at(rows, i);
        if (it->count > it->from && !alm_period_eq(it->rows[it->from].period, row.period)) {
            end_slice(it);
            if (it->count >= VISIT_ROW_COUNT) {
                ALM_TRY(visit_kept(it, st));
                ALM_TRY(begin_variant(it, variant, st));
            }
        }
        ALM_TRY(take_row(it, &row, st));
    }
    return ALM_OK;
}

alm_code alm_top_rows_end(alm_top_rows *it, alm_status *st)
{
    end_slice(it);
    return visit_kept(it, st);
}
