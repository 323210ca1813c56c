#include "frames.h"

enum { TAG_ZERO = 0, TAG_CONSTANT = 1, TAG_FRAMES = 2, TAG_SLOPED = 3 };

static size_t frame_count(size_t rows)
{
    return (rows + ALM_PACK_FRAME - 1) / ALM_PACK_FRAME;
}

static size_t frame_rows(size_t count, size_t frame)
{
    return ALM_MIN(count - frame * ALM_PACK_FRAME, (size_t)ALM_PACK_FRAME);
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

// --- encoding ------------------------------------------------------------------------------------

typedef struct frame_plan {
    int64_t base;
    unsigned width;
} frame_plan;

static int64_t level(const int64_t *values, size_t row, bool is_sloped)
{
    return is_sloped ? plus(values[row], -(uint64_t)row) : values[row];
}

ALM_WIDE static frame_plan plan_frame(const int64_t *values, size_t count, size_t frame,
                                      bool is_sloped)
{
    size_t from = frame * ALM_PACK_FRAME;
    size_t to = from + frame_rows(count, frame);
    uint64_t slope = is_sloped ? 1 : 0;
    int64_t low = level(values, from, is_sloped);
    int64_t high = low;
    for (size_t i = from + 1; i < to; i++) {
        int64_t v = plus(values[i], -(slope * i));
        low = ALM_MIN(low, v);
        high = ALM_MAX(high, v);
    }
    return (frame_plan){.base = low, .width = alm_width_of(minus(high, low))};
}

static bool is_constant(const int64_t *values, size_t count)
{
    size_t i = 1;
    while (i < count && values[i] == values[0]) {
        i++;
    }
    return i >= count;
}

static bool is_ascending(const int64_t *values, size_t count)
{
    size_t i = 1;
    while (i < count && values[i] >= values[i - 1]) {
        i++;
    }
    return i >= count;
}

static size_t base_bytes_of(const alm_frames_plan *plan)
{
    return (alm_width_of(minus(plan->highest, plan->lowest)) + 7) / 8;
}

static alm_frames_plan plan_as(const int64_t *values, size_t count, uint8_t tag)
{
    alm_frames_plan plan = {.tag = tag, .lowest = INT64_MAX, .highest = INT64_MIN};
    for (size_t f = 0; f < frame_count(count); f++) {
        frame_plan frame = plan_frame(values, count, f, tag == TAG_SLOPED);
        plan.lowest = ALM_MIN(plan.lowest, frame.base);
        plan.highest = ALM_MAX(plan.highest, frame.base);
        plan.bits_len += alm_bits_bytes(frame_rows(count, f), frame.width);
    }
    plan.bytes = 6 + frame_count(count) * (1 + base_bytes_of(&plan)) + plan.bits_len;
    return plan;
}

alm_frames_plan alm_frames_plan_of(const int64_t *values, size_t count)
{
    if (is_constant(values, count)) {
        bool is_zero = count == 0 || values[0] == 0;
        return (alm_frames_plan){
            .tag = is_zero ? TAG_ZERO : TAG_CONSTANT, .is_constant = true, .bytes = 4};
    }
    alm_frames_plan plain = plan_as(values, count, TAG_FRAMES);
    if (!is_ascending(values, count)) {
        return plain;
    }
    alm_frames_plan sloped = plan_as(values, count, TAG_SLOPED);
    return sloped.bits_len < plain.bits_len ? sloped : plain;
}

static void put_little(uint8_t *at, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(v >> (8 * i));
    }
}

// Returns the bytes written.
static size_t pack_frame(const int64_t *values, size_t count, size_t frame, frame_plan plan,
                         bool is_sloped, uint8_t *out)
{
    uint64_t numbers[ALM_PACK_FRAME];
    size_t rows = frame_rows(count, frame);
    if (plan.width == 0) {
        return 0;
    }
    for (size_t i = 0; i < rows; i++) {
        numbers[i] = minus(level(values, frame * ALM_PACK_FRAME + i, is_sloped), plan.base);
    }
    if (rows == ALM_PACK_FRAME) {
        alm_pack(numbers, plan.width, out);
    } else {
        alm_bits_pack(numbers, rows, plan.width, out);
    }
    return alm_bits_bytes(rows, plan.width);
}

static void put_frames(const alm_frames_plan *list, const int64_t *values, size_t count,
                       alm_buf *out)
{
    size_t frames = frame_count(count);
    size_t base_bytes = base_bytes_of(list);
    bool is_sloped = list->tag == TAG_SLOPED;
    alm_buf_svarint(out, list->lowest);
    alm_buf_u8(out, (uint8_t)base_bytes);
    uint8_t *widths = alm_buf_reserve(out, frames * (1 + base_bytes) + list->bits_len);
    if (widths == NULL) {
        return;
    }
    uint8_t *bases = widths + frames;
    uint8_t *bits = bases + frames * base_bytes;
    for (size_t f = 0; f < frames; f++) {
        frame_plan plan = plan_frame(values, count, f, is_sloped);
        widths[f] = (uint8_t)plan.width;
        put_little(bases + f * base_bytes, minus(plan.base, list->lowest), base_bytes);
        bits += pack_frame(values, count, f, plan, is_sloped, bits);
    }
    out->len += frames * (1 + base_bytes) + list->bits_len;
}

void alm_frames_put(const alm_frames_plan *plan, const int64_t *values, size_t count, alm_buf *out)
{
    alm_buf_u8(out, plan->tag);
    if (plan->tag == TAG_CONSTANT) {
        alm_buf_svarint(out, values[0]);
    } else if (!plan->is_constant) {
        put_frames(plan, values, count, out);
    }
}

void alm_frames_encode(const int64_t *values, size_t count, alm_buf *out)
{
    alm_frames_plan plan = alm_frames_plan_of(values, count);
    alm_frames_put(&plan, values, count, out);
}

// --- opening -------------------------------------------------------------------------------------

static bool open_frames(alm_reader *r, alm_frames *frames)
{
    size_t n = frame_count(frames->count);
    frames->base = alm_read_svarint(r);
    frames->base_bytes = alm_read_u8(r);
    if (frames->count == 0 || frames->base_bytes > 8) {
        return false;
    }
    frames->widths = (const uint8_t *)alm_read_bytes(r, n).data;
    frames->bases = (const uint8_t *)alm_read_bytes(r, n * frames->base_bytes).data;
    if (r->failed) {
        return false;
    }
    for (size_t f = 0; f < n; f++) {
        if (frames->widths[f] > 64) {
            return false;
        }
        frames->bits_len += alm_bits_bytes(frame_rows(frames->count, f), frames->widths[f]);
    }
    frames->bits = (const uint8_t *)alm_read_bytes(r, frames->bits_len).data;
    return !r->failed;
}

bool alm_frames_open(alm_reader *r, size_t count, alm_frames *ret)
{
    *ret = (alm_frames){.count = count};
    uint8_t tag = alm_read_u8(r);
    switch (tag) {
    case TAG_ZERO:
        break;
    case TAG_CONSTANT:
        ret->base = alm_read_svarint(r);
        break;
    case TAG_FRAMES:
    case TAG_SLOPED:
        ret->is_packed = true;
        ret->is_sloped = tag == TAG_SLOPED;
        return open_frames(r, ret);
    default:
        return false;
    }
    return !r->failed;
}

// --- reading -------------------------------------------------------------------------------------

static int64_t frame_base(const alm_frames *frames, size_t frame)
{
    const uint8_t *bytes = frames->bases + frame * frames->base_bytes;
    uint64_t above = 0;
    for (size_t i = 0; i < frames->base_bytes; i++) {
        above |= (uint64_t)bytes[i] << (8 * i);
    }
    return plus(frames->base, above);
}

static void move_to_frame(alm_frames *frames, size_t frame)
{
    if (frame < frames->frame) {
        frames->frame = 0;
        frames->frame_at = 0;
    }
    for (; frames->frame < frame; frames->frame++) {
        frames->frame_at += alm_pack_bytes(frames->widths[frames->frame]);
    }
}

int64_t alm_frames_get(alm_frames *frames, size_t row)
{
    ALM_ASSERT(row < frames->count);
    if (!frames->is_packed) {
        return frames->base;
    }
    size_t frame = row / ALM_PACK_FRAME;
    size_t in_frame = row % ALM_PACK_FRAME;
    unsigned width = frames->widths[frame];
    move_to_frame(frames, frame);
    const uint8_t *bits = frames->bits + frames->frame_at;
    uint64_t v = frame_rows(frames->count, frame) == ALM_PACK_FRAME
                     ? alm_unpack_one(bits, width, in_frame)
                     : alm_bits_one(bits, frames->bits_len - frames->frame_at, width, in_frame);
    return plus(frame_base(frames, frame), v + (frames->is_sloped ? row : 0));
}

// So few are taken one by one.
#define FEW_COUNT 12

// Numbers skip..skip+count-1 of a frame.
static void unpack_part(alm_frames *frames, size_t frame, size_t skip, size_t count, int64_t *ret)
{
    size_t rows = frame_rows(frames->count, frame);
    unsigned width = frames->widths[frame];
    int64_t base = frame_base(frames, frame);
    move_to_frame(frames, frame);
    const uint8_t *bits = frames->bits + frames->frame_at;
    if (rows < ALM_PACK_FRAME) {
        alm_bits_unpack(bits, frames->bits_len - frames->frame_at, skip, count, width, base, ret);
    } else if (count == rows) {
        alm_unpack(bits, width, base, ret);
    } else if (count <= FEW_COUNT) {
        for (size_t i = 0; i < count; i++) {
            ret[i] = plus(base, alm_unpack_one(bits, width, skip + i));
        }
    } else {
        alm_unpack_some(bits, width, base, skip, count, ret);
    }
    for (size_t i = 0; frames->is_sloped && i < count; i++) {
        ret[i] = plus(ret[i], frame * ALM_PACK_FRAME + skip + i);
    }
}

void alm_frames_range(alm_frames *frames, size_t from, size_t to, int64_t *ret)
{
    ALM_ASSERT(from <= to && to <= frames->count);
    if (!frames->is_packed) {
        for (size_t i = 0; i < to - from; i++) {
            ret[i] = frames->base;
        }
        return;
    }
    while (from < to) {
        size_t frame = from / ALM_PACK_FRAME;
        size_t skip = from % ALM_PACK_FRAME;
        size_t count = ALM_MIN(frame_rows(frames->count, frame) - skip, to - from);
        unpack_part(frames, frame, skip, count, ret);
        ret += count;
        from += count;
    }
}

// As alm_frames_find, of a list that is one short frame.
static size_t find_in_short(const alm_frames *frames, int64_t v)
{
    size_t low = 0;
    size_t high = frames->count;
    unsigned width = frames->widths[0];
    uint64_t slope = frames->is_sloped ? 1 : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t above = alm_bits_one(frames->bits, frames->bits_len, width, middle);
        if (plus(frames->base, above + slope * middle) < v) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool alm_frames_regular(const alm_frames *frames)
{
    return frames->is_sloped && frames->base_bytes == 0 && frames->bits_len == 0;
}

size_t alm_frames_find(alm_frames *frames, int64_t v)
{
    if (alm_frames_regular(frames)) {
        uint64_t row = v > frames->base ? minus(v, frames->base) : 0;
        return (size_t)ALM_MIN(row, (uint64_t)frames->count);
    }
    if (frames->is_packed && frames->count < ALM_PACK_FRAME && frames->base_bytes == 0) {
        return find_in_short(frames, v);
    }
    size_t low = 0;
    size_t high = frames->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (alm_frames_get(frames, middle) < v) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
