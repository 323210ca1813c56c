#include "alm/message_bytes.h"

// protobuf-c does not say why unpacking failed; this remembers whether the arena was full.
typedef struct watched_arena {
    alm_arena *arena;
    bool is_full;
} watched_arena;

static void *watched_alloc(void *arg, size_t size)
{
    watched_arena *watched = arg;
    void *memory = alm_arena_alloc(watched->arena, size);
    watched->is_full = watched->is_full || memory == NULL;
    return memory;
}

static void watched_free(void *arg, void *memory)
{
    (void)arg;
    (void)memory;
}

ProtobufCMessage *alm_message_from_bytes(const ProtobufCMessageDescriptor *type, alm_str wire,
                                         alm_arena *arena, bool *ret_is_full)
{
    watched_arena watched = {.arena = arena};
    ProtobufCAllocator allocator = {
        .alloc = watched_alloc, .free = watched_free, .allocator_data = &watched};
    static const uint8_t none[1];
    const uint8_t *data = wire.len > 0 ? (const uint8_t *)wire.data : none;
    ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, wire.len, data);
    *ret_is_full = watched.is_full;
    return message;
}

bool alm_message_to_bytes(const ProtobufCMessage *message, size_t size, alm_buf *out)
{
    alm_buf_reset(out);
    uint8_t *at = alm_buf_reserve(out, size);
    if (at == NULL) {
        return false;
    }
    size_t packed = protobuf_c_message_pack(message, at);
    ALM_ASSERT(packed == size);
    out->len = size;
    return true;
}
