// Messages as they travel.
#ifndef ALM_MESSAGE_H
#define ALM_MESSAGE_H

#include "alm/arena.h"
#include "alm/status.h"
#include "alm/str.h"

#include <protobuf-c/protobuf-c.h>

// Unpacks into the arena what may come from anywhere: looks at the bytes first, since protobuf-c
// would take any depth, any text and any number of elements.
//
//   element_count_max  fields on the wire in all parts of the message, where a packed field counts
//                      as often as it has values: alm_rpc_limits has one
//
// ALM_INVALID_ARGUMENT    not wire format, nested deeper than ALM_RPC_UNPACK_DEPTH_MAX, a message
//                         field twice, text that is not UTF-8 or holds a NUL, or a field's wire
//                         type is not its own
// ALM_RESOURCE_EXHAUSTED  more elements than that, it would take more than
//                         ALM_RPC_UNPACK_BYTES_MAX, or the arena is full
ALM_MUST_USE alm_code alm_message_unpack(const ProtobufCMessageDescriptor *type, alm_str wire,
                                         size_t element_count_max, alm_arena *arena,
                                         ProtobufCMessage **ret, alm_status *st);

#endif
