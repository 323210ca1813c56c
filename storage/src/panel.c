#include "panel.h"

#include "chunk.h"
#include "notes.h"

#include <stdlib.h>

// Rows of a slice that lie in the panel, and where they go.
typedef struct slice_rows {
    alm_block block;
    size_t from, to;
    size_t *cells;  // of each row; belongs to the building
    int64_t *notes; // the panel's number of each of the block's notes
} slice_rows;

typedef struct building {
    alm_panel *panel;
    const alm_base *base;
    alm_place_id from;
    size_t cell_count;
    alm_arena *arena;
    alm_notes notes;
    bool *present;
    size_t *cells;   // of the slice at hand
    int64_t *values; // of the slice at hand
    alm_obs *rows;   // of the slice at hand, if its numbers have no common scale
    bool has_row;    // a slice before had one
} building;

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to turn slices into series");
}

static alm_code damaged(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "a slice is damaged: %s", what);
}

// --- axes ----------------------------------------------------------------------------------------

static unsigned lag_of(alm_period period)
{
    switch ((alm_freq)period.freq) {
    case ALM_FREQ_MONTH:
        return 12;
    case ALM_FREQ_WEEK:
        return 52;
    case ALM_FREQ_QUARTER:
        return 4;
    case ALM_FREQ_TRIMESTER:
        return 3;
    case ALM_FREQ_SEMESTER:
        return 2;
    case ALM_FREQ_DAY:
        return 7; // a week's round; a year's is not worth its days in a list
    case ALM_FREQ_ANNUAL:
    case ALM_FREQ_NONE:
        break;
    }
    return 0;
}

static alm_code make_axes(building *b, const alm_panel_slice *slices, size_t count,
                          alm_place_id from, alm_place_id to, alm_status *st)
{
    alm_panel *panel = b->panel;
    size_t places = to - from;
    alm_place_id *ids = alm_arena_alloc(b->arena, places * sizeof *ids);
    alm_period *periods = alm_arena_alloc(b->arena, count * sizeof *periods);
    b->cell_count = places * count;
    b->present = alm_arena_calloc(b->arena, b->cell_count, sizeof *b->present);
    b->cells = alm_arena_alloc(b->arena, places * sizeof *b->cells);
    b->values = alm_arena_alloc(b->arena, places * sizeof *b->values);
    b->rows = alm_arena_alloc(b->arena, places * sizeof *b->rows);
    int64_t *numbers = alm_arena_alloc(b->arena, b->cell_count * sizeof *numbers);
    if (ids == NULL || periods == NULL || b->present == NULL || b->cells == NULL ||
        b->values == NULL || b->rows == NULL || numbers == NULL) {
        return no_memory(st);
    }
    for (size_t i = 0; i < places; i++) {
        ids[i] = from + (alm_place_id)i;
    }
    for (size_t j = 0; j < count; j++) {
        periods[j] = slices[j].period;
    }
    *panel = (alm_panel){.place_count = places,
                         .period_count = count,
                         .places = ids,
                         .periods = periods,
                         .present = b->present,
                         .lag = lag_of(slices[0].period)};
    panel->columns[ALM_BLOCK_MANTISSA] = numbers;
    return ALM_OK;
}

// --- one slice -----------------------------------------------------------------------------------

static alm_code number_notes(building *b, slice_rows *rows, alm_status *st)
{
    const alm_block *block = &rows->block;
    rows->notes = alm_arena_alloc(b->arena, (block->note_count + 1) * sizeof *rows->notes);
    if (rows->notes == NULL) {
        return no_memory(st);
    }
    rows->notes[0] = 0;
    for (size_t i = 0; i < block->note_count; i++) {
        if (!alm_notes_add(&b->notes, block->notes[i], b->arena, &rows->notes[i + 1])) {
            return no_memory(st);
        }
    }
    return ALM_OK;
}

// Finds the rows of the panel's places, and their cells in period j.
static alm_code open_slice(building *b, alm_str bytes, size_t j, slice_rows *ret, alm_status *st)
{
    const alm_panel *panel = b->panel;
    *ret = (slice_rows){.cells = b->cells};
    ALM_TRY(alm_block_open(bytes, ALM_CHUNK_ROW_COUNT_MAX, b->base, b->arena, &ret->block, st));
    ret->from = alm_block_find_place(&ret->block, 0, b->from);
    ret->to =
        alm_block_find_place(&ret->block, ret->from, b->from + (alm_place_id)panel->place_count);
    size_t count = ret->to - ret->from;
    if (count > panel->place_count) {
        return damaged(st, "its places");
    }
    if (ret->block.count == 0) {
        return ALM_OK;
    }
    alm_column_range(&ret->block.columns[ALM_BLOCK_PLACE], ret->from, ret->to, b->values);
    for (size_t i = 0; i < count; i++) {
        int64_t place = b->values[i] - (int64_t)b->from;
        if (place < 0 || place >= (int64_t)panel->place_count ||
            (i > 0 && b->values[i] <= b->values[i - 1])) {
            return damaged(st, "places are not in order");
        }
        b->cells[i] = (size_t)place * panel->period_count + j;
        b->present[b->cells[i]] = true;
    }
    return number_notes(b, ret, st);
}

// Gives a column room of its own, when cells no longer hold all the same.
static alm_code spread_column(building *b, int column, alm_status *st)
{
    alm_panel *panel = b->panel;
    if (panel->columns[column] != NULL) {
        return ALM_OK;
    }
    panel->columns[column] = alm_arena_alloc(b->arena, b->cell_count * sizeof(int64_t));
    if (panel->columns[column] == NULL) {
        return no_memory(st);
    }
    for (size_t cell = 0; cell < b->cell_count; cell++) {
        panel->columns[column][cell] = panel->constants[column];
    }
    return ALM_OK;
}

static alm_code fill_column(building *b, slice_rows *rows, int column, alm_status *st)
{
    alm_panel *panel = b->panel;
    alm_column *from = &rows->block.columns[column];
    bool is_constant = alm_column_constant(from);
    int64_t constant = is_constant ? alm_column_get(from, 0) : 0;
    bool is_note = column == ALM_BLOCK_NOTE;
    if (is_note && is_constant) {
        constant = constant >= 0 && (size_t)constant <= rows->block.note_count
                       ? rows->notes[constant]
                       : -1;
    }
    if (is_constant && panel->columns[column] == NULL &&
        (!b->has_row || panel->constants[column] == constant)) {
        panel->constants[column] = constant;
        return ALM_OK;
    }
    ALM_TRY(spread_column(b, column, st));
    if (!is_constant) {
        alm_column_range(from, rows->from, rows->to, b->values);
    }
    int64_t *to = panel->columns[column];
    ALM_ASSERT(to != NULL && rows->notes != NULL);
    for (size_t i = 0; i < rows->to - rows->from; i++) {
        int64_t v = is_constant ? constant : b->values[i];
        if (is_note && !is_constant) {
            v = v >= 0 && (size_t)v <= rows->block.note_count ? rows->notes[v] : -1;
        }
        to[rows->cells[i]] = v;
    }
    return ALM_OK;
}

static const int filled_columns[] = {ALM_BLOCK_UNIT,      ALM_BLOCK_FLAGS,    ALM_BLOCK_SOURCE,
                                     ALM_BLOCK_PUBLISHED, ALM_BLOCK_SEQUENCE, ALM_BLOCK_NOTE};

// A damaged note's number must not reach the groups, where it would be looked up.
static bool notes_known(const building *b, const slice_rows *rows)
{
    const alm_panel *panel = b->panel;
    const int64_t *notes = panel->columns[ALM_BLOCK_NOTE];
    if (notes == NULL) {
        return panel->constants[ALM_BLOCK_NOTE] >= 0;
    }
    for (size_t i = 0; i < rows->to - rows->from; i++) {
        if (notes[rows->cells[i]] < 0) {
            return false;
        }
    }
    return true;
}

// --- numbers -------------------------------------------------------------------------------------

// The scale of all slices. False: there is none.
static alm_code find_scale(building *b, const alm_panel_slice *slices, size_t count,
                           bool *ret_found, alm_status *st)
{
    int scale = ALM_DECIMAL_EXPONENT_MAX;
    *ret_found = true;
    for (size_t j = 0; j < count; j++) {
        alm_block block;
        ALM_TRY(alm_block_open(slices[j].winners, ALM_CHUNK_ROW_COUNT_MAX, b->base, b->arena,
                               &block, st));
        *ret_found = *ret_found && block.is_scaled;
        scale = ALM_MIN(scale, (int)block.scale);
    }
    b->panel->is_scaled = *ret_found;
    b->panel->scale = (int8_t)scale;
    return ALM_OK;
}

// Puts the slice's numbers into the panel at its scale. False: one does not fit.
static bool fill_scaled(building *b, slice_rows *rows)
{
    alm_panel *panel = b->panel;
    int64_t *numbers = panel->columns[ALM_BLOCK_MANTISSA];
    int64_t factor;
    if (!alm_block_power_of_ten(rows->block.scale - panel->scale, &factor)) {
        return false;
    }
    int64_t most = ALM_DECIMAL_MANTISSA_MAX / factor;
    alm_block_numbers(&rows->block, rows->from, rows->to, b->values);
    for (size_t i = 0; i < rows->to - rows->from; i++) {
        int64_t v = b->values[i];
        if (v > most || v < -most) {
            return false;
        }
        numbers[rows->cells[i]] = v * factor;
    }
    return true;
}

// Puts them in at their own exponents.
static alm_code fill_unscaled(building *b, slice_rows *rows, alm_status *st)
{
    alm_panel *panel = b->panel;
    ALM_TRY(spread_column(b, ALM_BLOCK_EXPONENT, st));
    ALM_TRY(alm_block_get(&rows->block, rows->from, rows->to, b->rows, st));
    for (size_t i = 0; i < rows->to - rows->from; i++) {
        alm_decimal number = b->rows[i].value.number;
        panel->columns[ALM_BLOCK_MANTISSA][rows->cells[i]] = number.mantissa;
        panel->columns[ALM_BLOCK_EXPONENT][rows->cells[i]] = number.exponent;
    }
    return ALM_OK;
}

// --- all slices ----------------------------------------------------------------------------------

static alm_code fill(building *b, const alm_panel_slice *slices, size_t count, bool *ret_fits,
                     alm_status *st)
{
    for (size_t j = 0; j < count && *ret_fits; j++) {
        slice_rows rows;
        ALM_TRY(open_slice(b, slices[j].winners, j, &rows, st));
        if (rows.from == rows.to) {
            continue;
        }
        for (size_t c = 0; c < ALM_ARRAY_LEN(filled_columns); c++) {
            ALM_TRY(fill_column(b, &rows, filled_columns[c], st));
        }
        if (!notes_known(b, &rows)) {
            return damaged(st, "a note");
        }
        if (b->panel->is_scaled) {
            ALM_TRY(fill_column(b, &rows, ALM_BLOCK_EXPONENT, st));
            *ret_fits = fill_scaled(b, &rows);
        } else {
            ALM_TRY(fill_unscaled(b, &rows, st));
        }
        b->has_row = true;
    }
    return ALM_OK;
}

static int other_cmp(const void *a, const void *b)
{
    const alm_obs *x = a;
    const alm_obs *y = b;
    int order = (x->place > y->place) - (x->place < y->place);
    if (order == 0) {
        order = alm_period_cmp(x->period, y->period);
    }
    return order != 0 ? order : alm_vintage_order(x, y);
}

static alm_code gather_others(building *b, const alm_panel_slice *slices, size_t count,
                              alm_status *st)
{
    alm_obs *others = NULL;
    size_t other_count = 0;
    size_t cap = 0;
    for (size_t j = 0; j < count; j++) {
        alm_block block;
        if (slices[j].others.len == 0) {
            continue;
        }
        ALM_TRY(
            alm_block_open(slices[j].others, ALM_CHUNK_ROW_COUNT_MAX, NULL, b->arena, &block, st));
        size_t from = alm_block_find_place(&block, 0, b->from);
        size_t to =
            alm_block_find_place(&block, from, b->from + (alm_place_id)b->panel->place_count);
        if (!alm_arena_grow(b->arena, (void **)&others, &cap, other_count + (to - from),
                            sizeof *others)) {
            return no_memory(st);
        }
        ALM_TRY(alm_block_get(&block, from, to, others + other_count, st));
        other_count += to - from;
    }
    if (other_count > 1) {
        qsort(others, other_count, sizeof *others, other_cmp);
    }
    b->panel->others = others;
    b->panel->other_count = other_count;
    return ALM_OK;
}

alm_code alm_panel_build(const alm_panel_slice *slices, size_t count, const alm_base *base,
                         alm_place_id from, alm_place_id to, alm_arena *arena, alm_panel *ret,
                         alm_status *st)
{
    ALM_ASSERT(count > 0 && from < to);
    building b = {.panel = ret, .base = base, .from = from, .arena = arena};
    bool is_scaled;
    bool fits = true;
    ALM_TRY(make_axes(&b, slices, count, from, to, st));
    ALM_TRY(find_scale(&b, slices, count, &is_scaled, st));
    ALM_TRY(fill(&b, slices, count, &fits, st));
    if (!fits) { // one scale for all would need too many digits
        ret->is_scaled = false;
        fits = true;
        b.has_row = false;
        ALM_TRY(fill(&b, slices, count, &fits, st));
    }
    ret->notes = b.notes.notes;
    ret->note_count = b.notes.count;
    return gather_others(&b, slices, count, st);
}
