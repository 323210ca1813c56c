// The message and enum types that can be reached from services' methods, in order of discovery.
#ifndef ALM_RPC_TYPES_H
#define ALM_RPC_TYPES_H

#include <protobuf-c/protobuf-c.h>

#include <stdbool.h>
#include <stddef.h>

#define ALM_TYPE_COUNT_MAX 512 // asserted: our own descriptors, and a schema's, which has no more

typedef struct alm_type_set {
    const ProtobufCMessageDescriptor *messages[ALM_TYPE_COUNT_MAX];
    size_t message_count;
    const ProtobufCEnumDescriptor *enums[ALM_TYPE_COUNT_MAX];
    size_t enum_count;
} alm_type_set;

void alm_type_set_init(alm_type_set *set);

// Adds the message and all that its fields reach, breadth first, fields by number; what is there
// stays.
void alm_type_set_add(alm_type_set *set, const ProtobufCMessageDescriptor *message);

// protobuf's number of the field's type (descriptor.proto, FieldDescriptorProto.Type): 9 is string.
int alm_field_proto_type(const ProtobufCFieldDescriptor *field);
// As written in a .proto file: "string", "message", "enum".
const char *alm_field_type_name(const ProtobufCFieldDescriptor *field);

#endif
