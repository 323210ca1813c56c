#include "alm/wire.h"

#include <string.h>

// Layout of the flags column: qualifier, status, has_number.
enum { STATUS_SHIFT = 4, HAS_NUMBER_SHIFT = 8, FLAG_BITS = 9 };

_Static_assert(ALM_QUALIFIER_COUNT <= 16 && ALM_OBS_STATUS_COUNT <= 16,
               "flags have four bits each");

static uint32_t flags_of(const alm_value *value)
{
    return (uint32_t)value->qualifier | (uint32_t)value->status << STATUS_SHIFT |
           (uint32_t)value->has_number << HAS_NUMBER_SHIFT;
}

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
    X(flags, uint32_t, flags_of(&r->value), flags_of(&r->value))                                   \
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

// --- columns to rows
// --------------------------------------------------------------------------------

// Element i of a column that may be left out (zeros) or sent once (constant).
#define AT(column, i) (block->n_##column == 0 ? 0 : block->column[block->n_##column == 1 ? 0 : (i)])

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

// Does the column have an element of its own for each row?
#define VARIES(column) (block->n_##column > 1)

static alm_code bad_row(alm_status *st, size_t i, const char *column, long long value)
{
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, column,
                                "observation block: row %zu: %s %lld stands for nothing", i, column,
                                value);
}

// *ret: what the first row has, of all but that one.
static alm_code value_in(const Almanac__Internal__ObservationBlock *block, size_t i, alm_value *ret,
                         alm_status *st)
{
    bool has_unit = i > 0 && !VARIES(unit);
    int64_t mantissa = AT(mantissa, i);
    int32_t exponent = AT(exponent, i);
    uint32_t unit = AT(unit, i);
    uint32_t flags = AT(flags, i);
    if (mantissa > ALM_DECIMAL_MANTISSA_MAX || mantissa < -ALM_DECIMAL_MANTISSA_MAX) {
        return bad_row(st, i, "mantissa", mantissa);
    }
    if (exponent < ALM_DECIMAL_EXPONENT_MIN || exponent > ALM_DECIMAL_EXPONENT_MAX) {
        return bad_row(st, i, "exponent", exponent);
    }
    *ret = (alm_value){
        .number = {.mantissa = mantissa, .exponent = (int8_t)exponent},
        .unit = has_unit ? ret->unit : alm_unit_unpack(unit),
        .qualifier = (alm_qualifier)(flags & 0xf),
        .status = (alm_obs_status)(flags >> STATUS_SHIFT & 0xf),
        .has_number = (flags >> HAS_NUMBER_SHIFT & 1) != 0,
    };
    if (!has_unit && !alm_unit_valid(ret->unit)) {
        return bad_row(st, i, "unit", unit);
    }
    if (flags >> FLAG_BITS != 0 || ret->qualifier >= ALM_QUALIFIER_COUNT ||
        ret->status >= ALM_OBS_STATUS_COUNT) {
        return bad_row(st, i, "flags", flags);
    }
    if (!ret->has_number && (mantissa != 0 || exponent != 0)) {
        return bad_row(st, i, "mantissa", mantissa);
    }
    return ALM_OK;
}

static alm_code row_in(const Almanac__Internal__ObservationBlock *block, size_t i,
                       const alm_str *notes, alm_obs *ret, alm_status *st)
{
    uint32_t note = AT(note, i);
    *ret = (alm_obs){
        .variant = AT(variant, i),
        .place = AT(place, i),
        .source = AT(source, i),
        .published = AT(published, i),
        .sequence = AT(sequence, i),
    };
    if (ret->variant >= block->n_variants) {
        return bad_row(st, i, "variant", ret->variant);
    }
    if (!alm_period_unpack(AT(period, i), &ret->period)) {
        return bad_row(st, i, "period", (long long)AT(period, i));
    }
    if (ret->published == ALM_DATE_NONE || ret->published == ALM_DATE_MAX) {
        return bad_row(st, i, "published", ret->published);
    }
    if (note != 0 && note >= block->n_notes) {
        return bad_row(st, i, "note", note);
    }
    ret->note = note == 0 ? (alm_str){0} : notes[note];
    return value_in(block, i, &ret->value, st);
}

// A further row: *ret is the first one, and what all rows share was looked at there.
static alm_code further_row_in(const Almanac__Internal__ObservationBlock *block, size_t i,
                               const alm_str *notes, alm_obs *ret, alm_status *st)
{
    if (VARIES(variant)) {
        ret->variant = block->variant[i];
        if (ret->variant >= block->n_variants) {
            return bad_row(st, i, "variant", ret->variant);
        }
    }
    ret->place = VARIES(place) ? block->place[i] : ret->place;
    ret->source = VARIES(source) ? block->source[i] : ret->source;
    ret->sequence = VARIES(sequence) ? block->sequence[i] : ret->sequence;
    if (VARIES(period) && !alm_period_unpack(block->period[i], &ret->period)) {
        return bad_row(st, i, "period", (long long)block->period[i]);
    }
    if (VARIES(published)) {
        ret->published = block->published[i];
        if (ret->published == ALM_DATE_NONE || ret->published == ALM_DATE_MAX) {
            return bad_row(st, i, "published", ret->published);
        }
    }
    if (VARIES(note)) {
        uint32_t note = block->note[i];
        if (note != 0 && note >= block->n_notes) {
            return bad_row(st, i, "note", note);
        }
        ret->note = note == 0 ? (alm_str){0} : notes[note];
    }
    if (VARIES(exponent) || VARIES(unit) || VARIES(flags)) {
        return value_in(block, i, &ret->value, st);
    }
    if (VARIES(mantissa)) {
        int64_t mantissa = block->mantissa[i];
        if (mantissa > ALM_DECIMAL_MANTISSA_MAX || mantissa < -ALM_DECIMAL_MANTISSA_MAX ||
            (!ret->value.has_number && mantissa != 0)) {
            return bad_row(st, i, "mantissa", mantissa);
        }
        ret->value.number.mantissa = mantissa;
    }
    return ALM_OK;
}

static alm_code rows_in(const Almanac__Internal__ObservationBlock *block, const alm_str *notes,
                        alm_obs *rows, alm_status *st)
{
    if (block->rows == 0) {
        return ALM_OK;
    }
    ALM_TRY(row_in(block, 0, notes, &rows[0], st));
    for (size_t i = 1; i < block->rows; i++) {
        rows[i] = rows[0];
        ALM_TRY(further_row_in(block, i, notes, &rows[i], st));
    }
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

static alm_code notes_in(const Almanac__Internal__ObservationBlock *block, alm_str *notes,
                         alm_status *st)
{
    for (size_t i = 0; i < block->n_notes; i++) {
        notes[i] = alm_str_from(block->notes[i]);
        if (notes[i].len > ALM_TEXT_BYTES_MAX || alm_utf8_valid_len(notes[i]) != notes[i].len) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, "note",
                                        "observation block: note %zu is not UTF-8 of at most %d "
                                        "bytes",
                                        i, ALM_TEXT_BYTES_MAX);
        }
    }
    return ALM_OK;
}

alm_code alm_obs_block_read(const Almanac__Internal__ObservationBlock *block, alm_arena *arena,
                            alm_str **ret_variants, size_t *ret_variant_count, alm_obs **ret_rows,
                            size_t *ret_count, alm_status *st)
{
    ALM_TRY(lengths_check(block, st));
    alm_str *variants = alm_arena_calloc(arena, block->n_variants, sizeof *variants);
    alm_str *notes = alm_arena_calloc(arena, block->n_notes, sizeof *notes);
    alm_obs *rows = alm_arena_alloc(arena, block->rows * sizeof *rows);
    if (variants == NULL || notes == NULL || rows == NULL) {
        return exhausted(st);
    }
    ALM_TRY(variants_in(block, variants, st));
    ALM_TRY(notes_in(block, notes, st));
    ALM_TRY(rows_in(block, notes, rows, st));
    *ret_variants = variants;
    *ret_variant_count = block->n_variants;
    *ret_rows = rows;
    *ret_count = block->rows;
    return ALM_OK;
}
