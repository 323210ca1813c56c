// Any bytes as each of the store's records but blocks; the first byte says which.
#include "record.h"

#include "block.h"
#include "entry.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode_log(alm_str bytes, alm_arena *arena)
{
    bool found = true;
    alm_str block_bytes;
    alm_block block;
    alm_log_record record;
    if (alm_log_record_decode(bytes, arena, &record, NULL) != ALM_OK) {
        return;
    }
    while (alm_log_next_block(&record.blocks, &found, &block_bytes, NULL) == ALM_OK && found) {
        (void)!alm_block_open(block_bytes, 4096, NULL, arena, &block, NULL);
    }
}

static void decode_entry(alm_str bytes, alm_entry_kind kind, alm_arena *arena)
{
    alm_buf buf;
    alm_entry entry, again;
    if (alm_entry_decode(bytes, kind, arena, &entry, NULL) != ALM_OK) {
        return;
    }
    alm_buf_init(&buf, 0);
    alm_entry_encode(&entry, &buf);
    ALM_ASSERT(alm_entry_decode(alm_buf_view(&buf), kind, arena, &again, NULL) == ALM_OK);
    ALM_ASSERT(alm_str_eq(alm_entry_code(&entry), alm_entry_code(&again)));
    alm_buf_deinit(&buf);
}

static void decode(uint8_t which, alm_str bytes, alm_arena *arena)
{
    alm_head head;
    alm_batch_record batch;
    alm_quarantined row;
    switch (which % 7) {
    case 0:
        decode_log(bytes, arena);
        break;
    case 1:
        (void)!alm_head_decode(bytes, &head, NULL);
        break;
    case 2:
        (void)!alm_batch_record_decode(bytes, arena, &batch, NULL);
        break;
    case 3:
        (void)!alm_quarantined_decode(bytes, &row, NULL);
        break;
    case 4:
        decode_entry(bytes, ALM_ENTRY_INDICATOR, arena);
        break;
    case 5:
        decode_entry(bytes, ALM_ENTRY_PLACE, arena);
        break;
    default:
        decode_entry(bytes, ALM_ENTRY_SOURCE, arena);
        break;
    }
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
