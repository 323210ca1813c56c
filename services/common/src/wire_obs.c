#include "alm/wire.h"

#include <string.h>

#define FLAG_BITS 9

_Static_assert(ALM_QUALIFIER_COUNT <= 16 && ALM_OBS_STATUS_COUNT <= 16,
               "flags have four bits each");

// X(column): the columns that every row has.
#define ROW_COLUMNS(X)                                                                             \
    X(variant)                                                                                     \
    X(place)                                                                                       \
    X(period)                                                                                      \
    X(mantissa)                                                                                    \
    X(exponent)                                                                                    \
    X(unit)                                                                                        \
    X(flags)                                                                                       \
    X(source)                                                                                      \
    X(published)                                                                                   \
    X(sequence)
// And the others.
#define OTHER_COLUMNS(X)                                                                           \
    X(note)                                                                                        \
    X(row_number)

static alm_code exhausted(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "observation block: out of memory");
}

// --- columns out ---------------------------------------------------------------------------------

// How many elements say all of a column: none when all rows have zero, one when all are alike.
static size_t shortest(const void *column, size_t size, size_t count)
{
    static const uint64_t zero;
    const char *bytes = column;
    if (count > 1 && memcmp(bytes, bytes + size, (count - 1) * size) != 0) {
        return count;
    }
    return count > 0 && memcmp(bytes, &zero, size) != 0;
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

// Of the columns' elements, that each row has or all share.
#define ELEMENT_COUNT(columns, column) ((columns)->each_##column ? (columns)->count : 1)

// Neighbours mostly have the same.
static bool periods_out(Almanac__Internal__ObservationBlock *block, const alm_obs_columns *columns,
                        alm_arena *arena)
{
    size_t count = ELEMENT_COUNT(columns, period);
    const alm_period *periods = columns->period;
    block->period = alm_arena_alloc(arena, count * sizeof *block->period);
    for (size_t i = 0; block->period != NULL && i < count; i++) {
        bool is_known = i > 0 && alm_period_eq(periods[i], periods[i - 1]);
        block->period[i] = is_known ? block->period[i - 1] : alm_period_pack(periods[i]);
    }
    return block->period != NULL;
}

static bool units_out(Almanac__Internal__ObservationBlock *block, const alm_obs_columns *columns,
                      alm_arena *arena)
{
    size_t count = ELEMENT_COUNT(columns, unit);
    block->unit = alm_arena_alloc(arena, count * sizeof *block->unit);
    for (size_t i = 0; block->unit != NULL && i < count; i++) {
        block->unit[i] = alm_unit_pack(columns->unit[i]);
    }
    return block->unit != NULL;
}

// Columns that are as the message has them are viewed.
static bool columns_out(Almanac__Internal__ObservationBlock *block, const alm_obs_columns *columns,
                        alm_arena *arena)
{
    if (!periods_out(block, columns, arena) || !units_out(block, columns, arena)) {
        return false;
    }
#define COLUMN_OUT(column) block->column = (__typeof__(block->column))(uintptr_t)columns->column;
    COLUMN_OUT(variant)
    COLUMN_OUT(place)
    COLUMN_OUT(mantissa)
    COLUMN_OUT(exponent)
    COLUMN_OUT(flags)
    COLUMN_OUT(source)
    COLUMN_OUT(published)
    COLUMN_OUT(sequence)
#undef COLUMN_OUT
#define COLUMN_SHORTEN(column)                                                                     \
    block->n_##column =                                                                            \
        shortest(block->column, sizeof *block->column, ELEMENT_COUNT(columns, column));
    ROW_COLUMNS(COLUMN_SHORTEN)
#undef COLUMN_SHORTEN
    return true;
}

// Only the notes of these rows. They come in runs, so a look at the last one finds most.
static alm_code notes_out(Almanac__Internal__ObservationBlock *block,
                          const alm_obs_columns *columns, alm_arena *arena, alm_status *st)
{
    size_t cap = 0;
    size_t used = 1; // notes[0] is the empty one
    alm_str *table = NULL;
    uint32_t last = 0; // in the columns' table
    size_t count = ELEMENT_COUNT(columns, note);
    if (shortest(columns->note, sizeof *columns->note, count) == 0) {
        return ALM_OK;
    }
    block->note = alm_arena_calloc(arena, count, sizeof *block->note);
    if (block->note == NULL) {
        return exhausted(st);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t note = columns->note[i];
        if (note == 0) {
            continue;
        }
        if (note != last) {
            if (!alm_arena_grow(arena, (void **)&table, &cap, used + 1, sizeof *table)) {
                return exhausted(st);
            }
            table[0] = (alm_str){0};
            table[used++] = columns->notes[note];
            last = note;
        }
        block->note[i] = (uint32_t)used - 1;
    }
    block->n_note = shortest(block->note, sizeof *block->note, count);
    block->notes = strings_out(arena, table, used);
    block->n_notes = used;
    return block->notes == NULL ? exhausted(st) : ALM_OK;
}

static alm_code row_numbers_out(Almanac__Internal__ObservationBlock *block,
                                const uint32_t *row_numbers, size_t count, alm_arena *arena,
                                alm_status *st)
{
    if (row_numbers == NULL || count == 0) {
        return ALM_OK;
    }
    block->n_row_number = shortest(row_numbers, sizeof *row_numbers, count);
    block->row_number = alm_arena_alloc(arena, block->n_row_number * sizeof *row_numbers);
    if (block->row_number == NULL) {
        return exhausted(st);
    }
    if (block->n_row_number > 0) {
        memcpy(block->row_number, row_numbers, block->n_row_number * sizeof *row_numbers);
    }
    return ALM_OK;
}

alm_code alm_obs_block_write_columns(const alm_str *variants, size_t variant_count,
                                     const alm_obs_columns *columns, const uint32_t *row_numbers,
                                     alm_arena *arena, Almanac__Internal__ObservationBlock **ret,
                                     alm_status *st)
{
    Almanac__Internal__ObservationBlock *block = alm_arena_alloc(arena, sizeof *block);
    if (block == NULL) {
        return exhausted(st);
    }
    almanac__internal__observation_block__init(block);
    if (columns->count > 0) {
        for (size_t i = 0; i < ELEMENT_COUNT(columns, variant); i++) {
            ALM_ASSERT(columns->variant[i] < variant_count);
        }
        if (!columns_out(block, columns, arena)) {
            return exhausted(st);
        }
        ALM_TRY(notes_out(block, columns, arena, st));
        ALM_TRY(row_numbers_out(block, row_numbers, columns->count, arena, st));
    }
    block->rows = (uint32_t)columns->count;
    block->variants = strings_out(arena, variants, variant_count);
    block->n_variants = variant_count;
    if (block->variants == NULL) {
        return exhausted(st);
    }
    *ret = block;
    return ALM_OK;
}

alm_code alm_obs_block_write(const alm_str *variants, size_t variant_count, const alm_obs *rows,
                             size_t count, const uint32_t *row_numbers, alm_arena *arena,
                             Almanac__Internal__ObservationBlock **ret, alm_status *st)
{
    alm_obs_columns columns;
    if (!alm_obs_columns_of(rows, count, arena, &columns)) {
        return exhausted(st);
    }
    return alm_obs_block_write_columns(variants, variant_count, &columns, row_numbers, arena, ret,
                                       st);
}

// --- columns in ----------------------------------------------------------------------------------

static alm_code lengths_check(const Almanac__Internal__ObservationBlock *block, alm_status *st)
{
    if (block->rows > ALM_COMMIT_ROW_COUNT_MAX) {
        return alm_status_set_field(st, ALM_OUT_OF_RANGE, "rows",
                                    "observation block: %u rows, at most %d are taken", block->rows,
                                    ALM_COMMIT_ROW_COUNT_MAX);
    }
#define COLUMN_CHECK(column)                                                                       \
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
