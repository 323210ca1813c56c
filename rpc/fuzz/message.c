// Any bytes as any message that a method takes or gives: refused in words, or unpacked for no more
// memory than the scan said; packed again it is the same message, and so it is by way of JSON.
#include "prescan.h"

#include "alm/alloc.h"
#include "alm/limits.h"
#include "alm/message_json.h"
#include "alm/method_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_BYTES_MAX ((size_t)256 << 20)

static void *count_alloc(void *bytes, size_t size)
{
    *(size_t *)bytes += (size + 15) / 16 * 16;
    return alm_alloc(size);
}

static void count_free(void *bytes, void *memory)
{
    (void)bytes;
    alm_free(memory);
}

// Each part in a block of its own, so that a write past one is caught.
static void check_on_heap(const ProtobufCMessageDescriptor *type, alm_str wire, size_t cost)
{
    size_t taken = 0;
    ProtobufCAllocator allocator = {
        .alloc = count_alloc, .free = count_free, .allocator_data = &taken};
    const uint8_t *data = (const uint8_t *)wire.data;
    ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, wire.len, data);
    ALM_ASSERT(taken <= cost);
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, &allocator);
    }
}

static alm_str pack(const ProtobufCMessage *message, alm_arena *arena)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = alm_arena_alloc(arena, size);
    ALM_ASSERT(bytes != NULL);
    size_t packed = protobuf_c_message_pack(message, bytes);
    ALM_ASSERT(packed == size);
    return (alm_str){.data = (const char *)bytes, .len = size};
}

static void check_packed(const ProtobufCMessage *message, alm_arena *arena)
{
    alm_str packed = pack(message, arena);
    ProtobufCMessage *again = NULL;
    alm_code code = alm_message_unpack(message->descriptor, packed, ALM_RPC_ELEMENT_COUNT_MAX,
                                       arena, &again, NULL);
    ALM_ASSERT(code == ALM_OK);
    ALM_ASSERT(alm_str_eq(pack(again, arena), packed));
}

// JSON has no room for unknown fields, so it is compared with itself.
static void check_json(const ProtobufCMessage *message, alm_arena *arena)
{
    alm_buf first, second;
    ProtobufCMessage *again = NULL;
    alm_buf_init(&first, 0);
    alm_buf_init(&second, 0);
    alm_code code = alm_message_to_json(message, NULL, &first, NULL);
    ALM_ASSERT(code == ALM_OK);
    code = alm_message_from_json(message->descriptor, alm_buf_view(&first), arena, &again, NULL);
    ALM_ASSERT(code == ALM_OK);
    check_packed(again, arena);
    code = alm_message_to_json(again, NULL, &second, NULL);
    ALM_ASSERT(code == ALM_OK);
    ALM_ASSERT(alm_str_eq(alm_buf_view(&first), alm_buf_view(&second)));
    alm_buf_deinit(&first);
    alm_buf_deinit(&second);
}

static void check_in_arena(const ProtobufCMessageDescriptor *type, alm_str wire, size_t cost)
{
    alm_arena *arena = alm_arena_create(ARENA_BYTES_MAX);
    ALM_ASSERT(arena != NULL);
    ProtobufCMessage *message = NULL;
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_message_unpack(type, wire, ALM_RPC_ELEMENT_COUNT_MAX, arena, &message, &st);
    ALM_ASSERT(alm_arena_used(arena) <= cost);
    if (code == ALM_OK) {
        check_packed(message, arena);
        check_json(message, arena);
    } else {
        ALM_ASSERT(code == ALM_INVALID_ARGUMENT && st.message[0] != '\0');
    }
    alm_arena_destroy(&arena);
}

// The first byte chooses the message.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ProtobufCMessageDescriptor *types[ALM_METHOD_TYPE_COUNT_MAX];
    if (size == 0) {
        return 0;
    }
    const ProtobufCMessageDescriptor *type = types[data[0] % alm_method_types(types)];
    alm_str wire = {.data = (const char *)data + 1, .len = size - 1};
    size_t cost = 0;
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_prescan(type, wire, ALM_RPC_ELEMENT_COUNT_MAX, &cost, &st);
    if (code != ALM_OK) {
        ALM_ASSERT(code == ALM_INVALID_ARGUMENT || code == ALM_RESOURCE_EXHAUSTED);
        ALM_ASSERT(st.message[0] != '\0');
        return 0;
    }
    check_on_heap(type, wire, cost);
    check_in_arena(type, wire, cost);
    return 0;
}
