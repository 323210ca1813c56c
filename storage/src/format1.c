#include "format1.h"

#include <endian.h>

#define RECORD_VERSION 1
#define BLOCK_VERSION  1
#define FRAME_ROWS     128
#define DICTIONARY_MAX 16

enum { TAG_ZERO = 0, TAG_CONSTANT = 1, TAG_FRAMES = 2, TAG_SLOPED = 3, TAG_DICTIONARY = 4 };

static alm_code no_memory(alm_status *st)
{
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for rows of format 1");
}

static alm_code malformed(alm_status *st, const char *what)
{
    return alm_status_set(st, ALM_DATA_LOSS, "a record of format 1 is damaged: %s", what);
}

// --- log -----------------------------------------------------------------------------------------

static alm_code get_variants(alm_reader *r, alm_arena *arena, alm_log_record *record,
                             alm_status *st)
{
    uint64_t count = alm_read_varint(r);
    if (r->failed || count > alm_reader_left(r)) {
        return malformed(st, "the number of variants");
    }
    uint32_t *variants = alm_arena_alloc(arena, count * sizeof *variants);
    if (variants == NULL) {
        return no_memory(st);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = alm_read_varint(r);
        if (id > UINT32_MAX) {
            return malformed(st, "a variant");
        }
        variants[i] = (uint32_t)id;
    }
    record->variants = variants;
    record->variant_count = count;
    return ALM_OK;
}

alm_code format1_head_decode(alm_str bytes, alm_head *ret, alm_status *st)
{
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    *ret = (alm_head){0};
    bool is_known = alm_read_u8(&r) == RECORD_VERSION;
    uint64_t *fields[] = {
        &ret->sequence, &ret->catalog_sequence, &ret->precedence_epoch, &ret->observations,
        &ret->cells,    &ret->indicators,       &ret->places,           &ret->sources,
        &ret->variants, &ret->quarantined};
    for (size_t i = 0; i < ALM_ARRAY_LEN(fields); i++) {
        *fields[i] = alm_read_varint(&r);
    }
    return is_known && !r.failed && alm_reader_left(&r) == 0 ? ALM_OK
                                                             : malformed(st, "the store's head");
}

alm_code format1_log_decode(alm_str bytes, alm_arena *arena, alm_log_record *ret, alm_status *st)
{
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    *ret = (alm_log_record){.has_rows = true};
    bool is_known = alm_read_u8(&r) == RECORD_VERSION;
    ret->at_us = alm_read_svarint(&r);
    ret->batch_id = alm_read_bytes(&r, alm_read_varint(&r));
    ret->added = alm_read_varint(&r);
    ret->revised = alm_read_varint(&r);
    uint8_t changed = alm_read_u8(&r);
    ret->catalog_changed = changed == 1;
    if (!is_known || r.failed || changed > 1) {
        return malformed(st, "a commit of the log");
    }
    ALM_TRY(get_variants(&r, arena, ret, st));
    ret->blocks = alm_read_bytes(&r, alm_reader_left(&r));
    return r.failed ? malformed(st, "a commit of the log") : ALM_OK;
}

// --- columns -------------------------------------------------------------------------------------

// The value of `width` bits at a bit offset; bytes past the end count as zero.
static uint64_t load_bits(alm_str bits, size_t bit_at, unsigned width)
{
    size_t at = bit_at / 8;
    unsigned shift = bit_at % 8;
    uint64_t word = 0;
    if (width == 0) {
        return 0;
    }
    memcpy(&word, bits.data + at, ALM_MIN(bits.len - at, sizeof word));
    uint64_t v = le64toh(word) >> shift;
    if (shift + width > 64) {
        v |= (uint64_t)(uint8_t)bits.data[at + 8] << (64 - shift);
    }
    return width == 64 ? v : v & ((UINT64_C(1) << width) - 1);
}

static uint64_t little_endian(alm_str bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        v |= (uint64_t)(uint8_t)bytes.data[i] << (8 * i);
    }
    return v;
}

static bool get_frames(alm_reader *r, size_t count, int64_t *ret)
{
    size_t frames = (count + FRAME_ROWS - 1) / FRAME_ROWS;
    uint64_t lowest = (uint64_t)alm_read_svarint(r);
    uint8_t base_bytes = alm_read_u8(r);
    if (base_bytes > 8) {
        return false;
    }
    alm_str widths = alm_read_bytes(r, frames);
    alm_reader bases = *r;
    (void)alm_read_bytes(r, frames * base_bytes);
    for (size_t f = 0; f < frames && !r->failed; f++) {
        unsigned width = (uint8_t)widths.data[f];
        size_t from = f * FRAME_ROWS;
        size_t rows = ALM_MIN(count - from, (size_t)FRAME_ROWS);
        uint64_t base = lowest + little_endian(alm_read_bytes(&bases, base_bytes));
        if (width > 64) {
            return false;
        }
        alm_str bits = alm_read_bytes(r, (rows * width + 7) / 8);
        for (size_t i = 0; i < rows && !r->failed; i++) {
            ret[from + i] = (int64_t)(base + load_bits(bits, i * width, width));
        }
    }
    return !r->failed;
}

static bool get_dictionary(alm_reader *r, size_t count, int64_t *ret)
{
    int64_t words[DICTIONARY_MAX];
    size_t word_count = alm_read_u8(r);
    if (word_count < 2 || word_count > DICTIONARY_MAX) {
        return false;
    }
    for (size_t i = 0; i < word_count; i++) {
        words[i] = alm_read_svarint(r);
    }
    if (alm_read_u8(r) != TAG_FRAMES || !get_frames(r, count, ret)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (ret[i] < 0 || ret[i] >= (int64_t)word_count) {
            return false;
        }
        ret[i] = words[ret[i]];
    }
    return true;
}

// False: malformed.
static bool get_column(alm_reader *r, size_t count, int64_t *ret)
{
    uint8_t tag = alm_read_u8(r);
    if (tag == TAG_ZERO || tag == TAG_CONSTANT) {
        int64_t value = tag == TAG_CONSTANT ? alm_read_svarint(r) : 0;
        for (size_t i = 0; i < count; i++) {
            ret[i] = value;
        }
        return !r->failed;
    }
    if (tag == TAG_DICTIONARY) {
        return get_dictionary(r, count, ret);
    }
    if ((tag != TAG_FRAMES && tag != TAG_SLOPED) || !get_frames(r, count, ret)) {
        return false;
    }
    for (size_t i = 0; tag == TAG_SLOPED && i < count; i++) {
        ret[i] = (int64_t)((uint64_t)ret[i] + i);
    }
    return true;
}

// --- rows ----------------------------------------------------------------------------------------

enum {
    COLUMN_VARIANT,
    COLUMN_PLACE,
    COLUMN_PERIOD,
    COLUMN_MANTISSA,
    COLUMN_EXPONENT,
    COLUMN_UNIT,
    COLUMN_FLAGS,
    COLUMN_SOURCE,
    COLUMN_PUBLISHED,
    COLUMN_SEQUENCE,
    COLUMN_NOTE,
    COLUMN_COUNT
};

typedef struct note_list {
    alm_str *notes;
    size_t count;
} note_list;

static bool set_unit(int64_t v, alm_unit *ret)
{
    *ret = (alm_unit){.measure = (uint8_t)v, .mult = (int8_t)(uint8_t)(v >> 8)};
    return v >= 0 && v <= UINT16_MAX && (v == 0 || alm_unit_valid(*ret));
}

static bool set_flags(int64_t v, alm_value *ret)
{
    ret->qualifier = (alm_qualifier)(v & 0xf);
    ret->status = (alm_obs_status)(v >> 4 & 0xf);
    ret->has_number = v >> 8 != 0;
    return v >= 0 && v <= 0x1ff && (v & 0xf) < ALM_QUALIFIER_COUNT &&
           (v >> 4 & 0xf) < ALM_OBS_STATUS_COUNT;
}

// Sets one field. False: a value that no row can have.
static bool set_field(alm_obs *row, int column, int64_t v, const note_list *list)
{
    bool is_u32 = v >= 0 && v <= UINT32_MAX;
    switch (column) {
    case COLUMN_VARIANT:
        row->variant = (uint32_t)v;
        return is_u32;
    case COLUMN_PLACE:
        row->place = (alm_place_id)v;
        return is_u32;
    case COLUMN_PERIOD:
        return v >= 0 && alm_period_unpack((uint64_t)v, &row->period);
    case COLUMN_MANTISSA:
        row->value.number.mantissa = v;
        return v >= -ALM_DECIMAL_MANTISSA_MAX && v <= ALM_DECIMAL_MANTISSA_MAX;
    case COLUMN_EXPONENT:
        row->value.number.exponent = (int8_t)v;
        return v >= ALM_DECIMAL_EXPONENT_MIN && v <= ALM_DECIMAL_EXPONENT_MAX;
    case COLUMN_UNIT:
        return set_unit(v, &row->value.unit);
    case COLUMN_FLAGS:
        return set_flags(v, &row->value);
    case COLUMN_SOURCE:
        row->source = (uint32_t)v - 1;
        return is_u32;
    case COLUMN_PUBLISHED:
        row->published = (alm_date)v;
        return v > ALM_DATE_NONE && v < ALM_DATE_MAX;
    case COLUMN_SEQUENCE:
        row->sequence = (uint64_t)v;
        return v >= 0;
    default:
        ALM_ASSERT(column == COLUMN_NOTE);
        bool is_known = v >= 0 && (uint64_t)v <= list->count;
        row->note = is_known && v > 0 ? list->notes[v - 1] : (alm_str){0};
        return is_known;
    }
}

static alm_code get_notes(alm_reader *r, size_t row_count, alm_arena *arena, note_list *ret,
                          alm_status *st)
{
    uint64_t count = alm_read_varint(r);
    if (r->failed || count > row_count) {
        return malformed(st, "the number of notes");
    }
    ret->count = count;
    ret->notes = alm_arena_calloc(arena, count, sizeof *ret->notes);
    if (ret->notes == NULL) {
        return no_memory(st);
    }
    for (uint64_t i = 0; i < count; i++) {
        ret->notes[i] = alm_read_bytes(r, alm_read_varint(r));
        if (r->failed || ret->notes[i].len == 0) {
            return malformed(st, "a note");
        }
    }
    return ALM_OK;
}

static alm_code get_columns(alm_reader *r, const note_list *list, int64_t *column, alm_obs *rows,
                            size_t count, alm_status *st)
{
    for (int c = 0; c < COLUMN_COUNT; c++) {
        if (!get_column(r, count, column)) {
            return malformed(st, "a column");
        }
        for (size_t i = 0; i < count; i++) {
            if (!set_field(&rows[i], c, column[i], list)) {
                return malformed(st, "a row");
            }
        }
    }
    return alm_reader_left(r) == 0 ? ALM_OK : malformed(st, "bytes after its end");
}

alm_code format1_rows(alm_str bytes, size_t count_max, alm_arena *arena, alm_obs **ret,
                      size_t *ret_count, alm_status *st)
{
    note_list list = {0};
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    if (alm_read_u8(&r) != BLOCK_VERSION) {
        return malformed(st, "its version");
    }
    uint64_t count = alm_read_varint(&r);
    if (r.failed || count > count_max) {
        return malformed(st, "the number of rows");
    }
    ALM_TRY(get_notes(&r, count, arena, &list, st));
    alm_obs *rows = alm_arena_calloc(arena, count, sizeof *rows);
    int64_t *column = alm_arena_alloc(arena, count * sizeof *column);
    if (rows == NULL || column == NULL) {
        return no_memory(st);
    }
    *ret = rows;
    *ret_count = count;
    return get_columns(&r, &list, column, rows, count, st);
}
