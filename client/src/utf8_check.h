// protobuf-c takes any bytes for a string; we promise our users UTF-8.
#ifndef ALM_UTF8_CHECK_H
#define ALM_UTF8_CHECK_H

#include "alm/status.h"

#include <protobuf-c/protobuf-c.h>

// Every string of the message and of the messages in it. Messages do not hold themselves (a rule of
// proto/), so the depth is that of the .proto files.
//
// ALM_INTERNAL  a string is not well-formed UTF-8; names message and field
ALM_MUST_USE alm_code alm_utf8_check(const ProtobufCMessage *message, alm_status *st);

#endif
