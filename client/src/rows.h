// Result blocks from the wire, as columns and as rows.
#ifndef ALM_ROWS_H
#define ALM_ROWS_H

#include "almanac.h"

#include "alm/arena.h"
#include "alm/status.h"

#include "almanac/v1/common.pb-c.h"

#define ALM_ROW_EXPONENT_MAX 40 // what almanac_number_text writes exactly

// Checks a block once: every column as long as it may be, every text in the table, every number
// within its kind. The columns stay in the message, which is made ready for it, so that it can be
// viewed once: its texts get NULs, its runs an element a row, its statuses become letters. What is
// missing there is allocated in the arena; *ret lives as long as both.
//
// ALM_INTERNAL            it is malformed; names the column and the row
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code alm_rows_view(Almanac__V1__ResultBlock *message, alm_arena *arena,
                                    almanac_block *ret, alm_status *st);

almanac_row alm_block_row(const almanac_block *block, size_t i);

// Appends all rows of a block from the first to a growing array in the arena.
//
// ALM_RESOURCE_EXHAUSTED  the arena is full
ALM_MUST_USE alm_code alm_block_append(const almanac_block *block, size_t first, alm_arena *arena,
                                       almanac_row **rows, size_t *count, size_t *cap,
                                       alm_status *st);

#endif
