// Passing a call on to a service as it came, under the same deadline.
#ifndef ALM_GATEWAY_RELAY_H
#define ALM_GATEWAY_RELAY_H

#include "gateway.h"

ALM_MUST_USE alm_code relay_unary(alm_call *call, alm_channel *channel,
                                  const alm_service_def *service, const char *method,
                                  const ProtobufCMessage *request, alm_status *st);

// endless: the stream has no deadline of its own (Watch).
ALM_MUST_USE alm_code relay_stream(alm_call *call, alm_channel *channel,
                                   const alm_service_def *service, const char *method, bool endless,
                                   const ProtobufCMessage *request, alm_status *st);

#endif
