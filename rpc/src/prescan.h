// Looks at a message's wire bytes before they are unpacked: protobuf-c has no limit on depth, turns
// two bytes of an empty message into hundreds, copies again and again what a message field repeats,
// and takes any bytes for text.
#ifndef ALM_RPC_PRESCAN_H
#define ALM_RPC_PRESCAN_H

#include "alm/message.h"

// element_count_max  fields on the wire in all parts of the message, where a packed field counts as
//                    often as it has values
// ret_cost_bytes     set on success: no less than unpacking takes from an allocator that never
//                    reuses
//
// ALM_INVALID_ARGUMENT    not wire format, nested deeper than ALM_RPC_UNPACK_DEPTH_MAX, a message
//                         field twice, or text that is not UTF-8 or holds a NUL
// ALM_RESOURCE_EXHAUSTED  more elements than that, or the cost passes ALM_RPC_UNPACK_BYTES_MAX
ALM_MUST_USE alm_code alm_prescan(const ProtobufCMessageDescriptor *type, alm_str wire,
                                  size_t element_count_max, size_t *ret_cost_bytes, alm_status *st);

#endif
