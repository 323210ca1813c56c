#include "field.h"

#include "alm/message_json.h"

typedef struct type_row {
    const char *kind;
    size_t size;
} type_row;

static const type_row type_rows[] = {
    [PROTOBUF_C_TYPE_INT32] = {"int32", sizeof(int32_t)},
    [PROTOBUF_C_TYPE_SINT32] = {"sint32", sizeof(int32_t)},
    [PROTOBUF_C_TYPE_SFIXED32] = {"sfixed32", sizeof(int32_t)},
    [PROTOBUF_C_TYPE_INT64] = {"int64", sizeof(int64_t)},
    [PROTOBUF_C_TYPE_SINT64] = {"sint64", sizeof(int64_t)},
    [PROTOBUF_C_TYPE_SFIXED64] = {"sfixed64", sizeof(int64_t)},
    [PROTOBUF_C_TYPE_UINT32] = {"uint32", sizeof(uint32_t)},
    [PROTOBUF_C_TYPE_FIXED32] = {"fixed32", sizeof(uint32_t)},
    [PROTOBUF_C_TYPE_UINT64] = {"uint64", sizeof(uint64_t)},
    [PROTOBUF_C_TYPE_FIXED64] = {"fixed64", sizeof(uint64_t)},
    [PROTOBUF_C_TYPE_FLOAT] = {"float", sizeof(float)},
    [PROTOBUF_C_TYPE_DOUBLE] = {"double", sizeof(double)},
    [PROTOBUF_C_TYPE_BOOL] = {"bool", sizeof(protobuf_c_boolean)},
    [PROTOBUF_C_TYPE_ENUM] = {"enum", sizeof(int32_t)},
    [PROTOBUF_C_TYPE_STRING] = {"string", sizeof(char *)},
    [PROTOBUF_C_TYPE_BYTES] = {"bytes", sizeof(ProtobufCBinaryData)},
    [PROTOBUF_C_TYPE_MESSAGE] = {"message", sizeof(ProtobufCMessage *)},
};

size_t alm_field_size(const ProtobufCFieldDescriptor *field)
{
    ALM_ASSERT(field->type < ALM_ARRAY_LEN(type_rows));
    return type_rows[field->type].size;
}

const char *alm_field_kind(const ProtobufCFieldDescriptor *field)
{
    ALM_ASSERT(field->type < ALM_ARRAY_LEN(type_rows));
    return type_rows[field->type].kind;
}

void *alm_field_at(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (char *)message + field->offset;
}

void *alm_field_quantifier(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (char *)message + field->quantifier_offset;
}

bool alm_field_is_repeated(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

bool alm_field_is_in_oneof(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

size_t alm_field_json_name(const char *name, char *out)
{
    size_t len = 0;
    bool is_start = false;
    for (; *name != '\0'; name++) {
        if (*name == '_') {
            is_start = true;
            continue;
        }
        out[len++] = is_start ? upper(*name) : *name;
        is_start = false;
    }
    return len;
}

bool alm_field_has_json_name(const ProtobufCFieldDescriptor *field, alm_str name)
{
    size_t len = 0;
    bool is_start = false;
    for (const char *c = field->name; *c != '\0'; c++) {
        if (*c == '_') {
            is_start = true;
            continue;
        }
        if (len == name.len || name.data[len] != (is_start ? upper(*c) : *c)) {
            return false;
        }
        len++;
        is_start = false;
    }
    return len == name.len;
}

// What protobuf-c does itself for a descriptor without message_init, but only while unpacking.
static void init_by_fields(const ProtobufCMessageDescriptor *type, ProtobufCMessage *message)
{
    message->descriptor = type;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        bool is_text = field->type == PROTOBUF_C_TYPE_STRING;
        if (is_text && field->default_value != NULL && !alm_field_is_repeated(field)) {
            *(const void **)alm_field_at(message, field) = field->default_value;
        }
    }
}

ProtobufCMessage *alm_message_create(const ProtobufCMessageDescriptor *type, alm_arena *arena)
{
    ProtobufCMessage *message = alm_arena_calloc(arena, 1, type->sizeof_message);
    if (message == NULL) {
        return NULL;
    }
    if (type->message_init != NULL) {
        type->message_init(message);
    } else {
        init_by_fields(type, message);
    }
    return message;
}
