#include "block.h"

#include "notes.h"

#define BLOCK_VERSION 2

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a block of rows");
}

static alm_code note_column(const alm_obs *rows, size_t count, alm_notes *notes, int64_t *ret,
                            alm_arena *scratch, alm_status *st)
{
    *notes = (alm_notes){0};
    for (size_t i = 0; i < count; i++) {
        if (!alm_notes_add(notes, rows[i].note, scratch, &ret[i])) {
            return no_memory(st);
        }
    }
    return ALM_OK;
}

// --- columns of rows -----------------------------------------------------------------------------

int64_t alm_block_flags(const alm_value *value)
{
    return (int64_t)value->qualifier | (int64_t)value->status << 4 |
           (value->has_number ? 1 << 8 : 0);
}

#define FILL(expr)                                                                                 \
    for (size_t i = 0; i < count; i++) {                                                           \
        const alm_obs *row = &rows[i];                                                             \
        ret[i] = (int64_t)(expr);                                                                  \
    }                                                                                              \
    break

static void period_column(const alm_obs *rows, size_t count, int64_t *ret)
{
    for (size_t i = 0; i < count; i++) { // neighbours mostly share theirs
        bool is_same = i > 0 && alm_period_eq(rows[i].period, rows[i - 1].period);
        ret[i] = is_same ? ret[i - 1] : (int64_t)alm_period_pack(rows[i].period);
    }
}

static void get_column(const alm_obs *rows, size_t count, int column, int64_t *ret)
{
    switch (column) {
    case ALM_BLOCK_VARIANT:
        FILL(row->variant);
    case ALM_BLOCK_PLACE:
        FILL(row->place);
    case ALM_BLOCK_PERIOD:
        period_column(rows, count, ret);
        break;
    case ALM_BLOCK_MANTISSA:
        FILL(row->value.number.mantissa);
    case ALM_BLOCK_EXPONENT:
        FILL(row->value.number.exponent);
    case ALM_BLOCK_UNIT:
        FILL(row->value.unit.measure | (uint8_t)row->value.unit.mult << 8);
    case ALM_BLOCK_FLAGS:
        FILL(alm_block_flags(&row->value));
    case ALM_BLOCK_SOURCE:
        FILL((uint32_t)(row->source + 1));
    case ALM_BLOCK_PUBLISHED:
        FILL(row->published);
    default:
        ALM_ASSERT(column == ALM_BLOCK_SEQUENCE);
        FILL(row->sequence);
    }
}

// --- scale ---------------------------------------------------------------------------------------

static const int64_t power_of_ten[] = {1,
                                       10,
                                       100,
                                       1000,
                                       10000,
                                       100000,
                                       1000000,
                                       10000000,
                                       100000000,
                                       1000000000,
                                       10000000000,
                                       100000000000,
                                       1000000000000,
                                       10000000000000,
                                       100000000000000,
                                       1000000000000000,
                                       10000000000000000,
                                       100000000000000000};

// Would the number have 18 digits at most?
static bool fits_scale(alm_decimal number, int scale)
{
    size_t shift = (size_t)(number.exponent - scale);
    int64_t mantissa = number.mantissa < 0 ? -number.mantissa : number.mantissa;
    return shift < ALM_ARRAY_LEN(power_of_ten) &&
           mantissa <= ALM_DECIMAL_MANTISSA_MAX / power_of_ten[shift];
}

// The lowest exponent of the rows' numbers. False: they do not all fit at it.
static bool scale_of(const alm_obs *rows, size_t count, int *ret)
{
    int scale = ALM_DECIMAL_EXPONENT_MAX + 1;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].value.has_number) {
            scale = ALM_MIN(scale, (int)rows[i].value.number.exponent);
        }
    }
    *ret = scale > ALM_DECIMAL_EXPONENT_MAX ? 0 : scale;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].value.has_number && !fits_scale(rows[i].value.number, *ret)) {
            return false;
        }
    }
    return true;
}

static void scale_column(const alm_obs *rows, size_t count, int scale, int64_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        alm_decimal number = rows[i].value.number;
        bool is_there = rows[i].value.has_number;
        ret[i] = is_there ? number.mantissa * power_of_ten[number.exponent - scale] : 0;
    }
}

bool alm_block_unscale(int scale, alm_obs *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        alm_decimal *number = &rows[i].value.number;
        size_t shift = (size_t)(number->exponent - scale);
        if (number->mantissa == 0 || shift == 0) {
            continue;
        }
        if (shift >= ALM_ARRAY_LEN(power_of_ten) || number->mantissa % power_of_ten[shift] != 0) {
            return false;
        }
        number->mantissa /= power_of_ten[shift];
    }
    return true;
}

// --- encoding ------------------------------------------------------------------------------------

static void encode_notes(const alm_notes *table, alm_buf *out)
{
    alm_buf_varint(out, table->count);
    for (size_t i = 0; i < table->count; i++) {
        alm_buf_varint(out, table->notes[i].len);
        alm_buf_str(out, table->notes[i]);
    }
}

alm_code alm_block_encode(const alm_obs *rows, size_t count, alm_arena *scratch, alm_buf *out,
                          alm_status *st)
{
    int scale;
    alm_notes table;
    int64_t *column = alm_arena_alloc(scratch, count * sizeof *column);
    int64_t *notes = alm_arena_alloc(scratch, count * sizeof *notes);
    int64_t *indices = alm_arena_alloc(scratch, count * sizeof *indices);
    if (column == NULL || notes == NULL || indices == NULL) {
        return no_memory(st);
    }
    ALM_TRY(note_column(rows, count, &table, notes, scratch, st));

    alm_buf_u8(out, BLOCK_VERSION);
    alm_buf_varint(out, count);
    encode_notes(&table, out);
    bool is_scaled = scale_of(rows, count, &scale);
    alm_buf_u8(out, is_scaled);
    alm_buf_svarint(out, is_scaled ? scale : 0);
    for (int c = 0; c < ALM_BLOCK_NOTE; c++) {
        if (c == ALM_BLOCK_MANTISSA && is_scaled) {
            scale_column(rows, count, scale, column);
        } else {
            get_column(rows, count, c, column);
        }
        alm_column_encode(column, count, indices, out);
    }
    alm_column_encode(notes, count, indices, out);
    return out->failed ? no_memory(st) : ALM_OK;
}

// --- reading -------------------------------------------------------------------------------------

static alm_code malformed(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "a block of rows is damaged: %s", what);
}

static alm_code open_notes(alm_reader *r, alm_arena *arena, alm_block *block, alm_status *st)
{
    uint64_t count = alm_read_varint(r);
    if (r->failed || count > block->count) {
        return malformed(st, "the number of notes");
    }
    if (count == 0) {
        return ALM_OK;
    }
    alm_str *notes = alm_arena_alloc(arena, count * sizeof *notes);
    if (notes == NULL) {
        return no_memory(st);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t len = alm_read_varint(r);
        notes[i] = alm_read_bytes(r, len);
        if (r->failed || len == 0) {
            return malformed(st, "a note");
        }
    }
    block->notes = notes;
    block->note_count = count;
    return ALM_OK;
}

static alm_code open_scale(alm_reader *r, alm_block *block, alm_status *st)
{
    uint8_t is_scaled = alm_read_u8(r);
    int64_t scale = alm_read_svarint(r);
    if (r->failed || is_scaled > 1 || scale < ALM_DECIMAL_EXPONENT_MIN ||
        scale > ALM_DECIMAL_EXPONENT_MAX) {
        return malformed(st, "its scale");
    }
    block->is_scaled = is_scaled != 0;
    block->scale = (int8_t)scale;
    return ALM_OK;
}

alm_code alm_block_open(alm_str bytes, size_t count_max, alm_arena *arena, alm_block *ret,
                        alm_status *st)
{
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    *ret = (alm_block){0};
    if (alm_read_u8(&r) != BLOCK_VERSION) {
        return malformed(st, "its version");
    }
    ret->count = alm_read_varint(&r);
    if (r.failed || ret->count > count_max) {
        return malformed(st, "the number of rows");
    }
    ALM_TRY(open_notes(&r, arena, ret, st));
    ALM_TRY(open_scale(&r, ret, st));
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        if (!alm_column_open(&r, ret->count, &ret->columns[c])) {
            return malformed(st, "a column");
        }
    }
    return alm_reader_left(&r) == 0 ? ALM_OK : malformed(st, "bytes after its end");
}

#define SET(valid, assign)                                                                         \
    for (size_t i = 0; i < count; i++) {                                                           \
        int64_t v = values[i];                                                                     \
        if (!(valid)) {                                                                            \
            return false;                                                                          \
        }                                                                                          \
        alm_obs *row = &rows[i];                                                                   \
        assign;                                                                                    \
    }                                                                                              \
    return true

static bool set_period(const int64_t *values, size_t count, alm_obs *rows)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && values[i] == values[i - 1]) {
            rows[i].period = rows[i - 1].period;
        } else if (values[i] < 0 || !alm_period_unpack((uint64_t)values[i], &rows[i].period)) {
            return false;
        }
    }
    return true;
}

static bool set_unit(const int64_t *values, size_t count, alm_obs *rows)
{
    for (size_t i = 0; i < count; i++) {
        int64_t v = values[i];
        alm_unit unit = {.measure = (uint8_t)v, .mult = (int8_t)(uint8_t)(v >> 8)};
        if (v < 0 || v > UINT16_MAX || (v != 0 && !alm_unit_valid(unit))) {
            return false;
        }
        rows[i].value.unit = unit;
    }
    return true;
}

bool alm_block_flags_set(int64_t flags, alm_value *value)
{
    if (flags < 0 || flags > 0x1ff || (flags & 0xf) >= ALM_QUALIFIER_COUNT ||
        (flags >> 4 & 0xf) >= ALM_OBS_STATUS_COUNT) {
        return false;
    }
    value->qualifier = (alm_qualifier)(flags & 0xf);
    value->status = (alm_obs_status)(flags >> 4 & 0xf);
    value->has_number = alm_block_flags_have_number(flags);
    return true;
}

static bool set_flags(const int64_t *values, size_t count, alm_obs *rows)
{
    for (size_t i = 0; i < count; i++) {
        if (!alm_block_flags_set(values[i], &rows[i].value)) {
            return false;
        }
    }
    return true;
}

bool alm_block_set(int column, const int64_t *values, size_t count, const alm_str *notes,
                   size_t note_count, alm_obs *rows)
{
    switch (column) {
    case ALM_BLOCK_VARIANT:
        SET(v >= 0 && v <= UINT32_MAX, row->variant = (uint32_t)v);
    case ALM_BLOCK_PLACE:
        SET(v >= 0 && v <= UINT32_MAX, row->place = (alm_place_id)v);
    case ALM_BLOCK_PERIOD:
        return set_period(values, count, rows);
    case ALM_BLOCK_MANTISSA:
        SET(v >= -ALM_DECIMAL_MANTISSA_MAX && v <= ALM_DECIMAL_MANTISSA_MAX,
            row->value.number.mantissa = v);
    case ALM_BLOCK_EXPONENT:
        SET(v >= ALM_DECIMAL_EXPONENT_MIN && v <= ALM_DECIMAL_EXPONENT_MAX,
            row->value.number.exponent = (int8_t)v);
    case ALM_BLOCK_UNIT:
        return set_unit(values, count, rows);
    case ALM_BLOCK_FLAGS:
        return set_flags(values, count, rows);
    case ALM_BLOCK_SOURCE:
        SET(v >= 0 && v <= UINT32_MAX, row->source = (uint32_t)v - 1);
    case ALM_BLOCK_PUBLISHED:
        SET(v > ALM_DATE_NONE && v < ALM_DATE_MAX, row->published = (alm_date)v);
    case ALM_BLOCK_SEQUENCE:
        SET(v >= 0, row->sequence = (uint64_t)v);
    default:
        ALM_ASSERT(column == ALM_BLOCK_NOTE);
        SET(v >= 0 && (uint64_t)v <= note_count, row->note = v > 0 ? notes[v - 1] : (alm_str){0});
    }
}

// A row of the columns that are the same in all rows.
static bool common_row(alm_block *block, alm_obs *ret)
{
    *ret = (alm_obs){0};
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        alm_column *column = &block->columns[c];
        if (alm_column_constant(column)) {
            int64_t value = alm_column_get(column, 0);
            if (!alm_block_set(c, &value, 1, block->notes, block->note_count, ret)) {
                return false;
            }
        }
    }
    return true;
}

#define STEP 256

// The other columns of a few rows; common is in them already.
static bool set_others(alm_block *block, size_t from, size_t count, alm_obs *rows)
{
    int64_t values[STEP];
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        alm_column *column = &block->columns[c];
        if (alm_column_constant(column)) {
            continue;
        }
        alm_column_range(column, from, from + count, values);
        if (!alm_block_set(c, values, count, block->notes, block->note_count, rows)) {
            return false;
        }
    }
    return !block->is_scaled || alm_block_unscale(block->scale, rows, count);
}

alm_code alm_block_get(alm_block *block, size_t from, size_t to, alm_obs *ret, alm_status *st)
{
    ALM_ASSERT(from <= to && to <= block->count);
    alm_obs common;
    if (from == to) {
        return ALM_OK; // a block without rows has no common one
    }
    if (!common_row(block, &common)) {
        return malformed(st, "a constant column");
    }
    for (size_t row = from; row < to;) {
        size_t end = ALM_MIN(to, (row / STEP + 1) * STEP);
        alm_obs *rows = ret + (row - from);
        for (size_t i = 0; i < end - row; i++) {
            rows[i] = common;
        }
        if (!set_others(block, row, end - row, rows)) {
            return malformed(st, "a row");
        }
        row = end;
    }
    return ALM_OK;
}

size_t alm_block_find_place(alm_block *block, size_t from, alm_place_id place)
{
    return ALM_MAX(from, alm_column_find(&block->columns[ALM_BLOCK_PLACE], place));
}

alm_place_id alm_block_place(alm_block *block, size_t row)
{
    return (alm_place_id)alm_column_get(&block->columns[ALM_BLOCK_PLACE], row);
}

alm_obs_status alm_block_status(alm_block *block, size_t row)
{
    return (alm_obs_status)(alm_column_get(&block->columns[ALM_BLOCK_FLAGS], row) >> 4 & 0xf);
}
