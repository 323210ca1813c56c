// What those who write a block and those who read it agree on; block.h has the form.
#ifndef ALM_STORAGE_BLOCK_BYTES_H
#define ALM_STORAGE_BLOCK_BYTES_H

#include "block.h"

#define ALM_BLOCK_VERSION     2
#define ALM_BLOCK_FACTOR_ROWS ALM_PACK_FRAME // rows of a factor over the base

#define ALM_BLOCK_POWER_COUNT 18
extern const int64_t alm_block_powers[ALM_BLOCK_POWER_COUNT]; // of ten

// Where what a base changes stands in a block's bytes.
typedef struct alm_block_offsets {
    size_t base; // its id
    size_t numbers_from, numbers_to;
} alm_block_offsets;

// As alm_block_open.
ALM_MUST_USE alm_code alm_block_open_at(alm_str bytes, size_t count_max, const alm_base *base,
                                        alm_arena *arena, alm_block *ret, alm_block_offsets *ret_at,
                                        alm_status *st);

#endif
