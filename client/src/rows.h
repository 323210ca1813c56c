// Result blocks, column by column from the wire, as rows.
#ifndef ALM_ROWS_H
#define ALM_ROWS_H

#include "almanac.h"

#include "alm/arena.h"
#include "alm/status.h"

#include "almanac/v1/common.pb-c.h"

#define ALM_ROW_EXPONENT_MAX 40 // what almanac_number_text writes exactly

// Is every column as long as the block says, every text in the table, every number within its kind?
//
// ALM_INTERNAL  no; names the column and the row
ALM_MUST_USE alm_code alm_block_check(const Almanac__V1__ResultBlock *block, alm_status *st);

// The paces of a checked block, in the arena; their text lives as long as the block.
//
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code alm_block_paces(const Almanac__V1__ResultBlock *block, alm_arena *arena,
                                      const almanac_pace **ret, alm_status *st);

// Row i of a checked block; its text lives as long as the block, its pace as long as `paces`, of
// alm_block_paces.
almanac_row alm_block_row(const Almanac__V1__ResultBlock *block, const almanac_pace *paces,
                          size_t i);

// Appends all rows of a checked block to a growing array in the arena.
//
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code alm_block_append(const Almanac__V1__ResultBlock *block, alm_arena *arena,
                                       almanac_row **rows, size_t *count, size_t *cap,
                                       alm_status *st);

#endif
