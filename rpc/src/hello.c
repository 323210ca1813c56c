#include "hello.h"

#include "types.h"

static void put_name(alm_buf *out, const char *name)
{
    size_t len = strlen(name);
    ALM_ASSERT(len > 0 && len <= UINT8_MAX);
    alm_buf_u8(out, (uint8_t)len);
    alm_buf_append(out, name, len);
}

static uint8_t method_flags(const alm_method_def *method)
{
    return (uint8_t)((alm_method_server_streams(method) ? ALM_HELLO_SERVER_STREAM : 0) |
                     (alm_method_client_streams(method) ? ALM_HELLO_CLIENT_STREAM : 0) |
                     (method->repeat == ALM_REPEAT_SAFE ? ALM_HELLO_SAFE : 0) |
                     (method->repeat == ALM_REPEAT_KEYED ? ALM_HELLO_KEYED : 0));
}

static void put_service(alm_buf *out, const alm_service_def *def, bool is_serving)
{
    unsigned count = def->descriptor->n_methods;
    ALM_ASSERT(count <= ALM_HELLO_METHOD_COUNT_MAX);
    put_name(out, def->descriptor->name);
    alm_buf_u64(out, alm_service_checksum(def));
    alm_buf_u8(out, is_serving ? ALM_HELLO_SERVING : 0);
    alm_buf_u16(out, (uint16_t)count);
    for (unsigned i = 0; i < count; i++) {
        put_name(out, def->methods[i].name);
        alm_buf_u8(out, method_flags(&def->methods[i]));
    }
}

bool alm_hello_encode(alm_buf *out, const alm_hello *hello, const alm_service_def *const *defs,
                      const bool *are_serving, size_t def_count)
{
    ALM_ASSERT(def_count <= ALM_HELLO_SERVICE_COUNT_MAX);
    alm_buf_u32(out, ALM_WIRE_MAGIC);
    alm_buf_u16(out, ALM_WIRE_VERSION);
    alm_buf_u32(out, hello->message_bytes_max);
    alm_buf_u32(out, hello->heartbeat_ms);
    alm_buf_u32(out, hello->window_bytes);
    alm_buf_u32(out, hello->window_messages);
    alm_buf_u32(out, hello->stream_count_max);
    alm_buf_u16(out, (uint16_t)def_count);
    for (size_t i = 0; i < def_count; i++) {
        put_service(out, defs[i], are_serving[i]);
    }
    return !out->failed;
}

static void read_service(alm_reader *r, alm_hello_service *ret)
{
    ret->name = alm_read_bytes(r, alm_read_u8(r));
    ret->checksum = alm_read_u64(r);
    ret->is_serving = (alm_read_u8(r) & ALM_HELLO_SERVING) != 0;
    ret->method_count = alm_read_u16(r);
    for (uint32_t i = 0; i < ret->method_count && !r->failed; i++) {
        alm_read_bytes(r, alm_read_u8(r)); // names and flags are for people and other languages
        alm_read_u8(r);
    }
}

static alm_code read_services(alm_reader *r, alm_arena *arena, alm_hello *ret, alm_status *st)
{
    size_t count = ret->service_count;
    if (count > ALM_HELLO_SERVICE_COUNT_MAX) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "a HELLO with %zu services", count);
    }
    alm_hello_service *services = alm_arena_calloc(arena, count, sizeof *services);
    if (services == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %zu services", count);
    }
    uint32_t method_next = 0;
    for (size_t i = 0; i < count && !r->failed; i++) {
        read_service(r, &services[i]);
        char *name = alm_arena_strdup(arena, services[i].name);
        if (name == NULL) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a service's name");
        }
        services[i].name.data = name;
        services[i].method_first = method_next;
        method_next += services[i].method_count;
    }
    ret->services = services;
    return ALM_OK;
}

alm_code alm_hello_decode(alm_str payload, alm_arena *arena, alm_hello *ret, alm_status *st)
{
    alm_reader r = alm_reader_of(payload.data, payload.len);
    uint32_t magic = alm_read_u32(&r);
    uint16_t version = alm_read_u16(&r);
    if (r.failed || magic != ALM_WIRE_MAGIC) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "not a HELLO of this protocol");
    }
    if (version != ALM_WIRE_VERSION) {
        return alm_status_set(st, ALM_FAILED_PRECONDITION,
                              "the peer speaks version %u of the protocol, we speak %d",
                              (unsigned)version, ALM_WIRE_VERSION);
    }
    *ret = (alm_hello){.message_bytes_max = alm_read_u32(&r)};
    ret->heartbeat_ms = alm_read_u32(&r);
    ret->window_bytes = alm_read_u32(&r);
    ret->window_messages = alm_read_u32(&r);
    ret->stream_count_max = alm_read_u32(&r);
    ret->service_count = alm_read_u16(&r);
    ALM_TRY(read_services(&r, arena, ret, st));
    if (r.failed || alm_reader_left(&r) > 0) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "a malformed HELLO of %zu bytes",
                              payload.len);
    }
    return ALM_OK;
}

// FNV-1a, 64 bits: trivial to write in any language.
typedef struct checksum {
    uint64_t value;
} checksum;

static void add_byte(checksum *sum, uint8_t byte)
{
    sum->value = (sum->value ^ byte) * UINT64_C(0x100000001b3);
}

static void add_text(checksum *sum, const char *text)
{
    for (; *text != '\0'; text++) {
        add_byte(sum, (uint8_t)*text);
    }
    add_byte(sum, 0);
}

static void add_u32(checksum *sum, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        add_byte(sum, (uint8_t)(v >> (8 * i)));
    }
}

static void add_message(checksum *sum, const ProtobufCMessageDescriptor *message)
{
    add_text(sum, message->name);
    for (unsigned i = 0; i < message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        add_u32(sum, field->id);
        add_byte(sum, (uint8_t)alm_field_proto_type(field));
        add_byte(sum, field->label == PROTOBUF_C_LABEL_REPEATED ? 1 : 0);
        if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            const ProtobufCMessageDescriptor *type = field->descriptor;
            add_text(sum, type->name);
        }
    }
    add_u32(sum, 0); // no field has number 0: the end
}

uint64_t alm_service_checksum(const alm_service_def *def)
{
    checksum sum = {.value = UINT64_C(0xcbf29ce484222325)};
    const ProtobufCServiceDescriptor *service = def->descriptor;
    alm_type_set types;
    alm_type_set_init(&types);
    add_text(&sum, service->name);
    for (unsigned i = 0; i < service->n_methods; i++) {
        const ProtobufCMethodDescriptor *method = &service->methods[i];
        add_text(&sum, method->name);
        add_byte(&sum, (uint8_t)def->methods[i].kind);
        add_text(&sum, method->input->name);
        add_text(&sum, method->output->name);
        alm_type_set_add(&types, method->input);
        alm_type_set_add(&types, method->output);
    }
    for (size_t i = 0; i < types.message_count; i++) {
        add_message(&sum, types.messages[i]);
    }
    return sum.value;
}

int alm_service_method_find(const alm_service_def *def, const char *method)
{
    for (unsigned i = 0; i < def->descriptor->n_methods; i++) {
        if (strcmp(def->descriptor->methods[i].name, method) == 0) {
            return (int)i;
        }
    }
    return -1;
}
