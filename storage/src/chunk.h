// A chunk of a slice in memory: the cells of one variant in one period over a run of places, each
// with the vintage that wins and the others. Pure: bytes in, bytes out.
#ifndef ALM_STORAGE_CHUNK_H
#define ALM_STORAGE_CHUNK_H

#include "block.h"
#include "vintage.h"

typedef struct alm_chunk {
    const alm_obs *winners; // ordered by place, one for each cell
    size_t winner_count;
    const alm_obs *others; // ordered by alm_vintage_order
    size_t other_count;
} alm_chunk;

#define ALM_CHUNK_ROW_COUNT_MAX                                                                    \
    ((size_t)1 << 26) // a bound against damage, not a limit to plan with

// Decodes both blocks (empty bytes: no rows), the slice's over the base, if any, and checks that
// they make a chunk of that period: order, one winner a cell, known sources.
//
// ALM_DATA_LOSS           they do not
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_chunk_decode(alm_str slice, alm_str vintages, const alm_base *base,
                                       alm_period period, const alm_precedence *precedence,
                                       alm_arena *arena, alm_chunk *ret, alm_status *st);

// The other vintages of a cell: others[*ret_from .. return value - 1].
size_t alm_chunk_others(const alm_chunk *chunk, alm_place_id place, size_t *ret_from);
// NULL: no such cell.
const alm_obs *alm_chunk_winner(const alm_chunk *chunk, alm_place_id place);

// Which of the places (ascending) have a withdrawal among the vintages that the filter does not
// admit: (*ret)[0..*ret_count - 1] are their indices, ascending, in the arena. Where the block's
// flags say at a glance that there is none it costs nothing.
//
// ALM_DATA_LOSS           malformed
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_withdrawals_find(alm_block *vintages, const alm_place_id *places,
                                           size_t count, const alm_vintage_filter *filter,
                                           alm_arena *arena, size_t **ret, size_t *ret_count,
                                           alm_status *st);

// The chunk with rows added (ordered by place) and every cell's winner chosen anew. *ret shares
// nothing with chunk but notes. ALM_RESOURCE_EXHAUSTED: no memory.
ALM_MUST_USE alm_code alm_chunk_merge(const alm_chunk *chunk, const alm_obs *rows, size_t count,
                                      const alm_precedence *precedence, alm_arena *arena,
                                      alm_chunk *ret, alm_status *st);

// Cells whose winner was not withdrawn.
size_t alm_chunk_cells(const alm_chunk *chunk);

#endif
