// Rows as a result block: the way back of client/src/rows.c.
#ifndef ALM_FAKE_BLOCK_H
#define ALM_FAKE_BLOCK_H

#include "almanac.h"

#include "alm/arena.h"

#include "almanac/v1/common.pb-c.h"

// NULL texts of the rows stand for "". Everything lives in the arena; its end is asserted away.
Almanac__V1__ResultBlock *fake_block(alm_arena *arena, const almanac_row *rows, size_t count);

char *fake_text(alm_arena *arena, const char *text);

#endif
