#include "base.h"

#include <xxhash.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BASE_VERSION 1

// Four at a time: products of 32 bits by 32, of which the compiler would make such of 64 by 64.
static size_t add_fours(const uint32_t *values, uint32_t factor, size_t count, int64_t *numbers)
{
    size_t i = 0;
#ifdef __SSE2__
    const __m128i by = _mm_set1_epi64x((int64_t)factor);
    for (; i + 4 <= count; i += 4) {
        __m128i four = _mm_loadu_si128((const __m128i *)(values + i));
        __m128i even = _mm_srli_epi64(_mm_mul_epu32(four, by), ALM_BASE_SHIFT);
        __m128i odd = _mm_srli_epi64(_mm_mul_epu32(_mm_srli_epi64(four, 32), by), ALM_BASE_SHIFT);
        __m128i *low = (__m128i *)(numbers + i);
        __m128i *high = (__m128i *)(numbers + i + 2);
        _mm_storeu_si128(low, _mm_add_epi64(_mm_loadu_si128(low), _mm_unpacklo_epi64(even, odd)));
        _mm_storeu_si128(high, _mm_add_epi64(_mm_loadu_si128(high), _mm_unpackhi_epi64(even, odd)));
    }
#endif
    return i;
}

void alm_base_add(const uint32_t *values, uint32_t factor, size_t count, int64_t *numbers)
{
    for (size_t i = add_fours(values, factor, count, numbers); i < count; i++) {
        numbers[i] = (int64_t)((uint64_t)numbers[i] + (uint64_t)alm_base_like(values[i], factor));
    }
}

#define VALUE_MAX 4294967295.0

bool alm_base_make(const double *means, size_t count, alm_place_id first, size_t cell_count,
                   alm_arena *arena, alm_base *ret)
{
    double most = 0;
    uint32_t *values = alm_arena_alloc(arena, count * sizeof *values);
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        most = ALM_MAX(most, means[i]);
    }
    double scale = most <= VALUE_MAX ? 1 : VALUE_MAX / most;
    for (size_t i = 0; i < count; i++) {
        values[i] = (uint32_t)(means[i] * scale);
    }
    *ret = (alm_base){.id = (uint32_t)XXH3_64bits(values, count * sizeof *values) | 1,
                      .first = first,
                      .count = count,
                      .values = values,
                      .cell_count = cell_count};
    return true;
}

void alm_base_encode(const alm_base *base, alm_buf *out)
{
    alm_buf_u8(out, BASE_VERSION);
    alm_buf_u32(out, base->id);
    alm_buf_varint(out, base->cell_count);
    alm_buf_varint(out, base->count);
    int64_t *wide = alm_alloc(base->count * sizeof *wide);
    if (wide == NULL) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < base->count; i++) {
        wide[i] = base->values[i];
    }
    alm_frames_encode(wide, base->count, out);
    alm_free(wide);
}

static alm_code malformed(alm_status *st)
{
    return alm_status_set(st, ALM_DATA_LOSS, "the base of a part is damaged");
}

alm_code alm_base_decode(alm_str bytes, alm_place_id first, size_t count_max, alm_arena *arena,
                         alm_base *ret, alm_status *st)
{
    alm_frames frames;
    int64_t wide[ALM_PACK_FRAME];
    alm_reader r = alm_reader_of(bytes.data, bytes.len);
    uint8_t version = alm_read_u8(&r);
    *ret = (alm_base){.id = alm_read_u32(&r), .first = first};
    ret->cell_count = alm_read_varint(&r);
    ret->count = alm_read_varint(&r);
    if (r.failed || version != BASE_VERSION || ret->id == 0 || ret->count > count_max ||
        !alm_frames_open(&r, ret->count, &frames) || alm_reader_left(&r) != 0) {
        return malformed(st);
    }
    uint32_t *values = alm_arena_alloc(arena, ret->count * sizeof *values);
    if (values == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for the base of a part");
    }
    for (size_t from = 0; from < ret->count; from += ALM_PACK_FRAME) {
        size_t to = ALM_MIN(from + ALM_PACK_FRAME, ret->count);
        alm_frames_range(&frames, from, to, wide);
        for (size_t i = from; i < to; i++) {
            if (wide[i - from] < 0 || wide[i - from] > UINT32_MAX) {
                return malformed(st);
            }
            values[i] = (uint32_t)wide[i - from];
        }
    }
    ret->values = values;
    return ALM_OK;
}
