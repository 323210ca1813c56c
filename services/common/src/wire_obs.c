#include "alm/wire.h"

#include <string.h>

// Layout of the flags column: qualifier, status, has_number.
enum { STATUS_SHIFT = 4, HAS_NUMBER_SHIFT = 8, FLAG_BITS = 9 };

_Static_assert(ALM_QUALIFIER_COUNT <= 16 && ALM_OBS_STATUS_COUNT <= 16,
               "flags have four bits each");

// X(column, element type): every column of a block.
#define COLUMNS(X)                                                                                 \
    X(variant, uint32_t)                                                                           \
    X(place, uint32_t)                                                                             \
    X(period, uint64_t)                                                                            \
    X(mantissa, int64_t)                                                                           \
    X(exponent, int32_t)                                                                           \
    X(unit, uint32_t)                                                                              \
    X(flags, uint32_t)                                                                             \
    X(source, uint32_t)                                                                            \
    X(published, int32_t)                                                                          \
    X(note, uint32_t)                                                                              \
    X(sequence, uint64_t)                                                                          \
    X(row_number, uint32_t)

static alm_code exhausted(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "observation block: out of memory");
}

// --- rows to columns
// --------------------------------------------------------------------------------

static bool columns_create(Almanac__Internal__ObservationBlock *block, size_t count,
                           alm_arena *arena)
{
#define COLUMN_CREATE(column, type)                                                                \
    block->column = alm_arena_calloc(arena, count, sizeof(type));                                  \
    if (block->column == NULL) {                                                                   \
        return false;                                                                              \
    }
    COLUMNS(COLUMN_CREATE)
#undef COLUMN_CREATE
    return true;
}

// Keeps of each column what says all of it: nothing when all are zero, one element when all are
// alike.
static void columns_end(Almanac__Internal__ObservationBlock *block, size_t count)
{
#define COLUMN_END(column, type)                                                                   \
    {                                                                                              \
        size_t same = 0;                                                                           \
        while (same < count && block->column[same] == block->column[0]) {                          \
            same++;                                                                                \
        }                                                                                          \
        block->n_##column = same < count ? count : (count > 0 && block->column[0] != 0);           \
    }
    COLUMNS(COLUMN_END)
#undef COLUMN_END
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
        block->notes = strings_out(arena, table, used);
        block->n_notes = used;
        return block->notes == NULL ? exhausted(st) : ALM_OK;
    }
    return ALM_OK;
}

static void row_out(Almanac__Internal__ObservationBlock *block, size_t i, const alm_obs *row)
{
    block->variant[i] = row->variant;
    block->place[i] = row->place;
    block->period[i] = alm_period_pack(row->period);
    block->mantissa[i] = row->value.has_number ? row->value.number.mantissa : 0;
    block->exponent[i] = row->value.has_number ? row->value.number.exponent : 0;
    block->unit[i] = alm_unit_pack(row->value.unit);
    block->flags[i] = (uint32_t)row->value.qualifier | (uint32_t)row->value.status << STATUS_SHIFT |
                      (uint32_t)row->value.has_number << HAS_NUMBER_SHIFT;
    block->source[i] = row->source;
    block->published[i] = row->published;
    block->sequence[i] = row->sequence;
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
    if (!columns_create(block, count, arena)) {
        return exhausted(st);
    }
    for (size_t i = 0; i < count; i++) {
        ALM_ASSERT(rows[i].variant < variant_count);
        row_out(block, i, &rows[i]);
    }
    if (row_numbers != NULL && count > 0) {
        memcpy(block->row_number, row_numbers, count * sizeof *row_numbers);
    }
    ALM_TRY(notes_out(block, rows, count, arena, st));
    columns_end(block, count);
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
#define COLUMN_CHECK(column, type)                                                                 \
    if (block->n_##column > 1 && block->n_##column != block->rows) {                               \
        return alm_status_set_field(st, ALM_INVALID_ARGUMENT, #column,                             \
                                    "observation block: column " #column                           \
                                    " has %zu elements for %u rows",                               \
                                    block->n_##column, block->rows);                               \
    }
    COLUMNS(COLUMN_CHECK)
#undef COLUMN_CHECK
    return ALM_OK;
}

static alm_code bad_row(alm_status *st, size_t i, const char *column, long long value)
{
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, column,
                                "observation block: row %zu: %s %lld stands for nothing", i, column,
                                value);
}

static alm_code value_in(const Almanac__Internal__ObservationBlock *block, size_t i, alm_value *ret,
                         alm_status *st)
{
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
        .unit = alm_unit_unpack(unit),
        .qualifier = (alm_qualifier)(flags & 0xf),
        .status = (alm_obs_status)(flags >> STATUS_SHIFT & 0xf),
        .has_number = (flags >> HAS_NUMBER_SHIFT & 1) != 0,
    };
    if (!alm_unit_valid(ret->unit)) {
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
    alm_obs *rows = alm_arena_calloc(arena, block->rows, sizeof *rows);
    if (variants == NULL || notes == NULL || rows == NULL) {
        return exhausted(st);
    }
    ALM_TRY(variants_in(block, variants, st));
    ALM_TRY(notes_in(block, notes, st));
    for (size_t i = 0; i < block->rows; i++) {
        ALM_TRY(row_in(block, i, notes, &rows[i], st));
    }
    *ret_variants = variants;
    *ret_variant_count = block->n_variants;
    *ret_rows = rows;
    *ret_count = block->rows;
    return ALM_OK;
}
