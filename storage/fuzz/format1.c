// Any bytes as a block, or with another first byte a log record, of format 1.
#include "format1.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(uint8_t which, alm_str bytes, alm_arena *arena)
{
    alm_obs *rows;
    size_t count;
    alm_log_record record;
    if (which % 2 == 1) {
        if (format1_log_decode(bytes, arena, &record, NULL) != ALM_OK) {
            return;
        }
        bytes = record.blocks;
    }
    (void)!format1_rows(bytes, 4096, arena, &rows, &count, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_arena *arena = alm_arena_create(0);
    if (arena != NULL && size > 0) {
        decode(data[0], (alm_str){.data = (const char *)data + 1, .len = size - 1}, arena);
    }
    alm_arena_destroy(&arena);
    return 0;
}
