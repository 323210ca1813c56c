// The types of all messages that methods take or give.
#ifndef ALM_METHOD_TYPES_H
#define ALM_METHOD_TYPES_H

#include <protobuf-c/protobuf-c.h>

#include <stddef.h>

#define ALM_METHOD_TYPE_COUNT_MAX 64

// Each once, requests first, in the services' order. Returns their count.
size_t alm_method_types(const ProtobufCMessageDescriptor *ret[ALM_METHOD_TYPE_COUNT_MAX]);

#endif
