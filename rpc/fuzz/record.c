// Any frame: records are taken off it as a server and a channel do, and written again they are the
// same bytes.
#include "alm/arena.h"
#include "hello.h"
#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_inside(const alm_record *record)
{
    alm_str value;
    (void)alm_metadata_find(record->metadata, ALM_STR("field"), &value);
    (void)alm_metadata_find(record->metadata, ALM_STR(ALM_METADATA_REQUEST_ID), &value);
    alm_arena *arena = alm_arena_create(1u << 20);
    ALM_ASSERT(arena != NULL);
    alm_hello hello;
    if (alm_hello_decode(record->payload, arena, &hello, NULL) == ALM_OK) {
        uint32_t method = 0;
        for (uint32_t i = 0; i < hello.service_count; i++) {
            ALM_ASSERT(hello.services[i].method_first == method);
            method += hello.services[i].method_count;
        }
    }
    alm_arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_reader frame = alm_reader_of(data, size);
    alm_buf again;
    alm_buf_init(&again, 0);
    while (alm_reader_left(&frame) > 0) {
        alm_record record;
        if (alm_record_next(&frame, &record, NULL) != ALM_OK) {
            break;
        }
        look_inside(&record);
        ALM_ASSERT(alm_record_append(&again, &record));
        ALM_ASSERT(again.len <= size && memcmp(again.data, data, again.len) == 0);
    }
    for (size_t at = 0; at < again.len;) {
        alm_str rest = alm_str_slice(alm_buf_view(&again), at, again.len);
        size_t count = 0;
        at += alm_record_batch_len(rest, &count);
        ALM_ASSERT(count > 0);
    }
    alm_buf_deinit(&again);
    return 0;
}
