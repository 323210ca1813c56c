// proto3's JSON mapping of any message, by its descriptor.
//
// Out: names in lowerCamelCase, 64-bit integers as strings, bytes in base64, enums by name, NaN and
// the infinities as strings, floating point as the shortest text that reads back as the same. In:
// names also as in the .proto file, integers also as strings and with an exponent, enums also by
// number, base64 also of the URL's alphabet and without padding, null for what is not set.
//
// Neither way recurses or takes more than time in proportion to its input, so bytes from outside
// may be given to it as they come.
#ifndef ALM_MESSAGE_JSON_H
#define ALM_MESSAGE_JSON_H

#include "alm/arena.h"
#include "alm/buf.h"
#include "alm/status.h"

#include <protobuf-c/protobuf-c.h>

typedef struct alm_json_opts {
    bool defaults;       // also fields at their default, except messages and members of a oneof
    bool original_names; // as in the .proto file
} alm_json_opts;

// Appends the message as one line of JSON, without a line feed. opts: NULL for the usual.
//
// ALM_INVALID_ARGUMENT    a text is not UTF-8, or messages nest deeper than ALM_JSON_DEPTH_MAX
// ALM_RESOURCE_EXHAUSTED  the buffer's limit or the heap
ALM_MUST_USE alm_code alm_message_to_json(const ProtobufCMessage *message,
                                          const alm_json_opts *opts, alm_buf *out, alm_status *st);

// *ret and all it holds live in the arena and nothing of them in json. The status' field is the
// path of what is wrong ("rows[3].value").
//
// ALM_INVALID_ARGUMENT    not JSON, not UTF-8, or not of this type: an unknown field, a value of
//                         another type or out of its range, a field given twice, two members of one
//                         oneof, a text with a NUL, deeper than ALM_JSON_DEPTH_MAX
// ALM_RESOURCE_EXHAUSTED  the arena, or more than ALM_JSON_ELEMENT_COUNT_MAX values
ALM_MUST_USE alm_code alm_message_from_json(const ProtobufCMessageDescriptor *type, alm_str json,
                                            alm_arena *arena, ProtobufCMessage **ret,
                                            alm_status *st);

// A message with nothing set, also of a descriptor that was made at run time and has no
// message_init. NULL: the arena is exhausted.
ALM_MUST_USE ProtobufCMessage *alm_message_create(const ProtobufCMessageDescriptor *type,
                                                  alm_arena *arena);

#endif
