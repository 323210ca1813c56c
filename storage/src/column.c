#include "column.h"

#include <endian.h>

enum { TAG_ZERO = 0, TAG_CONSTANT = 1, TAG_FRAMES = 2, TAG_SLOPED = 3, TAG_DICTIONARY = 4 };

static size_t frame_count(size_t rows)
{
    return (rows + ALM_COLUMN_FRAME - 1) / ALM_COLUMN_FRAME;
}

static size_t frame_rows(size_t count, size_t frame)
{
    return ALM_MIN(count - frame * ALM_COLUMN_FRAME, (size_t)ALM_COLUMN_FRAME);
}

static unsigned width_of(uint64_t v)
{
    return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

// Differences are taken modulo 2^64, so that any two int64 have one.
static uint64_t minus(int64_t a, int64_t b)
{
    return (uint64_t)a - (uint64_t)b;
}

static int64_t plus(int64_t a, uint64_t b)
{
    return (int64_t)((uint64_t)a + b);
}

static size_t packed_bytes(size_t rows, unsigned width)
{
    return (rows * width + 7) / 8;
}

// --- encoding ------------------------------------------------------------------------------------

typedef struct frame_plan {
    int64_t base;
    unsigned width;
} frame_plan;

static int64_t level(const int64_t *values, size_t row, bool is_sloped)
{
    return is_sloped ? plus(values[row], -(uint64_t)row) : values[row];
}

static frame_plan plan_frame(const int64_t *values, size_t count, size_t frame, bool is_sloped)
{
    size_t from = frame * ALM_COLUMN_FRAME;
    size_t to = from + frame_rows(count, frame);
    int64_t low = level(values, from, is_sloped);
    int64_t high = low;
    for (size_t i = from + 1; i < to; i++) {
        int64_t v = level(values, i, is_sloped);
        low = ALM_MIN(low, v);
        high = ALM_MAX(high, v);
    }
    return (frame_plan){.base = low, .width = width_of(minus(high, low))};
}

static size_t plan_bytes(const int64_t *values, size_t count, bool is_sloped)
{
    size_t bytes = 0;
    for (size_t f = 0; f < frame_count(count); f++) {
        bytes += packed_bytes(frame_rows(count, f), plan_frame(values, count, f, is_sloped).width);
    }
    return bytes;
}

static bool is_constant(const int64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (values[i] != values[0]) {
            return false;
        }
    }
    return true;
}

static bool is_ascending(const int64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (values[i] < values[i - 1]) {
            return false;
        }
    }
    return true;
}

static void put_little(uint8_t *at, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(v >> (8 * i));
    }
}

static void pack_frame(const int64_t *values, size_t from, size_t rows, frame_plan plan,
                       bool is_sloped, uint8_t *room)
{
    size_t bytes = packed_bytes(rows, plan.width);
    uint64_t pending = 0; // bits not yet written, lowest first
    unsigned fill = 0;
    size_t at = 0;
    for (size_t i = from; plan.width > 0 && i < from + rows; i++) {
        uint64_t v = minus(level(values, i, is_sloped), plan.base);
        pending |= v << fill;
        fill += plan.width;
        if (fill >= 64) {
            uint64_t word = htole64(pending);
            memcpy(room + at, &word, sizeof word);
            at += sizeof word;
            fill -= 64;
            pending = fill > 0 ? v >> (plan.width - fill) : 0;
        }
    }
    uint64_t word = htole64(pending);
    memcpy(room + at, &word, bytes - at);
}

static void encode_frames(const int64_t *values, size_t count, bool is_sloped, size_t bits_bytes,
                          alm_buf *out)
{
    size_t frames = frame_count(count);
    int64_t lowest = INT64_MAX;
    int64_t highest = INT64_MIN;
    for (size_t f = 0; f < frames; f++) {
        int64_t base = plan_frame(values, count, f, is_sloped).base;
        lowest = ALM_MIN(lowest, base);
        highest = ALM_MAX(highest, base);
    }
    size_t base_bytes = (width_of(minus(highest, lowest)) + 7) / 8;
    alm_buf_u8(out, is_sloped ? TAG_SLOPED : TAG_FRAMES);
    alm_buf_svarint(out, lowest);
    alm_buf_u8(out, (uint8_t)base_bytes);
    uint8_t *widths = alm_buf_reserve(out, frames * (1 + base_bytes) + bits_bytes);
    if (widths == NULL) {
        return;
    }
    uint8_t *bases = widths + frames;
    uint8_t *bits = bases + frames * base_bytes;
    for (size_t f = 0; f < frames; f++) {
        frame_plan plan = plan_frame(values, count, f, is_sloped);
        size_t rows = frame_rows(count, f);
        widths[f] = (uint8_t)plan.width;
        put_little(bases + f * base_bytes, minus(plan.base, lowest), base_bytes);
        pack_frame(values, f * ALM_COLUMN_FRAME, rows, plan, is_sloped, bits);
        bits += packed_bytes(rows, plan.width);
    }
    out->len += frames * (1 + base_bytes) + bits_bytes;
}

// --- dictionary ----------------------------------------------------------------------------------

typedef struct dictionary {
    int64_t values[ALM_COLUMN_DICTIONARY_MAX]; // ascending
    size_t count;
} dictionary;

static size_t dictionary_find(const dictionary *d, int64_t v)
{
    size_t at = 0;
    while (at < d->count && d->values[at] < v) {
        at++;
    }
    return at;
}

// False: too many different values.
static bool dictionary_of(const int64_t *values, size_t count, dictionary *ret)
{
    ret->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && values[i] == values[i - 1]) {
            continue;
        }
        size_t at = dictionary_find(ret, values[i]);
        if (at < ret->count && ret->values[at] == values[i]) {
            continue;
        }
        if (ret->count == ALM_COLUMN_DICTIONARY_MAX) {
            return false;
        }
        memmove(ret->values + at + 1, ret->values + at, (ret->count - at) * sizeof *ret->values);
        ret->values[at] = values[i];
        ret->count++;
    }
    return true;
}

// By indices if that is shorter. False: it is not, nothing was written.
static bool encode_dictionary(const int64_t *values, size_t count, size_t plain_bytes,
                              int64_t *scratch, alm_buf *out)
{
    dictionary d;
    if (!dictionary_of(values, count, &d)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        scratch[i] = (int64_t)dictionary_find(&d, values[i]);
    }
    size_t index_bytes = plan_bytes(scratch, count, false);
    if (index_bytes + 1 + 5 * d.count >= plain_bytes) {
        return false;
    }
    alm_buf_u8(out, TAG_DICTIONARY);
    alm_buf_u8(out, (uint8_t)d.count);
    for (size_t i = 0; i < d.count; i++) {
        alm_buf_svarint(out, d.values[i]);
    }
    encode_frames(scratch, count, false, index_bytes, out);
    return true;
}

void alm_column_encode(const int64_t *values, size_t count, int64_t *scratch, alm_buf *out)
{
    if (count == 0 || (values[0] == 0 && is_constant(values, count))) {
        alm_buf_u8(out, TAG_ZERO);
        return;
    }
    if (is_constant(values, count)) {
        alm_buf_u8(out, TAG_CONSTANT);
        alm_buf_svarint(out, values[0]);
        return;
    }
    size_t plain_bytes = plan_bytes(values, count, false);
    size_t sloped_bytes = is_ascending(values, count) ? plan_bytes(values, count, true) : SIZE_MAX;
    if (sloped_bytes < plain_bytes) {
        encode_frames(values, count, true, sloped_bytes, out);
    } else if (!encode_dictionary(values, count, plain_bytes, scratch, out)) {
        encode_frames(values, count, false, plain_bytes, out);
    }
}

// --- reading -------------------------------------------------------------------------------------

static bool open_frames(alm_reader *r, alm_column *column)
{
    size_t frames = frame_count(column->count);
    column->base = alm_read_svarint(r);
    column->base_bytes = alm_read_u8(r);
    if (column->base_bytes > 8) {
        return false;
    }
    column->widths = (const uint8_t *)alm_read_bytes(r, frames).data;
    column->bases = (const uint8_t *)alm_read_bytes(r, frames * column->base_bytes).data;
    if (r->failed) {
        return false;
    }
    size_t bytes = 0;
    for (size_t f = 0; f < frames; f++) {
        if (column->widths[f] > 64) {
            return false;
        }
        bytes += packed_bytes(frame_rows(column->count, f), column->widths[f]);
    }
    alm_str bits = alm_read_bytes(r, bytes);
    column->bits = (alm_bytes){.data = (const uint8_t *)bits.data, .len = bits.len};
    return !r->failed;
}

static bool open_dictionary(alm_reader *r, alm_column *column)
{
    column->dictionary_count = alm_read_u8(r);
    if (column->dictionary_count < 2 || column->dictionary_count > ALM_COLUMN_DICTIONARY_MAX) {
        return false;
    }
    for (size_t i = 0; i < column->dictionary_count; i++) {
        column->dictionary[i] = alm_read_svarint(r);
    }
    return alm_read_u8(r) == TAG_FRAMES && open_frames(r, column);
}

bool alm_column_open(alm_reader *r, size_t count, alm_column *ret)
{
    *ret = (alm_column){.count = count};
    uint8_t tag = alm_read_u8(r);
    switch (tag) {
    case TAG_ZERO:
        break;
    case TAG_CONSTANT:
        ret->base = alm_read_svarint(r);
        break;
    case TAG_FRAMES:
    case TAG_SLOPED:
        ret->is_framed = true;
        ret->is_sloped = tag == TAG_SLOPED;
        return count > 0 && open_frames(r, ret);
    case TAG_DICTIONARY:
        ret->is_framed = true;
        return count > 0 && open_dictionary(r, ret);
    default:
        return false;
    }
    return !r->failed;
}

static int64_t frame_base(const alm_column *column, size_t frame)
{
    const uint8_t *bytes = column->bases + frame * column->base_bytes;
    uint64_t above = 0;
    for (size_t i = 0; i < column->base_bytes; i++) {
        above |= (uint64_t)bytes[i] << (8 * i);
    }
    return plus(column->base, above);
}

// Bit offsets are within bits; the last bytes of the column are read one by one.
static uint64_t load_bits(alm_bytes bits, size_t bit_at, unsigned width)
{
    if (width == 0) {
        return 0;
    }
    size_t at = bit_at / 8;
    unsigned shift = bit_at % 8;
    uint64_t word = 0;
    if (bits.len - at >= sizeof word) {
        memcpy(&word, bits.data + at, sizeof word);
    } else {
        memcpy(&word, bits.data + at, bits.len - at);
    }
    uint64_t v = le64toh(word) >> shift;
    if (shift + width > 64) {
        v |= (uint64_t)bits.data[at + 8] << (64 - shift);
    }
    return width == 64 ? v : v & ((UINT64_C(1) << width) - 1);
}

static void move_to_frame(alm_column *column, size_t frame)
{
    if (frame < column->frame) {
        column->frame = 0;
        column->frame_at = 0;
    }
    for (; column->frame < frame; column->frame++) {
        column->frame_at += packed_bytes(ALM_COLUMN_FRAME, column->widths[column->frame]);
    }
}

// An index out of range can only come of damage; it gives what no field can hold.
static int64_t look_up(const alm_column *column, int64_t index)
{
    return index >= 0 && index < column->dictionary_count ? column->dictionary[index] : INT64_MIN;
}

int64_t alm_column_get(alm_column *column, size_t row)
{
    ALM_ASSERT(row < column->count);
    if (!column->is_framed) {
        return column->base;
    }
    size_t frame = row / ALM_COLUMN_FRAME;
    move_to_frame(column, frame);
    unsigned width = column->widths[frame];
    size_t bit_at = column->frame_at * 8 + row % ALM_COLUMN_FRAME * width;
    int64_t v = plus(frame_base(column, frame), load_bits(column->bits, bit_at, width));
    if (column->dictionary_count > 0) {
        return look_up(column, v);
    }
    return column->is_sloped ? plus(v, row) : v;
}

void alm_column_get_frame(alm_column *column, size_t frame, int64_t *ret)
{
    size_t rows = frame_rows(column->count, frame);
    if (!column->is_framed) {
        for (size_t i = 0; i < rows; i++) {
            ret[i] = column->base;
        }
        return;
    }
    move_to_frame(column, frame);
    unsigned width = column->widths[frame];
    uint64_t slope = column->is_sloped ? 1 : 0;
    uint64_t base = (uint64_t)frame_base(column, frame) + slope * frame * ALM_COLUMN_FRAME;
    for (size_t i = 0; i < rows; i++) {
        uint64_t v = load_bits(column->bits, column->frame_at * 8 + i * width, width);
        ret[i] = (int64_t)(base + v + slope * i);
    }
    for (size_t i = 0; column->dictionary_count > 0 && i < rows; i++) {
        ret[i] = look_up(column, ret[i]);
    }
}
