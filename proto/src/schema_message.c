// A message descriptor: its fields, and where each lies in the struct that protoc-c would write.
#include "schema_impl.h"

#include "alm/limits.h"
#include "field.h"

#include <stdlib.h>

#define FIELD_NUMBER_MAX ((1 << 29) - 1)

// FieldDescriptorProto.Type and Label.
enum { TYPE_ENUM = 14, TYPE_MESSAGE = 11, TYPE_COUNT = 19 };
enum { LABEL_OPTIONAL = 1, LABEL_REPEATED = 3 };

typedef struct type_row {
    ProtobufCType type;
    bool is_taken;
    bool is_packable;
} type_row;

static const type_row type_rows[TYPE_COUNT] = {
    [1] = {PROTOBUF_C_TYPE_DOUBLE, true, true},
    [2] = {PROTOBUF_C_TYPE_FLOAT, true, true},
    [3] = {PROTOBUF_C_TYPE_INT64, true, true},
    [4] = {PROTOBUF_C_TYPE_UINT64, true, true},
    [5] = {PROTOBUF_C_TYPE_INT32, true, true},
    [6] = {PROTOBUF_C_TYPE_FIXED64, true, true},
    [7] = {PROTOBUF_C_TYPE_FIXED32, true, true},
    [8] = {PROTOBUF_C_TYPE_BOOL, true, true},
    [9] = {PROTOBUF_C_TYPE_STRING, true, false},
    [TYPE_MESSAGE] = {PROTOBUF_C_TYPE_MESSAGE, true, false},
    [12] = {PROTOBUF_C_TYPE_BYTES, true, false},
    [13] = {PROTOBUF_C_TYPE_UINT32, true, true},
    [TYPE_ENUM] = {PROTOBUF_C_TYPE_ENUM, true, true},
    [15] = {PROTOBUF_C_TYPE_SFIXED32, true, true},
    [16] = {PROTOBUF_C_TYPE_SFIXED64, true, true},
    [17] = {PROTOBUF_C_TYPE_SINT32, true, true},
    [18] = {PROTOBUF_C_TYPE_SINT64, true, true},
};

static alm_code refuse(const alm_schema_node *node, const Almanac__Schema__Field *field,
                       const char *what, int32_t value, alm_status *st)
{
    return alm_status_set_field(st, ALM_INVALID_ARGUMENT, node->name, "%s.%s: %s %d", node->name,
                                field->name, what, value);
}

static bool is_repeated(const Almanac__Schema__Field *field)
{
    return field->label == LABEL_REPEATED;
}

static bool is_in_oneof(const Almanac__Schema__Field *field)
{
    return field->has_oneof_index && !field->proto3_optional;
}

static alm_code check_field(const alm_schema_node *node, const Almanac__Schema__Field *field,
                            alm_status *st)
{
    if (field->number < 1 || field->number > FIELD_NUMBER_MAX) {
        return refuse(node, field, "no field has number", field->number, st);
    }
    if (field->type < 0 || field->type >= TYPE_COUNT || !type_rows[field->type].is_taken) {
        return refuse(node, field, "not taken: type", field->type, st);
    }
    if (field->label != LABEL_OPTIONAL && field->label != LABEL_REPEATED) {
        return refuse(node, field, "not taken: label", field->label, st);
    }
    bool has_presence = field->has_oneof_index || field->proto3_optional;
    if (has_presence && is_repeated(field)) {
        return refuse(node, field, "a list cannot be in oneof", field->oneof_index, st);
    }
    if (field->has_oneof_index &&
        (field->oneof_index < 0 || (size_t)field->oneof_index >= node->message->n_oneof_decl)) {
        return refuse(node, field, "there is no oneof", field->oneof_index, st);
    }
    return ALM_OK;
}

static uint32_t flags_of(const Almanac__Schema__Field *field)
{
    const Almanac__Schema__FieldOptions *options = field->options;
    bool is_packed = is_repeated(field) && type_rows[field->type].is_packable &&
                     !(options != NULL && options->has_packed && !options->packed);
    bool is_deprecated = options != NULL && options->deprecated;
    return (is_packed ? (uint32_t)PROTOBUF_C_FIELD_FLAG_PACKED : 0) |
           (is_deprecated ? (uint32_t)PROTOBUF_C_FIELD_FLAG_DEPRECATED : 0) |
           (is_in_oneof(field) ? (uint32_t)PROTOBUF_C_FIELD_FLAG_ONEOF : 0);
}

// Everything of the field but where it lies. A text's default is what protobuf-c writes into new
// messages: nothing where being set matters, or it would stand in a oneof of which it is no member.
static alm_code take_field(const alm_schema *schema, const alm_schema_node *node,
                           const Almanac__Schema__Field *field, ProtobufCFieldDescriptor *ret,
                           alm_status *st)
{
    ALM_TRY(check_field(node, field, st));
    bool has_presence = is_in_oneof(field) || field->proto3_optional;
    *ret = (ProtobufCFieldDescriptor){.name = field->name,
                                      .id = (uint32_t)field->number,
                                      .label = is_repeated(field)       ? PROTOBUF_C_LABEL_REPEATED
                                               : field->proto3_optional ? PROTOBUF_C_LABEL_OPTIONAL
                                                                        : PROTOBUF_C_LABEL_NONE,
                                      .type = type_rows[field->type].type,
                                      .flags = flags_of(field)};
    if (ret->type == PROTOBUF_C_TYPE_STRING && !has_presence) {
        ret->default_value = &protobuf_c_empty_string;
    }
    const alm_schema_node *type = NULL;
    if (ret->type == PROTOBUF_C_TYPE_MESSAGE) {
        ALM_TRY(alm_schema_resolve(schema, node, field->name, field->type_name, ALM_SYMBOL_MESSAGE,
                                   &type, st));
        ret->descriptor = type->message_descriptor;
    } else if (ret->type == PROTOBUF_C_TYPE_ENUM) {
        ALM_TRY(alm_schema_resolve(schema, node, field->name, field->type_name, ALM_SYMBOL_ENUM,
                                   &type, st));
        ret->descriptor = type->enum_descriptor;
    }
    return ALM_OK;
}

// --- where fields lie ----------------------------------------------------------------------------

static size_t align(size_t at, size_t alignment)
{
    return (at + alignment - 1) / alignment * alignment;
}

// A member of the size, behind what is there. Scalars and pointers are aligned to their size;
// ProtobufCBinaryData is a size and a pointer.
static unsigned put(size_t *at, size_t size)
{
    size_t offset = align(*at, ALM_MIN(size, sizeof(void *)));
    *at = offset + size;
    return (unsigned)offset;
}

// size_t n_name; T *name;    protobuf_c_boolean has_name; T name;    T name;
static void put_field(size_t *at, ProtobufCFieldDescriptor *field)
{
    bool is_pointer =
        field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        field->quantifier_offset = put(at, sizeof(size_t));
        field->offset = put(at, sizeof(void *));
        return;
    }
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL && !is_pointer) {
        field->quantifier_offset = put(at, sizeof(protobuf_c_boolean));
    }
    field->offset = put(at, alm_field_size(field));
}

// An enum that says which is set, and a union.
static void put_oneof(size_t *at, const alm_schema_node *node, int32_t oneof,
                      ProtobufCFieldDescriptor *fields)
{
    const Almanac__Schema__Message *message = node->message;
    size_t size_max = 0;
    for (size_t i = 0; i < message->n_field; i++) {
        if (is_in_oneof(message->field[i]) && message->field[i]->oneof_index == oneof) {
            size_max = ALM_MAX(size_max, alm_field_size(&fields[i]));
        }
    }
    if (size_max == 0) { // protobuf's own, around a proto3 optional
        return;
    }
    unsigned quantifier = put(at, sizeof(uint32_t));
    unsigned offset = put(at, size_max);
    for (size_t i = 0; i < message->n_field; i++) {
        if (is_in_oneof(message->field[i]) && message->field[i]->oneof_index == oneof) {
            fields[i].quantifier_offset = quantifier;
            fields[i].offset = offset;
        }
    }
}

// Members in the order of the .proto file, unions behind them. Returns the size of the struct.
static size_t lay_out(const alm_schema_node *node, ProtobufCFieldDescriptor *fields)
{
    size_t at = sizeof(ProtobufCMessage);
    for (size_t i = 0; i < node->message->n_field; i++) {
        if (!is_in_oneof(node->message->field[i])) {
            put_field(&at, &fields[i]);
        }
    }
    for (size_t i = 0; i < node->message->n_oneof_decl; i++) {
        put_oneof(&at, node, (int32_t)i, fields);
    }
    return align(at, _Alignof(ProtobufCMessage));
}

// --- the descriptor ------------------------------------------------------------------------------

static int by_number(const void *a, const void *b)
{
    const ProtobufCFieldDescriptor *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

// Fields by number, and what finds them.
static alm_code index_fields(const alm_schema *schema, const alm_schema_node *node,
                             ProtobufCFieldDescriptor *fields, size_t count, alm_status *st)
{
    ProtobufCMessageDescriptor *type = node->message_descriptor;
    ProtobufCEnumValueIndex *names = alm_arena_calloc(schema->arena, count, sizeof *names);
    int32_t *numbers = alm_arena_calloc(schema->arena, count, sizeof *numbers);
    if (names == NULL || numbers == NULL) {
        return alm_schema_no_memory(st);
    }
    qsort(fields, count, sizeof *fields, by_number);
    for (size_t i = 0; i < count; i++) {
        names[i] = (ProtobufCEnumValueIndex){fields[i].name, (unsigned)i};
        numbers[i] = (int32_t)fields[i].id;
        if (i > 0 && fields[i].id == fields[i - 1].id) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, node->name,
                                        "%s: %s and %s both have number %u", node->name,
                                        fields[i - 1].name, fields[i].name, fields[i].id);
        }
    }
    ALM_TRY(alm_schema_sort_names(node, names, count, st));
    type->fields = fields;
    type->n_fields = (unsigned)count;
    type->fields_sorted_by_name = alm_schema_positions(schema, names, count);
    type->field_ranges = alm_schema_ranges(schema, numbers, count, &type->n_field_ranges);
    return type->fields_sorted_by_name != NULL && type->field_ranges != NULL
               ? ALM_OK
               : alm_schema_no_memory(st);
}

static alm_code check_counts(const alm_schema_node *node, alm_status *st)
{
    const Almanac__Schema__Message *message = node->message;
    if (message->n_field > ALM_SCHEMA_FIELD_COUNT_MAX ||
        message->n_oneof_decl > ALM_SCHEMA_FIELD_COUNT_MAX) {
        return alm_status_set_field(st, ALM_RESOURCE_EXHAUSTED, node->name,
                                    "%s has %zu fields and %zu oneofs, at most %d are taken",
                                    node->name, message->n_field, message->n_oneof_decl,
                                    ALM_SCHEMA_FIELD_COUNT_MAX);
    }
    for (size_t i = 0; i < message->n_oneof_decl; i++) {
        const char *name = message->oneof_decl[i]->name;
        if (name == NULL || !alm_schema_is_name(name)) {
            return alm_status_set_field(st, ALM_INVALID_ARGUMENT, node->name,
                                        "%s: '%s' is no name of a oneof", node->name,
                                        name != NULL ? name : "");
        }
    }
    return ALM_OK;
}

alm_code alm_schema_build_message(const alm_schema *schema, alm_schema_node *node, alm_status *st)
{
    static char nameless[] = "";
    const Almanac__Schema__Message *message = node->message;
    size_t count = message->n_field;
    ALM_TRY(check_counts(node, st));
    ProtobufCFieldDescriptor *fields = alm_arena_calloc(schema->arena, count, sizeof *fields);
    if (fields == NULL) {
        return alm_schema_no_memory(st);
    }
    for (size_t i = 0; i < count; i++) {
        Almanac__Schema__Field *field = message->field[i];
        field->name = field->name != NULL ? field->name : nameless;
        ALM_TRY(take_field(schema, node, field, &fields[i], st));
    }
    size_t size = lay_out(node, fields);
    *node->message_descriptor =
        (ProtobufCMessageDescriptor){.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
                                     .name = node->name,
                                     .short_name = node->short_name,
                                     .c_name = node->name,
                                     .package_name = node->package,
                                     .sizeof_message = size};
    return index_fields(schema, node, fields, count, st);
}
