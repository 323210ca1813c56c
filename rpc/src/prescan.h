// Looks at a message's wire bytes before they are unpacked: protobuf-c has no limit on depth, turns
// two bytes of an empty message into hundreds, copies again and again what a message field repeats,
// and takes any bytes for text.
#ifndef ALM_RPC_PRESCAN_H
#define ALM_RPC_PRESCAN_H

#include "alm/arena.h"
#include "alm/status.h"
#include "alm/str.h"

#include <protobuf-c/protobuf-c.h>

// ret_cost_bytes  set on success: no less than unpacking takes from an allocator that never
//                 reuses
//
// ALM_INVALID_ARGUMENT    not wire format, nested deeper than ALM_RPC_UNPACK_DEPTH_MAX, a message
//                         field twice, or text that is not UTF-8 or holds a NUL
// ALM_RESOURCE_EXHAUSTED  the cost passes ALM_RPC_UNPACK_BYTES_MAX
ALM_MUST_USE alm_code alm_prescan(const ProtobufCMessageDescriptor *type, alm_str wire,
                                  size_t *ret_cost_bytes, alm_status *st);

// Scans, then unpacks into the arena.
//
// ALM_INVALID_ARGUMENT    as above, or a field's wire type is not its own
// ALM_RESOURCE_EXHAUSTED  as above, or the arena is full
ALM_MUST_USE alm_code alm_message_unpack(const ProtobufCMessageDescriptor *type, alm_str wire,
                                         alm_arena *arena, ProtobufCMessage **ret, alm_status *st);

#endif
