#include "alm/wire.h"

#include <string.h>

#define FLAG_BITS 9

_Static_assert(ALM_QUALIFIER_COUNT <= 16 && ALM_OBS_STATUS_COUNT <= 16,
               "flags have four bits each");

// Rows of the same bits have the same period or unit; packing looks at more than that.
static uint64_t period_bits(alm_period period)
{
    return (uint64_t)period.freq << 48 | (uint64_t)(uint32_t)period.ordinal << 16 | period.length;
}

static uint32_t unit_bits(alm_unit unit)
{
    return (uint32_t)unit.measure | (uint32_t)(uint8_t)unit.mult << 8 | (uint32_t)unit.per << 16 |
           (uint32_t)(uint8_t)unit.per_mult << 24;
}

// X(column, element type, what it says of row r, bits that are the same where that is): the columns
// that every row has.
#define ROW_COLUMNS(X)                                                                             \
    X(variant, uint32_t, r->variant, r->variant)                                                   \
    X(place, uint32_t, r->place, r->place)                                                         \
    X(period, uint64_t, alm_period_pack(r->period), period_bits(r->period))                        \
    X(mantissa, int64_t, MANTISSA_OF(r), MANTISSA_OF(r))                                           \
    X(exponent, int32_t, EXPONENT_OF(r), EXPONENT_OF(r))                                           \
    X(unit, uint32_t, alm_unit_pack(r->value.unit), unit_bits(r->value.unit))                      \
    X(flags, uint32_t, alm_obs_flags(&r->value), alm_obs_flags(&r->value))                         \
    X(source, uint32_t, r->source, r->source)                                                      \
    X(published, int32_t, r->published, r->published)                                              \
    X(sequence, uint64_t, r->sequence, r->sequence)
#define MANTISSA_OF(r) ((r)->value.has_number ? (r)->value.number.mantissa : 0)
#define EXPONENT_OF(r) ((r)->value.has_number ? (r)->value.number.exponent : 0)
// And the others.
#define OTHER_COLUMNS(X)                                                                           \
    X(note, uint32_t, , )                                                                          \
    X(row_number, uint32_t, , )

static alm_code exhausted(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "observation block: out of memory");
}

// --- rows to columns
// --------------------------------------------------------------------------------

// Rows that stay in the processor's nearest cache while their columns are filled.
#define STRIP_ROWS 256

// Of each column what says all of it: nothing when all rows have zero, one element when all are
// alike, which most are, so that one look at all rows comes first.
static bool columns_out(Almanac__Internal__ObservationBlock *block, const alm_obs *rows,
                        size_t count, alm_arena *arena)
{
    const alm_obs *r = rows;
    if (count == 0) {
        return true;
    }
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
    block->n_##column = varies_##column ? count : (value) != 0;                                    \
    block->column = alm_arena_alloc(arena, block->n_##column * sizeof(type));                      \
    if (block->column == NULL) {                                                                   \
        return false;                                                                              \
    }                                                                                              \
    if (block->n_##column > 0) {                                                                   \
        block->column[0] = value;                                                                  \
    }
    ROW_COLUMNS(COLUMN_CREATE)
#undef COLUMN_CREATE
    for (size_t from = 0; from < count; from += STRIP_ROWS) {
        size_t to = ALM_MIN(from + STRIP_ROWS, count);
#define COLUMN_FILL(column, type, value, bits)                                                     \
    for (size_t i = from; varies_##column && i < to; i++) {                                        \
        r = &rows[i];                                                                              \
        block->column[i] = value;                                                                  \
    }
        ROW_COLUMNS(COLUMN_FILL)
#undef COLUMN_FILL
    }
    return true;
}

// How many elements say all of a column.
static size_t shortest(const uint32_t *column, size_t count)
{
    size_t same = 0;
    while (same < count && column[same] == column[0]) {
        same++;
    }
    return same < count ? count : (count > 0 && column[0] != 0);
}

static char **strings_out(alm_arena *arena, const alm_str *texts, size_t count)
{
    char **out = alm_arena_calloc(arena, count, sizeof *out);
    for (size_t i = 0; out != NULL && i < count; i++) {
        out[i] = alm_arena_strdup(arena, texts[i]);
        if (out[i] == NULL) {
            return NULL;
        }
    }
    return out;
}

// Notes come in runs (one note of a whole table, or none), so a look at the last one finds most.
static alm_code notes_out(Almanac__Internal__ObservationBlock *block, const alm_obs *rows,
                          size_t count, alm_arena *arena, alm_status *st)
{
    size_t cap = 0;
    size_t used = 1; // notes[0] is the empty one
    alm_str *table = NULL;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].note.len == 0) {
            continue;
        }
        if (block->note == NULL) {
            block->note = alm_arena_calloc(arena, count, sizeof *block->note);
            if (block->note == NULL) {
                return exhausted(st);
            }
        }
        if (used == 1 || !alm_str_eq(table[used - 1], rows[i].note)) {
            if (!alm_arena_grow(arena, (void **)&table, &cap, used + 1, sizeof *table)) {
                return exhausted(st);
            }
            table[0] = (alm_str){0};
            table[used++] = rows[i].note;
        }
        block->note[i] = (uint32_t)used - 1;
    }
    if (used > 1) {
        block->n_note = shortest(block->note, count);
        block->notes = strings_out(arena, table, used);
        block->n_notes = used;
        return block->notes == NULL ? exhausted(st) : ALM_OK;
    }
    return ALM_OK;
}

static alm_code row_numbers_out(Almanac__Internal__ObservationBlock *block,
                                const uint32_t *row_numbers, size_t count, alm_arena *arena,
                                alm_status *st)
{
    if (row_numbers == NULL || count == 0) {
        return ALM_OK;
    }
    block->n_row_number = shortest(row_numbers, count);
    block->row_number = alm_arena_alloc(arena, block->n_row_number * sizeof *row_numbers);
    if (block->row_number == NULL) {
        return exhausted(st);
    }
    if (block->n_row_number > 0) {
        memcpy(block->row_number, row_numbers, block->n_row_number * sizeof *row_numbers);
    }
    return ALM_OK;
}

alm_code alm_obs_block_write(const alm_str *variants, size_t variant_count, const alm_obs *rows,
                             size_t count, const uint32_t *row_numbers, alm_arena *arena,
                             Almanac__Internal__ObservationBlock **ret, alm_status *st)
{
    Almanac__Internal__ObservationBlock *block = alm_arena_alloc(arena, sizeof *block);
    if (block == NULL) {
        return exhausted(st);
    }
    almanac__internal__observation_block__init(block);
    for (size_t i = 0; i < count; i++) {
        ALM_ASSERT(rows[i].variant < variant_count);
    }
    if (!columns_out(block, rows, count, arena)) {
        return exhausted(st);
    }
    ALM_TRY(notes_out(block, rows, count, arena, st));
    ALM_TRY(row_numbers_out(block, row_numbers, count, arena, st));
    block->rows = (uint32_t)count;
    block->variants = strings_out(arena, variants, variant_count);
    block->n_variants = variant_count;
    if (block->variants == NULL) {
        return exhausted(st);
    }
    *ret = block;
    return ALM_OK;
}

// --- columns -------------------------------------------------------------------------------------

static alm_code lengths_check(const Almanac__Internal__ObservationBlock *block, alm_status *st)
{
    if (block->rows > ALM_COMMIT_ROW_COUNT_MAX) {
        return alm_status_set_field(st, ALM_OUT_OF_RANGE, "rows",
                                    "observation block: %u rows, at most %d are taken", block->rows,
                                    ALM_COMMIT_ROW_COUNT_MAX);
    }
#define COLUMN_CHECK(column, type, value, bits)                                                    \
    if (block->n_##column > 1 && block->n_##column != block->rows) {                               \
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, #column,                             \
                                    "observation block: column " #column                           \
                                    " has %zu elements for %u rows",                               \
                                    block->n_##column, block->rows);                               \
    }
    ROW_COLUMNS(COLUMN_CHECK)
    OTHER_COLUMNS(COLUMN_CHECK)
#undef COLUMN_CHECK
    return ALM_OK;
}

static alm_code bad_row(alm_status *st, size_t i, const char *column, long long value)
{
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, column,
                                "observation block: row %zu: %s %lld stands for nothing", i, column,
                                value);
}

// Looks at every element of a column that is there; `it` is the element.
#define ELEMENTS_CHECK(column, is_good)                                                            \
    for (size_t i = 0; i < block->n_##column; i++) {                                               \
        const long long it = (long long)block->column[i];                                          \
        if (!(is_good)) {                                                                          \
            return bad_row(st, i, #column, it);                                                    \
        }                                                                                          \
    }

static bool are_flags(long long flags)
{
    return flags >> FLAG_BITS == 0 && (flags & 0xf) < ALM_QUALIFIER_COUNT &&
           (flags >> 4 & 0xf) < ALM_OBS_STATUS_COUNT;
}

// What has no number has none of its digits either.
static alm_code gaps_check(const alm_obs_columns *columns, alm_status *st)
{
    size_t looked_at = columns->each_flags ? columns->count : ALM_MIN(columns->count, (size_t)1);
    for (size_t i = 0; i < looked_at; i++) {
        if (alm_obs_flags_have_number(ALM_OBS_AT(columns, flags, i))) {
            continue;
        }
        // All rows, where none has a number.
        size_t end = columns->each_flags ? i + 1 : columns->count;
        for (size_t row = i; row < end; row++) {
            int64_t mantissa = ALM_OBS_AT(columns, mantissa, row);
            if (mantissa != 0 || ALM_OBS_AT(columns, exponent, row) != 0) {
                return bad_row(st, row, "mantissa", (long long)mantissa);
            }
        }
    }
    return ALM_OK;
}

// The elements that every row has one of, where nothing is told of it too.
static alm_code elements_check(const Almanac__Internal__ObservationBlock *block, alm_status *st)
{
    ELEMENTS_CHECK(variant, it < (long long)block->n_variants)
    ELEMENTS_CHECK(mantissa, it <= ALM_DECIMAL_MANTISSA_MAX && it >= -ALM_DECIMAL_MANTISSA_MAX)
    ELEMENTS_CHECK(exponent, it >= ALM_DECIMAL_EXPONENT_MIN && it <= ALM_DECIMAL_EXPONENT_MAX)
    ELEMENTS_CHECK(flags, are_flags(it))
    ELEMENTS_CHECK(published, it != ALM_DATE_NONE && it != ALM_DATE_MAX)
    ELEMENTS_CHECK(note, it == 0 || it < (long long)block->n_notes)
    return block->n_variant == 0 && block->n_variants == 0 ? bad_row(st, 0, "variant", 0) : ALM_OK;
}

// Neighbours mostly have the same.
static alm_code periods_in(const Almanac__Internal__ObservationBlock *block, alm_arena *arena,
                           alm_obs_columns *ret, alm_status *st)
{
    size_t count = ALM_MAX(block->n_period, (size_t)1);
    alm_period *periods = alm_arena_alloc(arena, count * sizeof *periods);
    if (periods == NULL) {
        return exhausted(st);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t packed = block->n_period == 0 ? 0 : block->period[i];
        if (i > 0 && packed == block->period[i - 1]) {
            periods[i] = periods[i - 1];
        } else if (!alm_period_unpack(packed, &periods[i])) {
            return bad_row(st, i, "period", (long long)packed);
        }
    }
    ret->period = periods;
    ret->each_period = count > 1;
    return ALM_OK;
}

static alm_code units_in(const Almanac__Internal__ObservationBlock *block, alm_arena *arena,
                         alm_obs_columns *ret, alm_status *st)
{
    size_t count = ALM_MAX(block->n_unit, (size_t)1);
    alm_unit *units = alm_arena_alloc(arena, count * sizeof *units);
    if (units == NULL) {
        return exhausted(st);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t packed = block->n_unit == 0 ? 0 : block->unit[i];
        units[i] = alm_unit_unpack(packed);
        bool is_known = i > 0 && packed == block->unit[i - 1];
        if (!is_known && !alm_unit_valid(units[i])) {
            return bad_row(st, i, "unit", packed);
        }
    }
    ret->unit = units;
    ret->each_unit = count > 1;
    return ALM_OK;
}

static alm_code notes_in(const Almanac__Internal__ObservationBlock *block, alm_arena *arena,
                         alm_obs_columns *ret, alm_status *st)
{
    alm_str *notes = alm_arena_calloc(arena, ALM_MAX(block->n_notes, (size_t)1), sizeof *notes);
    if (notes == NULL) {
        return exhausted(st);
    }
    for (size_t i = 0; i < block->n_notes; i++) {
        alm_str note = alm_str_from(block->notes[i]);
        if (note.len > ALM_TEXT_BYTES_MAX || alm_utf8_valid_len(note) != note.len) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "note",
                                        "observation block: note %zu is not UTF-8 of at most %d "
                                        "bytes",
                                        i, ALM_TEXT_BYTES_MAX);
        }
        notes[i] = i == 0 ? (alm_str){0} : note; // the first is no note, whatever it says
    }
    ret->notes = notes;
    return ALM_OK;
}

static alm_code variants_in(const Almanac__Internal__ObservationBlock *block, alm_str *variants,
                            alm_status *st)
{
    for (size_t i = 0; i < block->n_variants; i++) {
        alm_variant variant;
        variants[i] = alm_str_from(block->variants[i]);
        if (alm_variant_decode(variants[i], &variant, st) != ALM_OK) {
            return alm_status_prefix(st, "observation block: variant %zu", i);
        }
    }
    return ALM_OK;
}

// A column that the block has as it is wanted; one that is left out is zeros.
#define COLUMN_VIEW(column)                                                                        \
    static const __typeof__(*ret->column) zero_##column;                                           \
    ret->column = block->n_##column == 0 ? &zero_##column : block->column;                         \
    ret->each_##column = block->n_##column > 1;

alm_code alm_obs_block_columns(const Almanac__Internal__ObservationBlock *block, alm_arena *arena,
                               alm_str **ret_variants, size_t *ret_variant_count,
                               alm_obs_columns *ret, alm_status *st)
{
    *ret = (alm_obs_columns){.count = block->rows};
    ALM_TRY(lengths_check(block, st));
    alm_str *variants = alm_arena_calloc(arena, block->n_variants, sizeof *variants);
    if (variants == NULL) {
        return exhausted(st);
    }
    ALM_TRY(variants_in(block, variants, st));
    ALM_TRY(notes_in(block, arena, ret, st));
    *ret_variants = variants;
    *ret_variant_count = block->n_variants;
    if (block->rows == 0) {
        return ALM_OK;
    }
    ALM_TRY(elements_check(block, st));
    ALM_TRY(periods_in(block, arena, ret, st));
    ALM_TRY(units_in(block, arena, ret, st));
    COLUMN_VIEW(variant)
    COLUMN_VIEW(place)
    COLUMN_VIEW(mantissa)
    COLUMN_VIEW(exponent)
    COLUMN_VIEW(flags)
    COLUMN_VIEW(source)
    COLUMN_VIEW(published)
    COLUMN_VIEW(note)
    COLUMN_VIEW(sequence)
    return gaps_check(ret, st);
}

alm_code alm_obs_block_read(const Almanac__Internal__ObservationBlock *block, alm_arena *arena,
                            alm_str **ret_variants, size_t *ret_variant_count, alm_obs **ret_rows,
                            size_t *ret_count, alm_status *st)
{
    alm_obs_columns columns;
    ALM_TRY(alm_obs_block_columns(block, arena, ret_variants, ret_variant_count, &columns, st));
    alm_obs *rows = alm_arena_alloc(arena, columns.count * sizeof *rows);
    if (rows == NULL) {
        return exhausted(st);
    }
    for (size_t i = 0; i < columns.count; i++) {
        rows[i] = alm_obs_at(&columns, i);
    }
    *ret_rows = rows;
    *ret_count = columns.count;
    return ALM_OK;
}
