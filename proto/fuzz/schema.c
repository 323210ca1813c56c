// Any bytes as a set of descriptors: refused, or all of it can be written as text, and a message of
// every type made, packed, unpacked and put in JSON there and back.
#include "alm/message_json.h"
#include "alm/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_message(const ProtobufCMessageDescriptor *type, alm_arena *arena, alm_buf *out)
{
    static const alm_json_opts opts = {.defaults = true};
    alm_status st = ALM_STATUS_INIT;
    ProtobufCMessage *again = NULL;
    ProtobufCMessage *message = alm_message_create(type, arena);
    ALM_ASSERT(message != NULL);
    ALM_ASSERT(protobuf_c_message_check(message));
    ALM_ASSERT(protobuf_c_message_get_packed_size(message) == 0);
    alm_buf_reset(out);
    alm_code code = alm_message_to_json(message, &opts, out, &st);
    ALM_ASSERT(code == ALM_OK);
    code = alm_message_from_json(type, alm_buf_view(out), arena, &again, &st);
    // Two fields may have one name in JSON; protoc would not have it so.
    ALM_ASSERT(code == ALM_OK || code == ALM_INVALID_ARGUMENT);
    static const uint8_t none[1];
    ProtobufCMessage *unpacked = protobuf_c_message_unpack(type, NULL, 0, none);
    ALM_ASSERT(unpacked != NULL);
    protobuf_c_message_free_unpacked(unpacked, NULL);
}

static void use(const alm_schema *schema, const alm_symbol *symbol, alm_buf *out)
{
    alm_arena *arena = alm_arena_create(0);
    ALM_ASSERT(arena != NULL);
    const alm_symbol *found = NULL;
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_schema_find(schema, alm_str_from(symbol->name), &found, &st);
    ALM_ASSERT(code == ALM_OK && found == symbol);
    alm_buf_reset(out);
    alm_schema_write(schema, symbol, out);
    ALM_ASSERT(!out->failed && out->len > 0);
    if (symbol->kind == ALM_SYMBOL_MESSAGE) {
        use_message(symbol->message, arena, out);
    } else if (symbol->kind == ALM_SYMBOL_SERVICE) {
        for (unsigned i = 0; i < symbol->service->descriptor->n_methods; i++) {
            alm_schema_write_method(schema, symbol, i, out);
        }
    }
    alm_arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_arena *arena = alm_arena_create((size_t)64 << 20);
    ALM_ASSERT(arena != NULL);
    alm_buf out;
    alm_buf_init(&out, 0);
    alm_schema *schema = NULL;
    alm_status st = ALM_STATUS_INIT;
    alm_str set = {.data = (const char *)data, .len = size};
    if (alm_schema_create(set, arena, &schema, &st) == ALM_OK) {
        size_t count = 0;
        const alm_symbol *symbols = alm_schema_symbols(schema, &count);
        for (size_t i = 0; i < count; i++) {
            use(schema, &symbols[i], &out);
        }
    }
    alm_buf_deinit(&out);
    alm_arena_destroy(&arena);
    return 0;
}
