// Any bytes as a block: a status, or rows that come out of a second round trip as they are.
#include "block.h"

#include "alm/arena.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(alm_block *block, alm_arena *arena)
{
    alm_buf buf;
    alm_block again;
    alm_obs *rows = alm_arena_calloc(arena, block->count, sizeof *rows);
    alm_obs *copies = alm_arena_calloc(arena, block->count, sizeof *copies);
    if (rows == NULL || copies == NULL ||
        alm_block_get(block, 0, block->count, rows, NULL) != ALM_OK) {
        return;
    }
    alm_buf_init(&buf, 0);
    ALM_ASSERT(alm_block_encode(rows, block->count, NULL, arena, &buf, NULL) == ALM_OK);
    ALM_ASSERT(alm_block_open(alm_buf_view(&buf), block->count, NULL, arena, &again, NULL) ==
               ALM_OK);
    ALM_ASSERT(alm_block_get(&again, 0, again.count, copies, NULL) == ALM_OK);
    for (size_t i = 0; i < block->count; i++) {
        ALM_ASSERT(rows[i].value.number.mantissa == copies[i].value.number.mantissa);
        ALM_ASSERT(rows[i].place == copies[i].place && rows[i].sequence == copies[i].sequence);
        ALM_ASSERT(alm_str_eq(rows[i].note, copies[i].note));
    }
    alm_buf_deinit(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_block block;
    alm_str bytes = {.data = (const char *)data, .len = size};
    alm_arena *arena = alm_arena_create(0);
    if (arena != NULL && alm_block_open(bytes, 4096, NULL, arena, &block, NULL) == ALM_OK) {
        round_trip(&block, arena);
    }
    alm_arena_destroy(&arena);
    return 0;
}
