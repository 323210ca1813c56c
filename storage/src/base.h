// What the numbers of a part's places are like, one for each place: slices are packed as what is
// left over this. Towns differ a thousandfold, and each from itself a few percent a month.
//
//   u8 version; u32 id; varint cells; varint places; frames of the values
//
// A base never changes. When another one is better all slices of the part are packed anew.
#ifndef ALM_STORAGE_BASE_H
#define ALM_STORAGE_BASE_H

#include "frames.h"

#include "alm/alloc.h"
#include "alm/arena.h"
#include "alm/place.h"

typedef struct alm_base {
    uint32_t id; // of its content; never 0
    alm_place_id first;
    size_t count;
    const uint32_t *values; // of the places from first on; 0: nothing is known
    size_t cell_count;      // it was made from
} alm_base;

// A number over a base is value * factor / 2^24, rounded down, and what is left.
#define ALM_BASE_SHIFT 24
static inline int64_t alm_base_like(uint32_t value, uint32_t factor)
{
    return (int64_t)((uint64_t)value * factor >> ALM_BASE_SHIFT);
}

// Adds what the base has to numbers of places that stand one after the other.
void alm_base_add(const uint32_t *values, uint32_t factor, size_t count, int64_t *numbers);

// Of what the places' numbers are like, means[i] >= 0, 0 where nothing is known; fractions are cut
// off, and what is beyond 2^32 scaled down. Lives in the arena. False: no memory.
ALM_MUST_USE bool alm_base_make(const double *means, size_t count, alm_place_id first,
                                size_t cell_count, alm_arena *arena, alm_base *ret);

void alm_base_encode(const alm_base *base, alm_buf *out);
// ALM_DATA_LOSS: malformed. ALM_RESOURCE_EXHAUSTED: no memory.
ALM_MUST_USE alm_code alm_base_decode(alm_str bytes, alm_place_id first, size_t count_max,
                                      alm_arena *arena, alm_base *ret, alm_status *st);

#endif
