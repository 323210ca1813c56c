// Calls of a server that are passed on to a channel: what each half calls when something came for
// the other. With the lock held; each may finish the call and free its stream.
#ifndef ALM_RPC_FORWARD_H
#define ALM_RPC_FORWARD_H

#include "alm/channel.h"
#include "alm/server.h"

void alm_call_forward(alm_call *call);      // of a method that is forwarded
void alm_call_stop_forward(alm_call *call); // as its stop_code says
void alm_call_pump_forward(alm_call *call); // what can be passed on, either way

void alm_forward_ended(alm_stream *stream);
size_t alm_forward_size_max(const alm_stream *stream); // of a message that the client takes
// True: the message went to the client, and the stream needs not keep it.
bool alm_forward_message(alm_stream *stream, alm_str payload);
// The call's one answer, which its client takes, came with a good end.
void alm_forward_answer(alm_stream *stream, alm_str answer);

#endif
