#include "types.h"

#include "alm/assert.h"
#include "alm/limits.h"

_Static_assert(ALM_SCHEMA_SYMBOL_COUNT_MAX <= ALM_TYPE_COUNT_MAX, "a schema fits a set");

typedef struct type_row {
    int number;
    const char *name;
} type_row;

static const type_row type_rows[] = {
    [PROTOBUF_C_TYPE_INT32] = {5, "int32"},        [PROTOBUF_C_TYPE_SINT32] = {17, "sint32"},
    [PROTOBUF_C_TYPE_SFIXED32] = {15, "sfixed32"}, [PROTOBUF_C_TYPE_INT64] = {3, "int64"},
    [PROTOBUF_C_TYPE_SINT64] = {18, "sint64"},     [PROTOBUF_C_TYPE_SFIXED64] = {16, "sfixed64"},
    [PROTOBUF_C_TYPE_UINT32] = {13, "uint32"},     [PROTOBUF_C_TYPE_FIXED32] = {7, "fixed32"},
    [PROTOBUF_C_TYPE_UINT64] = {4, "uint64"},      [PROTOBUF_C_TYPE_FIXED64] = {6, "fixed64"},
    [PROTOBUF_C_TYPE_FLOAT] = {2, "float"},        [PROTOBUF_C_TYPE_DOUBLE] = {1, "double"},
    [PROTOBUF_C_TYPE_BOOL] = {8, "bool"},          [PROTOBUF_C_TYPE_ENUM] = {14, "enum"},
    [PROTOBUF_C_TYPE_STRING] = {9, "string"},      [PROTOBUF_C_TYPE_BYTES] = {12, "bytes"},
    [PROTOBUF_C_TYPE_MESSAGE] = {11, "message"},
};

int alm_field_proto_type(const ProtobufCFieldDescriptor *field)
{
    ALM_ASSERT(field->type < ALM_ARRAY_LEN(type_rows));
    return type_rows[field->type].number;
}

const char *alm_field_type_name(const ProtobufCFieldDescriptor *field)
{
    ALM_ASSERT(field->type < ALM_ARRAY_LEN(type_rows));
    return type_rows[field->type].name;
}

void alm_type_set_init(alm_type_set *set)
{
    set->message_count = 0;
    set->enum_count = 0;
}

static void add_enum(alm_type_set *set, const ProtobufCEnumDescriptor *type)
{
    for (size_t i = 0; i < set->enum_count; i++) {
        if (set->enums[i] == type) {
            return;
        }
    }
    ALM_ASSERT(set->enum_count < ALM_TYPE_COUNT_MAX);
    set->enums[set->enum_count++] = type;
}

static void add_one(alm_type_set *set, const ProtobufCMessageDescriptor *message)
{
    for (size_t i = 0; i < set->message_count; i++) {
        if (set->messages[i] == message) {
            return;
        }
    }
    ALM_ASSERT(set->message_count < ALM_TYPE_COUNT_MAX);
    set->messages[set->message_count++] = message;
}

void alm_type_set_add(alm_type_set *set, const ProtobufCMessageDescriptor *message)
{
    size_t at = set->message_count;
    add_one(set, message);
    for (; at < set->message_count; at++) {
        const ProtobufCMessageDescriptor *type = set->messages[at];
        for (unsigned i = 0; i < type->n_fields; i++) {
            const ProtobufCFieldDescriptor *field = &type->fields[i];
            if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
                add_one(set, field->descriptor);
            } else if (field->type == PROTOBUF_C_TYPE_ENUM) {
                add_enum(set, field->descriptor);
            }
        }
    }
}
