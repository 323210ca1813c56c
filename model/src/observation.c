// Rows made columns.
#include "alm/observation.h"

#include <string.h>

// Rows of the same bits have the same period.
static uint64_t period_bits(alm_period period)
{
    return (uint64_t)period.freq << 48 | (uint64_t)(uint32_t)period.ordinal << 16 | period.length;
}

// X(column, element type, what it says of row r, bits that are the same where that is): the columns
// but the notes'.
#define ROW_COLUMNS(X)                                                                             \
    X(variant, uint32_t, r->variant, r->variant)                                                   \
    X(place, alm_place_id, r->place, r->place)                                                     \
    X(period, alm_period, r->period, period_bits(r->period))                                       \
    X(mantissa, int64_t, MANTISSA_OF(r), MANTISSA_OF(r))                                           \
    X(exponent, int32_t, EXPONENT_OF(r), EXPONENT_OF(r))                                           \
    X(unit, alm_unit, r->value.unit, alm_unit_pack(r->value.unit))                                 \
    X(flags, uint32_t, alm_obs_flags(&r->value), alm_obs_flags(&r->value))                         \
    X(source, uint32_t, r->source, r->source)                                                      \
    X(published, alm_date, r->published, r->published)                                             \
    X(sequence, uint64_t, r->sequence, r->sequence)
#define MANTISSA_OF(r) ((r)->value.has_number ? (r)->value.number.mantissa : 0)
#define EXPONENT_OF(r) ((r)->value.has_number ? (r)->value.number.exponent : 0)

// Rows that stay in the processor's nearest cache while their columns are filled.
#define STRIP_ROWS     256

// Most columns are the same in all rows, so that one look at all rows comes first.
static bool fill_columns(const alm_obs *rows, size_t count, alm_arena *arena, alm_obs_columns *ret)
{
    const alm_obs *r = rows;
#define COLUMN_FIRST(column, type, value, bits)                                                    \
    const uint64_t first_##column = (uint64_t)(bits);                                              \
    bool varies_##column = false;
    ROW_COLUMNS(COLUMN_FIRST)
#undef COLUMN_FIRST
    for (size_t i = 1; i < count; i++) {
        r = &rows[i];
#define COLUMN_LOOK(column, type, value, bits)                                                     \
    varies_##column |= (uint64_t)(bits) != first_##column;
        ROW_COLUMNS(COLUMN_LOOK)
#undef COLUMN_LOOK
    }
    r = rows;
#define COLUMN_CREATE(column, type, value, bits)                                                   \
    type *column = alm_arena_alloc(arena, (varies_##column ? count : 1) * sizeof(type));           \
    if (column == NULL) {                                                                          \
        return false;                                                                              \
    }                                                                                              \
    column[0] = value;                                                                             \
    ret->column = column;                                                                          \
    ret->each_##column = varies_##column;
    ROW_COLUMNS(COLUMN_CREATE)
#undef COLUMN_CREATE
    for (size_t from = 0; from < count; from += STRIP_ROWS) {
        size_t to = ALM_MIN(from + STRIP_ROWS, count);
#define COLUMN_FILL(column, type, value, bits)                                                     \
    for (size_t i = from; varies_##column && i < to; i++) {                                        \
        r = &rows[i];                                                                              \
        column[i] = value;                                                                         \
    }
        ROW_COLUMNS(COLUMN_FILL)
#undef COLUMN_FILL
    }
    return true;
}

// Notes come in runs (one note of a whole table, or none), so a look at the last one finds most.
static bool fill_notes(const alm_obs *rows, size_t count, alm_arena *arena, alm_obs_columns *ret)
{
    static const alm_str none[1];
    static const uint32_t zero;
    size_t cap = 0;
    size_t used = 1;
    void *table = NULL;
    uint32_t *column = NULL;
    ret->note = &zero;
    ret->notes = none;
    for (size_t i = 0; i < count; i++) {
        alm_str note = rows[i].note;
        if (note.len == 0) {
            continue;
        }
        if (column == NULL) {
            column = alm_arena_calloc(arena, count, sizeof *column);
            if (column == NULL) {
                return false;
            }
        }
        if (used == 1 || !alm_str_eq(ret->notes[used - 1], note)) {
            if (!alm_arena_grow(arena, &table, &cap, used + 1, sizeof note)) {
                return false;
            }
            alm_str *notes = table;
            notes[0] = (alm_str){0};
            notes[used++] = note;
            ret->notes = notes;
        }
        column[i] = (uint32_t)used - 1;
    }
    if (column != NULL) {
        ret->note = column;
        ret->each_note = 1;
    }
    return true;
}

bool alm_obs_columns_of(const alm_obs *rows, size_t count, alm_arena *arena, alm_obs_columns *ret)
{
    *ret = (alm_obs_columns){.count = count};
    return count == 0 ||
           (fill_columns(rows, count, arena, ret) && fill_notes(rows, count, arena, ret));
}
