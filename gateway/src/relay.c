#include "relay.h"

alm_code relay_unary(alm_call *call, alm_channel *channel, const alm_service_def *service,
                     const char *method, const ProtobufCMessage *request, alm_status *st)
{
    alm_call_opts opts = {.parent = call, .idempotency_key = alm_call_idempotency_key(call)};
    ProtobufCMessage *reply;
    ALM_TRY(alm_channel_call(channel, service, method, &opts, request, alm_call_arena(call), &reply,
                             st));
    return alm_call_send(call, reply, st);
}

static alm_code messages_pass(alm_call *call, alm_stream *stream, alm_arena *arena, alm_status *st)
{
    for (;;) {
        ProtobufCMessage *message;
        ALM_TRY(alm_stream_next(stream, arena, &message, st));
        if (message == NULL) {
            return ALM_OK;
        }
        ALM_TRY(alm_call_send(call, message, st));
        alm_arena_reset(arena);
    }
}

alm_code relay_stream(alm_call *call, alm_channel *channel, const alm_service_def *service,
                      const char *method, bool endless, const ProtobufCMessage *request,
                      alm_status *st)
{
    alm_call_opts opts = {.parent = call, .timeout_ms = endless ? -1 : 0};
    alm_stream *stream = NULL;
    if (endless) {
        alm_call_set_endless(call);
    }
    // One message at a time lives here, however long the stream is.
    alm_arena *arena = alm_arena_create(0);
    if (arena == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "out of memory");
    }
    alm_code code = alm_stream_open(channel, service, method, &opts, request, &stream, st);
    if (code == ALM_OK) {
        code = messages_pass(call, stream, arena, st);
    }
    alm_stream_close(&stream);
    alm_arena_destroy(&arena);
    return code;
}
