#include "random_message.h"

#include "alm/message_json.h"

#include <math.h>
#include <stdio.h>

#define DEPTH_MAX 4
#define LIST_MAX  4

uint64_t random_next(random_source *random)
{
    uint64_t v = random->state += UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

static uint64_t below(random_source *random, uint64_t bound)
{
    return random_next(random) % bound;
}

static void *need(void *memory)
{
    ALM_ASSERT(memory != NULL);
    return memory;
}

static uint64_t number(random_source *random)
{
    static const uint64_t ends[] = {
        0,         1, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN, INT32_MAX, (uint64_t)INT32_MIN,
        UINT32_MAX};
    return below(random, 2) == 0 ? ends[below(random, ALM_ARRAY_LEN(ends))]
                                 : random_next(random) >> below(random, 64);
}

static double floating(random_source *random)
{
    static const double ends[] = {0.5, 0.1, 1e300, 5e-324, 1.0 / 3, 123456789012345678.0};
    switch (below(random, 6)) {
    case 0:
        return (double)INFINITY;
    case 1:
        return -(double)INFINITY;
    case 2:
        return ends[below(random, ALM_ARRAY_LEN(ends))];
    case 3:
        return (double)(int64_t)number(random);
    case 4:
        return (double)NAN; // the one that has no payload: JSON knows no other
    default: {
        double v;
        uint64_t bits = random_next(random);
        memcpy(&v, &bits, sizeof v);
        return isnan(v) ? 1.5 : v;
    }
    }
}

static char *text(random_source *random, alm_arena *arena)
{
    static const char *const parts[] = {"a",
                                        "长宁",
                                        "\"",
                                        "\\",
                                        "\n",
                                        "\x01",
                                        "\x7f",
                                        "/",
                                        "\xe2\x80\xa8",
                                        "\xc2\x9b",
                                        "\xf0\x9f\x8c\x8d",
                                        "u0041"};
    char out[64];
    size_t len = 0;
    out[0] = '\0';
    for (uint64_t i = below(random, 8); i > 0; i--) {
        len += (size_t)snprintf(out + len, sizeof out - len, "%s",
                                parts[below(random, ALM_ARRAY_LEN(parts))]);
    }
    return need(alm_arena_strdup(arena, alm_str_from(out)));
}

static ProtobufCBinaryData bytes(random_source *random, alm_arena *arena)
{
    size_t len = (size_t)below(random, 9);
    uint8_t *data = need(alm_arena_alloc(arena, len));
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)random_next(random);
    }
    return (ProtobufCBinaryData){.data = data, .len = len};
}

static ProtobufCMessage *message(random_source *random, const ProtobufCMessageDescriptor *type,
                                 alm_arena *arena, int depth);

static void fill(random_source *random, const ProtobufCFieldDescriptor *field, alm_arena *arena,
                 int depth, void *where)
{
    const ProtobufCEnumDescriptor *values = field->descriptor;
    // + 0: never minus zero, which protobuf-c does not send where a field stands alone.
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        *(uint64_t *)where = number(random);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        *(float *)where = (float)floating(random) + 0.0F;
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)where = floating(random) + 0.0;
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)where = (protobuf_c_boolean)below(random, 2);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int32_t *)where = below(random, 4) == 0
                                ? (int32_t)number(random)
                                : values->values[below(random, values->n_values)].value;
        break;
    case PROTOBUF_C_TYPE_STRING:
        *(char **)where = text(random, arena);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)where = bytes(random, arena);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)where = message(random, field->descriptor, arena, depth + 1);
        break;
    default:
        *(uint32_t *)where = (uint32_t)number(random);
    }
}

static void fill_list(random_source *random, const ProtobufCFieldDescriptor *field,
                      alm_arena *arena, int depth, ProtobufCMessage *in)
{
    size_t count = (size_t)below(random, LIST_MAX);
    size_t slot = sizeof(ProtobufCBinaryData); // the widest; the element's own width is used
    char *elements = need(alm_arena_calloc(arena, count, slot));
    size_t width = field->type == PROTOBUF_C_TYPE_BYTES ? slot : sizeof(uint64_t);
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        width = sizeof(uint32_t);
        break;
    default:
        break;
    }
    for (size_t i = 0; i < count; i++) {
        fill(random, field, arena, depth, elements + i * width);
    }
    *(void **)((char *)in + field->offset) = elements;
    *(size_t *)((char *)in + field->quantifier_offset) = count;
}

static void fill_field(random_source *random, const ProtobufCFieldDescriptor *field,
                       alm_arena *arena, int depth, ProtobufCMessage *in)
{
    bool is_deep = field->type == PROTOBUF_C_TYPE_MESSAGE && depth >= DEPTH_MAX;
    if (is_deep || below(random, 2) == 0) {
        return;
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        fill_list(random, field, arena, depth, in);
        return;
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t *chosen = (uint32_t *)((char *)in + field->quantifier_offset);
        if (*chosen != 0) {
            return;
        }
        *chosen = field->id;
    }
    fill(random, field, arena, depth, (char *)in + field->offset);
}

static ProtobufCMessage *message(random_source *random, const ProtobufCMessageDescriptor *type,
                                 alm_arena *arena, int depth)
{
    ProtobufCMessage *made = need(alm_message_create(type, arena));
    for (unsigned i = 0; i < type->n_fields; i++) {
        fill_field(random, &type->fields[i], arena, depth, made);
    }
    return made;
}

ProtobufCMessage *random_message(random_source *random, const ProtobufCMessageDescriptor *type,
                                 alm_arena *arena)
{
    return message(random, type, arena, 0);
}
