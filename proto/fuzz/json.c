// Any bytes as JSON of a message: refused, or read, packed, written and read again as the same.
#include "alm/message_json.h"

#include "alm/method_types.h"
#include "every.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static alm_bytes pack(const ProtobufCMessage *message, alm_arena *arena)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = alm_arena_alloc(arena, size);
    ALM_ASSERT(bytes != NULL);
    size_t packed = protobuf_c_message_pack(message, bytes);
    ALM_ASSERT(packed == size);
    return (alm_bytes){bytes, size};
}

static void check_again(const ProtobufCMessage *message, alm_arena *arena)
{
    alm_buf out;
    ProtobufCMessage *again = NULL;
    alm_status st = ALM_STATUS_INIT;
    alm_buf_init(&out, 0);
    alm_code code = alm_message_to_json(message, NULL, &out, &st);
    ALM_ASSERT(code == ALM_OK);
    code = alm_message_from_json(message->descriptor, alm_buf_view(&out), arena, &again, &st);
    ALM_ASSERT(code == ALM_OK);
    alm_bytes a = pack(message, arena), b = pack(again, arena);
    ALM_ASSERT(a.len == b.len);
    ALM_ASSERT(memcmp(a.data, b.data, a.len) == 0);
    alm_buf_deinit(&out);
}

// Every type there is, and what methods take and give.
static const ProtobufCMessageDescriptor *choose_type(uint8_t number)
{
    const ProtobufCMessageDescriptor *types[ALM_METHOD_TYPE_COUNT_MAX];
    size_t place = number % (1 + alm_method_types(types));
    return place == 0 ? &almanac__test__every__descriptor : types[place - 1];
}

// The first byte chooses the message.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    alm_arena *arena = alm_arena_create((size_t)64 << 20);
    ALM_ASSERT(arena != NULL);
    ProtobufCMessage *message = NULL;
    alm_status st = ALM_STATUS_INIT;
    alm_str json = {.data = (const char *)data + 1, .len = size - 1};
    if (alm_message_from_json(choose_type(data[0]), json, arena, &message, &st) == ALM_OK) {
        check_again(message, arena);
    } else {
        ALM_ASSERT(st.code != ALM_OK && st.message[0] != '\0');
    }
    alm_arena_destroy(&arena);
    return 0;
}
