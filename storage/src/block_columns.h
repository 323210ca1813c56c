// Rows of blocks gathered as the columns that a read visits. Pure.
//
// What all rows gathered so far share stands once, so that a column that is constant in all blocks
// is never filled.
#ifndef ALM_STORAGE_BLOCK_COLUMNS_H
#define ALM_STORAGE_BLOCK_COLUMNS_H

#include "block.h"
#include "alm/store.h"

// Some rows of a block: those listed, which ascend, or where none are listed from..from+count-1.
typedef struct alm_block_rows {
    size_t count, from;
    const uint32_t *rows;
    const alm_place_id *places; // of each that is listed
} alm_block_rows;

// The rows of these places, which ascend, as those of the block must; in the arena.
//
// ALM_DATA_LOSS           the block's places do not ascend
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_block_rows_find(alm_block *block, const alm_place_id *places,
                                          size_t count, alm_arena *arena, alm_block_rows *ret,
                                          alm_status *st);

// Takes rows off that alm_read.top leaves out of whatever slice they are a part of, where the block
// tells them apart by its numbers alone; else all stay. with_withdrawn: they are among the cells.
//
// ALM_DATA_LOSS           the block's places do not ascend
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_block_rows_top(alm_block *block, alm_top top, bool with_withdrawn,
                                         alm_arena *arena, alm_block_rows *rows, alm_status *st);

// Columns that grow in an arena, and copies of the notes in another. Zero-initialised but for both.
typedef struct alm_gathered_column {
    void *data; // an element for each row, or one
    bool is_each;
} alm_gathered_column;
typedef struct alm_gathered {
    alm_arena *arena, *note_arena;
    size_t count, cap;
    alm_gathered_column columns[ALM_BLOCK_COLUMN_COUNT];
    alm_str *notes;
    size_t note_count, note_cap;
} alm_gathered;

// Appends rows of the block, as alm_block_get has them, and as rows of variant 0; those that are
// withdrawn only where they are asked for. scratch is for what is not kept.
//
// ALM_DATA_LOSS           a value that no row can have
// ALM_RESOURCE_EXHAUSTED  no memory
ALM_MUST_USE alm_code alm_gathered_add(alm_gathered *it, alm_block *block, alm_block_rows rows,
                                       bool with_withdrawn, alm_arena *scratch, alm_status *st);
// All there is; valid until more is added.
alm_obs_columns alm_gathered_columns(const alm_gathered *it);
// Forgets it all, notes included, but keeps the memory of the columns.
void alm_gathered_reset(alm_gathered *it);

#endif
