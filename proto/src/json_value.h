// One JSON value that is neither an object nor a list, from a token into a field of a message.
#ifndef ALM_PROTO_JSON_VALUE_H
#define ALM_PROTO_JSON_VALUE_H

#include "json_lexer.h"

#include <protobuf-c/protobuf-c.h>

typedef enum alm_json_result {
    ALM_JSON_VALUE_OK,
    ALM_JSON_VALUE_TYPE,  // not a value of the field's type
    ALM_JSON_VALUE_RANGE, // a number beyond the type
    ALM_JSON_VALUE_NUL,
    ALM_JSON_VALUE_SURROGATE,
    ALM_JSON_VALUE_MEMORY,
} alm_json_result;

// where: the field's place in a message or a list. field: not a message.
alm_json_result alm_json_value_read(const alm_json_lexer *lexer,
                                    const ProtobufCFieldDescriptor *field, alm_arena *arena,
                                    void *where);

#endif
