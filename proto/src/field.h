// What the parts of the JSON codec know of protobuf-c's fields.
#ifndef ALM_PROTO_FIELD_H
#define ALM_PROTO_FIELD_H

#include "alm/str.h"

#include <protobuf-c/protobuf-c.h>

// Bytes of one value of the field in a message or a list.
size_t alm_field_size(const ProtobufCFieldDescriptor *field);

// "int64", "string", "message" ... as in a .proto file.
const char *alm_field_kind(const ProtobufCFieldDescriptor *field);

// Where the field lies, and what its quantifier points to: a list's count, a oneof's case, a has_
// flag.
void *alm_field_at(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
void *alm_field_quantifier(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

bool alm_field_is_repeated(const ProtobufCFieldDescriptor *field);
bool alm_field_is_in_oneof(const ProtobufCFieldDescriptor *field);

// The name in lowerCamelCase, as protobuf derives it: "_x" becomes "X". out has room for name.
// Returns its length.
size_t alm_field_json_name(const char *name, char *out);
bool alm_field_has_json_name(const ProtobufCFieldDescriptor *field, alm_str name);

#endif
