// Any bytes as a message: what the scan lets through protobuf-c unpacks or refuses without harm,
// and takes no more memory than the scan said.
#include "alm/alloc.h"
#include "alm/limits.h"
#include "almanac/internal/reflection.pb-c.h"
#include "almanac/internal/storage.pb-c.h"
#include "almanac/v1/gateway.pb-c.h"
#include "prescan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

// The first byte chooses the message.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &almanac__internal__commit_request__descriptor,
        &almanac__internal__describe_message_response__descriptor,
        &almanac__v1__query_request__descriptor,
    };
    if (size == 0) {
        return 0;
    }
    const ProtobufCMessageDescriptor *type = types[data[0] % ALM_ARRAY_LEN(types)];
    alm_str wire = {.data = (const char *)data + 1, .len = size - 1};
    size_t cost = 0;
    if (alm_prescan(type, wire, ALM_RPC_ELEMENT_COUNT_MAX, &cost, NULL) != ALM_OK) {
        return 0;
    }
    size_t taken = 0;
    ProtobufCAllocator allocator = {
        .alloc = count_alloc, .free = count_free, .allocator_data = &taken};
    ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, size - 1, data + 1);
    ALM_ASSERT(taken <= cost);
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, &allocator);
    }
    return 0;
}
