// Which places of a part (one variant over one chunk of places) have a value, how many cells that
// is, and in which periods the first and the last are. Pure: bytes in, bytes out.
//
//   u8 version; varint cells; if there are any: u64 first and u64 last period (alm_period_pack);
//   u8 form, then the places as offsets in the chunk:
//   LIST  varint count, then each as varint distance to the one before (the first to -1)
//   RUNS  varint count, then each as varint distance to the end of the one before and varint length
//   BITS  as many bytes as there are to the end, lowest bit first
#ifndef ALM_STORAGE_PRESENCE_H
#define ALM_STORAGE_PRESENCE_H

#include "alm/buf.h"
#include "block.h"
#include "chunk.h"

#define ALM_PLACE_SET_COUNT 16384 // places of a chunk
#define ALM_PLACE_SET_WORDS (ALM_PLACE_SET_COUNT / 64)

typedef struct alm_place_set {
    uint64_t words[ALM_PLACE_SET_WORDS];
} alm_place_set;

static inline void alm_place_set_add(alm_place_set *set, alm_place_id place)
{
    uint32_t at = place % ALM_PLACE_SET_COUNT;
    set->words[at / 64] |= UINT64_C(1) << at % 64;
}
uint64_t alm_place_set_count(const alm_place_set *set);
uint64_t alm_place_set_common(const alm_place_set *a,
                              const alm_place_set *b); // how many are in both

// All zero: nothing is there.
typedef struct alm_presence {
    uint64_t cells;       // that have a value
    uint64_t first, last; // alm_period_pack; 0 without cells
    alm_place_set places;
} alm_presence;

void alm_presence_encode(const alm_presence *presence, alm_buf *out);
// ALM_DATA_LOSS: malformed
ALM_MUST_USE alm_code alm_presence_decode(alm_str bytes, alm_presence *ret, alm_status *st);

// Takes in what one slice has.
void alm_presence_add(alm_presence *presence, uint64_t period, const alm_place_set *places,
                      uint64_t cells);

// Places whose winner was not withdrawn; returns how many.
uint64_t alm_presence_of_chunk(const alm_chunk *chunk, alm_place_set *ret);
// The same of a slice's block.
uint64_t alm_presence_of_block(alm_block *block, alm_place_set *ret);

#endif
