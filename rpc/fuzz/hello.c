// Any bytes as a HELLO: refused in words, or taken with methods numbered without a gap. What it
// says of limits can be said again, with services of ours.
#include "hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_BYTES_MAX ((size_t)1 << 20)

static void check_services(const alm_hello *hello)
{
    uint32_t method = 0;
    ALM_ASSERT(hello->service_count <= ALM_HELLO_SERVICE_COUNT_MAX);
    for (uint32_t i = 0; i < hello->service_count; i++) {
        const alm_hello_service *service = &hello->services[i];
        ALM_ASSERT(service->name.len <= UINT8_MAX);
        ALM_ASSERT(service->name.data[service->name.len] == '\0');
        ALM_ASSERT(service->method_first == method);
        method += service->method_count;
    }
}

static void check_again(const alm_hello *hello, alm_arena *arena)
{
    static const alm_service_def *const defs[] = {&alm_service_storage, &alm_service_health};
    const bool are_serving[] = {(hello->heartbeat_ms & 1) != 0, (hello->heartbeat_ms & 2) != 0};
    alm_buf out;
    alm_hello again;
    alm_buf_init(&out, 0);
    bool is_written = alm_hello_encode(&out, hello, defs, are_serving, ALM_ARRAY_LEN(defs));
    ALM_ASSERT(is_written);
    alm_code code = alm_hello_decode(alm_buf_view(&out), arena, &again, NULL);
    ALM_ASSERT(code == ALM_OK);
    ALM_ASSERT(again.message_bytes_max == hello->message_bytes_max);
    ALM_ASSERT(again.heartbeat_ms == hello->heartbeat_ms);
    ALM_ASSERT(again.window_bytes == hello->window_bytes);
    ALM_ASSERT(again.window_messages == hello->window_messages);
    ALM_ASSERT(again.stream_count_max == hello->stream_count_max);
    ALM_ASSERT(again.service_count == ALM_ARRAY_LEN(defs));
    check_services(&again);
    for (size_t i = 0; i < ALM_ARRAY_LEN(defs); i++) {
        ALM_ASSERT(again.services[i].is_serving == are_serving[i]);
        ALM_ASSERT(again.services[i].method_count == defs[i]->descriptor->n_methods);
    }
    alm_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_hello hello;
    alm_status st = ALM_STATUS_INIT;
    alm_arena *arena = alm_arena_create(ARENA_BYTES_MAX);
    ALM_ASSERT(arena != NULL);
    alm_str payload = {.data = (const char *)data, .len = size};
    alm_code code = alm_hello_decode(payload, arena, &hello, &st);
    if (code == ALM_OK) {
        check_services(&hello);
        check_again(&hello, arena);
    } else {
        ALM_ASSERT(code == ALM_INVALID_ARGUMENT || code == ALM_FAILED_PRECONDITION);
        ALM_ASSERT(st.message[0] != '\0');
    }
    alm_arena_destroy(&arena);
    return 0;
}
