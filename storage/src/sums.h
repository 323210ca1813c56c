// Sums over ranges of places. Pure.
#ifndef ALM_STORAGE_SUMS_H
#define ALM_STORAGE_SUMS_H

#include "block.h"
#include "alm/store.h"

// Of a slice. ALM_OUT_OF_RANGE: a sum has more than 18 digits.
ALM_MUST_USE alm_code alm_vector_sums(const alm_vector *slice, const alm_place_range *ranges,
                                      size_t count, alm_sum *ret, alm_status *st);

// Can a block be added up by its own sums? One unit and scale, and flags that are mostly the same.
bool alm_block_can_sum(const alm_block *block);

// Adds the block's rows to sums, of those ranges that lie in from..to-1. ALM_OUT_OF_RANGE as above;
// ALM_DATA_LOSS: flags that no value has.
ALM_MUST_USE alm_code alm_block_add_sums(alm_block *block, alm_place_id from, alm_place_id to,
                                         const alm_place_range *ranges, size_t count, alm_sum *sums,
                                         alm_status *st);

#endif
