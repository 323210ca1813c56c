#include "block.h"

#include <xxhash.h>

#define BLOCK_VERSION 1

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a block of rows");
}

// --- notes ---------------------------------------------------------------------------------------

// Distinct notes by open addressing; slot 0 of the answer means no note.
typedef struct note_table {
    alm_str *notes; // note of index i + 1
    size_t count, cap;
    uint32_t *slots; // index + 1 into notes; 0: free
    size_t slot_count;
} note_table;

static bool note_table_init(note_table *table, size_t noted_rows, alm_arena *scratch)
{
    *table = (note_table){.slot_count = 16};
    while (table->slot_count < 2 * noted_rows) {
        table->slot_count *= 2;
    }
    if (noted_rows == 0) {
        return true;
    }
    table->slots = alm_arena_calloc(scratch, table->slot_count, sizeof *table->slots);
    return table->slots != NULL;
}

static bool note_table_add(note_table *table, alm_str note, alm_arena *scratch, int64_t *ret)
{
    *ret = 0;
    if (note.len == 0) {
        return true;
    }
    size_t slot = XXH3_64bits(note.data, note.len) & (table->slot_count - 1);
    while (table->slots[slot] != 0) {
        if (alm_str_eq(table->notes[table->slots[slot] - 1], note)) {
            *ret = table->slots[slot];
            return true;
        }
        slot = (slot + 1) & (table->slot_count - 1);
    }
    if (!alm_arena_grow(scratch, (void **)&table->notes, &table->cap, table->count + 1,
                        sizeof *table->notes)) {
        return false;
    }
    table->notes[table->count++] = note;
    table->slots[slot] = (uint32_t)table->count;
    *ret = (int64_t)table->count;
    return true;
}

static alm_code note_column(const alm_obs *rows, size_t count, note_table *table, int64_t *ret,
                            alm_arena *scratch, alm_status *st)
{
    size_t noted = 0;
    for (size_t i = 0; i < count; i++) {
        noted += rows[i].note.len > 0;
    }
    if (!note_table_init(table, noted, scratch)) {
        return no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        if (!note_table_add(table, rows[i].note, scratch, &ret[i])) {
            return no_memory(st);
        }
    }
    return ALM_OK;
}

// --- encoding ------------------------------------------------------------------------------------

static int64_t field_of(const alm_obs *row, int column)
{
    const alm_value *v = &row->value;
    switch (column) {
    case ALM_BLOCK_VARIANT:
        return row->variant;
    case ALM_BLOCK_PLACE:
        return row->place;
    case ALM_BLOCK_PERIOD:
        return (int64_t)alm_period_pack(row->period);
    case ALM_BLOCK_MANTISSA:
        return v->number.mantissa;
    case ALM_BLOCK_EXPONENT:
        return v->number.exponent;
    case ALM_BLOCK_UNIT:
        return v->unit.measure | (uint8_t)v->unit.mult << 8;
    case ALM_BLOCK_FLAGS:
        return (int64_t)v->qualifier | (int64_t)v->status << 4 | (v->has_number ? 1 << 8 : 0);
    case ALM_BLOCK_SOURCE:
        return (uint32_t)(row->source + 1);
    case ALM_BLOCK_PUBLISHED:
        return row->published;
    default:
        ALM_ASSERT(column == ALM_BLOCK_SEQUENCE);
        return (int64_t)row->sequence;
    }
}

alm_code alm_block_encode(const alm_obs *rows, size_t count, alm_arena *scratch, alm_buf *out,
                          alm_status *st)
{
    int64_t *column = alm_arena_alloc(scratch, count * sizeof *column);
    int64_t *notes = alm_arena_alloc(scratch, count * sizeof *notes);
    if (column == NULL || notes == NULL) {
        return no_memory(st);
    }
    note_table table;
    ALM_TRY(note_column(rows, count, &table, notes, scratch, st));

    alm_buf_u8(out, BLOCK_VERSION);
    alm_buf_varint(out, count);
    alm_buf_varint(out, table.count);
    for (size_t i = 0; i < table.count; i++) {
        alm_buf_varint(out, table.notes[i].len);
        alm_buf_str(out, table.notes[i]);
    }
    for (int c = 0; c < ALM_BLOCK_NOTE; c++) {
        for (size_t i = 0; i < count; i++) {
            column[i] = field_of(&rows[i], c);
        }
        alm_column_encode(column, count, out);
    }
    alm_column_encode(notes, count, out);
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
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        if (!alm_column_open(&r, ret->count, &ret->columns[c])) {
            return malformed(st, "a column");
        }
    }
    return alm_reader_left(&r) == 0 ? ALM_OK : malformed(st, "bytes after its end");
}

static bool fits_u32(int64_t v)
{
    return v >= 0 && v <= UINT32_MAX;
}

static bool value_from(const int64_t *fields, alm_value *ret)
{
    int64_t mantissa = fields[ALM_BLOCK_MANTISSA];
    int64_t exponent = fields[ALM_BLOCK_EXPONENT];
    int64_t unit = fields[ALM_BLOCK_UNIT];
    int64_t flags = fields[ALM_BLOCK_FLAGS];
    if (mantissa > ALM_DECIMAL_MANTISSA_MAX || mantissa < -ALM_DECIMAL_MANTISSA_MAX ||
        exponent < ALM_DECIMAL_EXPONENT_MIN || exponent > ALM_DECIMAL_EXPONENT_MAX || unit < 0 ||
        unit > UINT16_MAX || flags < 0 || flags > 0x1ff) {
        return false;
    }
    *ret = (alm_value){
        .number = {.mantissa = mantissa, .exponent = (int8_t)exponent},
        .unit = {.measure = (uint8_t)unit, .mult = (int8_t)(uint8_t)(unit >> 8)},
        .qualifier = (alm_qualifier)(flags & 0xf),
        .status = (alm_obs_status)(flags >> 4 & 0xf),
        .has_number = flags >> 8 != 0,
    };
    return ret->qualifier < ALM_QUALIFIER_COUNT && ret->status < ALM_OBS_STATUS_COUNT &&
           (unit == 0 || alm_unit_valid(ret->unit));
}

static bool row_from(const alm_block *block, const int64_t *fields, alm_obs *ret)
{
    int64_t note = fields[ALM_BLOCK_NOTE];
    int64_t published = fields[ALM_BLOCK_PUBLISHED];
    if (!fits_u32(fields[ALM_BLOCK_VARIANT]) || !fits_u32(fields[ALM_BLOCK_PLACE]) ||
        !fits_u32(fields[ALM_BLOCK_SOURCE]) || published <= ALM_DATE_NONE ||
        published >= ALM_DATE_MAX || fields[ALM_BLOCK_SEQUENCE] < 0 || note < 0 ||
        (uint64_t)note > block->note_count || fields[ALM_BLOCK_PERIOD] < 0) {
        return false;
    }
    *ret = (alm_obs){
        .variant = (uint32_t)fields[ALM_BLOCK_VARIANT],
        .place = (alm_place_id)fields[ALM_BLOCK_PLACE],
        .source = (uint32_t)fields[ALM_BLOCK_SOURCE] - 1,
        .published = (alm_date)published,
        .sequence = (uint64_t)fields[ALM_BLOCK_SEQUENCE],
    };
    if (note > 0) {
        ret->note = block->notes[note - 1];
    }
    return alm_period_unpack((uint64_t)fields[ALM_BLOCK_PERIOD], &ret->period) &&
           value_from(fields, &ret->value);
}

static alm_code get_row(alm_block *block, size_t row, alm_obs *ret, alm_status *st)
{
    int64_t fields[ALM_BLOCK_COLUMN_COUNT];
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        fields[c] = alm_column_get(&block->columns[c], row);
    }
    return row_from(block, fields, ret) ? ALM_OK : malformed(st, "a row");
}

static alm_code get_frame(alm_block *block, size_t frame, alm_obs *ret, alm_status *st)
{
    int64_t values[ALM_BLOCK_COLUMN_COUNT][ALM_COLUMN_FRAME];
    size_t rows = ALM_MIN(block->count - frame * ALM_COLUMN_FRAME, (size_t)ALM_COLUMN_FRAME);
    for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
        alm_column_get_frame(&block->columns[c], frame, values[c]);
    }
    for (size_t i = 0; i < rows; i++) {
        int64_t fields[ALM_BLOCK_COLUMN_COUNT];
        for (int c = 0; c < ALM_BLOCK_COLUMN_COUNT; c++) {
            fields[c] = values[c][i];
        }
        if (!row_from(block, fields, &ret[i])) {
            return malformed(st, "a row");
        }
    }
    return ALM_OK;
}

alm_code alm_block_get(alm_block *block, size_t from, size_t to, alm_obs *ret, alm_status *st)
{
    ALM_ASSERT(from <= to && to <= block->count);
    size_t row = from;
    while (row < to) {
        size_t frame_end = ALM_MIN(block->count, (row / ALM_COLUMN_FRAME + 1) * ALM_COLUMN_FRAME);
        if (row % ALM_COLUMN_FRAME == 0 && frame_end <= to) {
            ALM_TRY(get_frame(block, row / ALM_COLUMN_FRAME, ret + (row - from), st));
            row = frame_end;
        } else {
            ALM_TRY(get_row(block, row, ret + (row - from), st));
            row++;
        }
    }
    return ALM_OK;
}

size_t alm_block_find_place(alm_block *block, size_t from, alm_place_id place)
{
    size_t low = from;
    size_t high = block->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (alm_column_get(&block->columns[ALM_BLOCK_PLACE], middle) < (int64_t)place) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

alm_place_id alm_block_place(alm_block *block, size_t row)
{
    return (alm_place_id)alm_column_get(&block->columns[ALM_BLOCK_PLACE], row);
}

alm_obs_status alm_block_status(alm_block *block, size_t row)
{
    return (alm_obs_status)(alm_column_get(&block->columns[ALM_BLOCK_FLAGS], row) >> 4 & 0xf);
}
