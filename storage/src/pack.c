#include "pack.h"

#include "alm/assert.h"

#include <endian.h>
#include <string.h>

enum { LANES = 8, ROWS = ALM_PACK_FRAME / LANES, WORD_BITS = 32 };

// One row of a plane: a word of every lane.
typedef uint32_t row __attribute__((vector_size(LANES * sizeof(uint32_t))));
typedef int64_t wide_row __attribute__((vector_size(LANES * sizeof(int64_t))));

#define INLINE static inline __attribute__((always_inline))

INLINE void row_load(const uint8_t *in, size_t at, row *ret)
{
    memcpy(ret, in + at * sizeof *ret, sizeof *ret);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (int lane = 0; lane < LANES; lane++) {
        (*ret)[lane] = __builtin_bswap32((*ret)[lane]);
    }
#endif
}

// --- one plane -----------------------------------------------------------------------------------

// Row r, plus base, with eight numbers.
INLINE void row_unpack(const uint8_t *in, unsigned width, unsigned r, int64_t base, int64_t *ret)
{
    const uint32_t mask = width == WORD_BITS ? UINT32_MAX : (UINT32_C(1) << width) - 1;
    row numbers, high;
    unsigned word = r * width / WORD_BITS;
    unsigned skip = r * width % WORD_BITS;
    row_load(in, word, &numbers);
    numbers >>= skip;
    if (skip + width > WORD_BITS) {
        row_load(in, word + 1, &high);
        numbers |= high << (WORD_BITS - skip);
    }
    wide_row sum = __builtin_convertvector(numbers & mask, wide_row) + base;
    memcpy(ret, &sum, sizeof sum);
}

// With width known to the compiler every shift is a constant.
INLINE void plane_unpack(const uint8_t *in, unsigned width, int64_t base, int64_t *ret)
{
#pragma GCC unroll 32
    for (unsigned r = 0; r < ROWS; r++) {
        row_unpack(in, width, r, base, ret + r * LANES);
    }
}

static void low_plane(const uint8_t *in, unsigned width, int64_t base, int64_t *ret)
{
#define LOW(w)                                                                                     \
    case w:                                                                                        \
        plane_unpack(in, w, base, ret);                                                            \
        break
#define LOW_4(w)                                                                                   \
    LOW(w);                                                                                        \
    LOW((w) + 1);                                                                                  \
    LOW((w) + 2);                                                                                  \
    LOW((w) + 3)
    switch (width) {
        LOW_4(1);
        LOW_4(5);
        LOW_4(9);
        LOW_4(13);
        LOW_4(17);
        LOW_4(21);
        LOW_4(25);
        LOW_4(29);
    default:
        for (size_t i = 0; i < ALM_PACK_FRAME; i++) {
            ret[i] = base;
        }
    }
#undef LOW_4
#undef LOW
}

static void plane_pack(const uint64_t *numbers, unsigned width, unsigned shift, uint8_t *out)
{
    for (size_t lane = 0; lane < LANES; lane++) {
        uint64_t pending = 0; // bits not yet written, lowest first
        unsigned fill = 0;
        size_t word_at = 0;
        for (size_t r = 0; r < ROWS; r++) {
            uint64_t v = numbers[r * LANES + lane] >> shift;
            pending |= (v & UINT32_MAX) << fill;
            fill += width;
            if (fill >= WORD_BITS) {
                uint32_t word = htole32((uint32_t)pending);
                memcpy(out + (word_at++ * LANES + lane) * sizeof word, &word, sizeof word);
                pending >>= WORD_BITS;
                fill -= WORD_BITS;
            }
        }
    }
}

static uint64_t plane_one(const uint8_t *in, unsigned width, size_t i)
{
    size_t bit = i / LANES * width;
    const uint8_t *at = in + (bit / WORD_BITS * LANES + i % LANES) * sizeof(uint32_t);
    unsigned skip = bit % WORD_BITS;
    uint32_t words[2] = {0};
    memcpy(&words[0], at, sizeof words[0]);
    if (skip + width > WORD_BITS) {
        memcpy(&words[1], at + LANES * sizeof words[1], sizeof words[1]);
    }
    uint64_t both = (uint64_t)le32toh(words[1]) << WORD_BITS | le32toh(words[0]);
    return both >> skip & ((UINT64_C(1) << width) - 1);
}

// --- frames --------------------------------------------------------------------------------------

void alm_pack(const uint64_t *numbers, unsigned width, uint8_t *out)
{
    ALM_ASSERT(width <= 64);
    unsigned low = ALM_MIN(width, (unsigned)WORD_BITS);
    plane_pack(numbers, low, 0, out);
    if (width > WORD_BITS) {
        plane_pack(numbers, width - WORD_BITS, WORD_BITS, out + alm_pack_bytes(WORD_BITS));
    }
}

void alm_unpack(const uint8_t *in, unsigned width, int64_t base, int64_t *ret)
{
    ALM_ASSERT(width <= 64);
    low_plane(in, ALM_MIN(width, (unsigned)WORD_BITS), base, ret);
    if (width > WORD_BITS) {
        int64_t high[ALM_PACK_FRAME];
        low_plane(in + alm_pack_bytes(WORD_BITS), width - WORD_BITS, 0, high);
        for (size_t i = 0; i < ALM_PACK_FRAME; i++) {
            ret[i] = (int64_t)((uint64_t)ret[i] + ((uint64_t)high[i] << WORD_BITS));
        }
    }
}

void alm_unpack_some(const uint8_t *in, unsigned width, int64_t base, size_t from, size_t count,
                     int64_t *ret)
{
    int64_t rows[ALM_PACK_FRAME];
    ALM_ASSERT(width <= 64 && count > 0 && from + count <= ALM_PACK_FRAME);
    unsigned first = (unsigned)from / LANES;
    if (width == 0 || width > WORD_BITS) {
        alm_unpack(in, width, base, rows);
    } else {
        for (unsigned r = first; r <= (from + count - 1) / LANES; r++) {
            row_unpack(in, width, r, base, rows + r * LANES);
        }
    }
    memcpy(ret, rows + from, count * sizeof *ret);
}

uint64_t alm_unpack_one(const uint8_t *in, unsigned width, size_t i)
{
    ALM_ASSERT(width <= 64 && i < ALM_PACK_FRAME);
    uint64_t v = width == 0 ? 0 : plane_one(in, ALM_MIN(width, (unsigned)WORD_BITS), i);
    if (width > WORD_BITS) {
        v |= plane_one(in + alm_pack_bytes(WORD_BITS), width - WORD_BITS, i) << WORD_BITS;
    }
    return v;
}

// --- strings of bits -----------------------------------------------------------------------------

void alm_bits_pack(const uint64_t *numbers, size_t count, unsigned width, uint8_t *out)
{
    uint64_t pending = 0; // bits not yet written, lowest first
    unsigned fill = 0;
    size_t bytes = alm_bits_bytes(count, width);
    size_t at = 0;
    for (size_t i = 0; width > 0 && i < count; i++) {
        pending |= numbers[i] << fill;
        fill += width;
        if (fill >= 64) {
            uint64_t word = htole64(pending);
            memcpy(out + at, &word, sizeof word);
            at += sizeof word;
            fill -= 64;
            pending = fill > 0 ? numbers[i] >> (width - fill) : 0;
        }
    }
    uint64_t word = htole64(pending);
    memcpy(out + at, &word, bytes - at);
}

// The last bytes of the list are read one by one.
uint64_t alm_bits_one(const uint8_t *in, size_t len, unsigned width, size_t i)
{
    size_t at = i * width / 8;
    unsigned skip = i * width % 8;
    uint64_t word = 0;
    if (width == 0) {
        return 0;
    }
    if (len - at >= sizeof word) {
        memcpy(&word, in + at, sizeof word); // one load
    } else {
        memcpy(&word, in + at, len - at);
    }
    uint64_t v = le64toh(word) >> skip;
    if (skip + width > 64) {
        v |= (uint64_t)in[at + 8] << (64 - skip);
    }
    return width == 64 ? v : v & ((UINT64_C(1) << width) - 1);
}

void alm_bits_unpack(const uint8_t *in, size_t len, size_t from, size_t count, unsigned width,
                     int64_t base, int64_t *ret)
{
    // Numbers of up to 56 bits come whole in a load of eight bytes, as far as there are eight.
    const uint64_t mask = (UINT64_C(1) << (width & 63)) - 1;
    size_t bit = from * width;
    size_t i = 0;
    for (; width == 0 && i < count; i++) {
        ret[i] = base;
    }
    for (; width <= 56 && i < count && bit / 8 + sizeof(uint64_t) <= len; i++, bit += width) {
        uint64_t word;
        memcpy(&word, in + bit / 8, sizeof word);
        ret[i] = (int64_t)((uint64_t)base + (le64toh(word) >> bit % 8 & mask));
    }
    for (; i < count; i++) {
        ret[i] = (int64_t)((uint64_t)base + alm_bits_one(in, len, width, from + i));
    }
}
