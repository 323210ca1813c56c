// Messages to bytes and back by protobuf-c, in memory of ours.
#ifndef ALM_MESSAGE_BYTES_H
#define ALM_MESSAGE_BYTES_H

#include "alm/arena.h"
#include "alm/buf.h"

#include <protobuf-c/protobuf-c.h>

#include <stdbool.h>

// The message, in the arena. NULL: *ret_is_full says whether the arena was full; else the bytes are
// no such message. Bytes from outside are looked at before: protobuf-c takes any depth, any text
// and any number of elements.
ProtobufCMessage *alm_message_from_bytes(const ProtobufCMessageDescriptor *type, alm_str wire,
                                         alm_arena *arena, bool *ret_is_full);

// size: the message's, packed. What was in out is gone. False: no memory.
ALM_MUST_USE bool alm_message_to_bytes(const ProtobufCMessage *message, size_t size, alm_buf *out);

#endif
