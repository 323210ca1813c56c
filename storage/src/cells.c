#include "cells.h"

#include "alm/alloc.h"

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a vector");
}

static alm_code no_exponent(alm_status *st)
{
    return alm_status_set(st, ALM_FAILED_PRECONDITION,
                          "the numbers have no common exponent within 18 digits; read the rows");
}

void alm_cells_deinit(alm_cells *cells)
{
    alm_free(cells->places);
    alm_free(cells->periods);
    alm_free(cells->numbers);
    alm_free(cells->flags);
    *cells = (alm_cells){0};
}

void alm_cells_begin(alm_cells *cells, bool is_series)
{
    cells->count = 0;
    cells->is_series = is_series;
    cells->has_flags = false;
    cells->common_flags = 0;
    cells->has_number = false;
    cells->unit = (alm_unit){0};
    cells->exponent = 0;
}

// The old block goes, its contents come along.
static bool grow(void *list, size_t count, size_t cap, size_t size)
{
    void **at = list;
    void *more = alm_alloc(cap * size);
    if (more == NULL) {
        return false;
    }
    if (count > 0) {
        memcpy(more, *at, count * size);
    }
    alm_free(*at);
    *at = more;
    return true;
}

alm_code alm_cells_reserve(alm_cells *cells, size_t count, alm_status *st)
{
    size_t n = cells->count;
    if (n + count <= cells->cap) {
        return ALM_OK;
    }
    size_t cap = ALM_MAX(n + count, 2 * cells->cap);
    if (!grow(&cells->places, n, cap, sizeof *cells->places) ||
        !grow(&cells->periods, n, cap, sizeof *cells->periods) ||
        !grow(&cells->numbers, n, cap, sizeof *cells->numbers) ||
        !grow(&cells->flags, n, cap, sizeof *cells->flags)) {
        return no_memory(st);
    }
    cells->cap = cap;
    return ALM_OK;
}

void alm_cells_spread_flags(alm_cells *cells)
{
    for (size_t i = 0; !cells->has_flags && i < cells->count; i++) {
        cells->flags[i] = cells->common_flags;
    }
    cells->has_flags = true;
}

// --- numbers -------------------------------------------------------------------------------------

alm_code alm_cells_scale(int64_t *number, int64_t factor, alm_status *st)
{
    int64_t most = ALM_DECIMAL_MANTISSA_MAX / factor;
    if (*number > most || *number < -most) {
        return no_exponent(st);
    }
    *number *= factor;
    return ALM_OK;
}

alm_code alm_cells_admit(alm_cells *cells, alm_unit unit, int exponent, int64_t *ret_factor,
                         alm_status *st)
{
    *ret_factor = 1;
    if (!cells->has_number) {
        cells->has_number = true;
        cells->unit = unit;
        cells->exponent = (int8_t)exponent;
        return ALM_OK;
    }
    if (!alm_unit_eq(cells->unit, unit)) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "the numbers have several units; read the rows");
    }
    if (exponent >= cells->exponent) {
        return alm_block_power_of_ten(exponent - cells->exponent, ret_factor) ? ALM_OK
                                                                              : no_exponent(st);
    }
    int64_t factor;
    if (!alm_block_power_of_ten(cells->exponent - exponent, &factor)) {
        return no_exponent(st);
    }
    for (size_t i = 0; i < cells->count; i++) {
        ALM_TRY(alm_cells_scale(&cells->numbers[i], factor, st));
    }
    cells->exponent = (int8_t)exponent;
    return ALM_OK;
}

// --- single cells --------------------------------------------------------------------------------

alm_code alm_cells_set(alm_cells *cells, size_t i, const alm_value *value, alm_status *st)
{
    uint16_t flags = (uint16_t)alm_block_flags(value);
    int64_t number = 0;
    if (value->has_number) {
        int64_t factor;
        ALM_TRY(alm_cells_admit(cells, value->unit, value->number.exponent, &factor, st));
        number = value->number.mantissa;
        ALM_TRY(alm_cells_scale(&number, factor, st));
    }
    if (!cells->has_flags && flags != cells->common_flags) {
        alm_cells_spread_flags(cells);
    }
    if (cells->has_flags) {
        cells->flags[i] = flags;
    }
    cells->numbers[i] = number;
    return ALM_OK;
}

#define MOVE(array, to, from, n) memmove((array) + (to), (array) + (from), (n) * sizeof *(array))

static void move_cells(alm_cells *cells, size_t to, size_t from, size_t n)
{
    MOVE(cells->numbers, to, from, n);
    if (cells->is_series) {
        MOVE(cells->periods, to, from, n);
    } else {
        MOVE(cells->places, to, from, n);
    }
    if (cells->has_flags) {
        MOVE(cells->flags, to, from, n);
    }
}

alm_code alm_cells_insert(alm_cells *cells, size_t i, alm_status *st)
{
    ALM_TRY(alm_cells_reserve(cells, 1, st));
    move_cells(cells, i + 1, i, cells->count - i);
    cells->count++;
    cells->numbers[i] = 0;
    return ALM_OK;
}

static bool has_withdrawn(const alm_cells *cells)
{
    unsigned any = 0;
    for (size_t i = 0; i < cells->count; i++) { // without a way out, so that it goes by vectors
        any |= alm_cell_status(cells->flags[i]) == ALM_OBS_STATUS_WITHDRAWN;
    }
    return any != 0;
}

void alm_cells_drop_withdrawn(alm_cells *cells)
{
    if (!cells->has_flags) {
        bool is_withdrawn = alm_cell_status(cells->common_flags) == ALM_OBS_STATUS_WITHDRAWN;
        cells->count = is_withdrawn ? 0 : cells->count;
        return;
    }
    size_t kept = 0;
    if (!has_withdrawn(cells)) {
        return;
    }
    for (size_t i = 0; i < cells->count; i++) {
        if (alm_cell_status(cells->flags[i]) == ALM_OBS_STATUS_WITHDRAWN) {
            continue;
        }
        if (kept != i) {
            move_cells(cells, kept, i, 1);
        }
        kept++;
    }
    cells->count = kept;
}

// What no cell at all has; an empty series still is one.
static const alm_place_id no_places[1];
static const alm_period no_periods[1];

alm_vector alm_cells_view(const alm_cells *cells, uint64_t sequence)
{
    return (alm_vector){.count = cells->count,
                        .places = cells->is_series ? NULL
                                  : cells->cap > 0 ? cells->places
                                                   : no_places,
                        .periods = !cells->is_series ? NULL
                                   : cells->cap > 0  ? cells->periods
                                                     : no_periods,
                        .numbers = cells->numbers,
                        .exponent = cells->exponent,
                        .unit = cells->unit,
                        .flags = cells->has_flags ? cells->flags : NULL,
                        .common_flags = cells->common_flags,
                        .sequence = sequence};
}
