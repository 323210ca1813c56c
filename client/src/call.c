#include "client.h"

#include "utf8_check.h"

// protobuf-c's structs hold `char *` also for what is only read.
union text_view {
    const char *shared;
    char *plain;
};
union texts_view {
    const char *const *shared;
    char **plain;
};

char *alm_client_text(const char *text)
{
    return (union text_view){.shared = text != NULL ? text : ""}.plain;
}

char **alm_client_texts(const char *const *texts)
{
    return (union texts_view){.shared = texts}.plain;
}

alm_code alm_client_call(almanac_client *client, const char *method, const alm_call_opts *opts,
                         const ProtobufCMessage *request, alm_arena *arena,
                         ProtobufCMessage **ret_reply, alm_status *st)
{
    alm_call_opts its = *opts;
    its.timeout_ms = its.timeout_ms != 0 ? its.timeout_ms : client->timeout_ms;
    ProtobufCMessage *reply = NULL;
    ALM_TRY(alm_channel_call(client->channel, &alm_service_gateway, method, &its, request, arena,
                             &reply, st));
    ALM_TRY(alm_utf8_check(reply, st));
    *ret_reply = reply;
    return ALM_OK;
}

alm_code alm_feed_open(almanac_client *client, const char *method, int64_t timeout_ms,
                       const ProtobufCMessage *request, alm_feed *feed, alm_status *st)
{
    *feed = (alm_feed){.failure = ALM_STATUS_INIT};
    feed->arena = alm_arena_create(0);
    if (feed->arena == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s: out of memory", method);
    }
    alm_call_opts opts = {.timeout_ms = timeout_ms != 0 ? timeout_ms : client->timeout_ms};
    alm_code code = alm_stream_open(client->channel, &alm_service_gateway, method, &opts, request,
                                    &feed->stream, st);
    if (code != ALM_OK) {
        alm_feed_close(feed);
    }
    return code;
}

alm_code alm_feed_fail(alm_feed *feed, const alm_status *st)
{
    feed->failure = *st;
    alm_stream_close(&feed->stream);
    return st->code;
}

alm_code alm_feed_next(alm_feed *feed, ProtobufCMessage **ret_message, alm_status *st)
{
    if (feed->failure.code != ALM_OK) {
        return alm_status_copy(st, &feed->failure);
    }
    *ret_message = NULL;
    if (feed->stream == NULL) {
        return ALM_OK;
    }
    alm_status why = ALM_STATUS_INIT;
    alm_code code = alm_stream_next(feed->stream, feed->arena, ret_message, &why);
    if (code == ALM_OK && *ret_message != NULL) {
        code = alm_utf8_check(*ret_message, &why);
    }
    if (code != ALM_OK) {
        (void)alm_feed_fail(feed, &why);
        return alm_status_copy(st, &why);
    }
    if (*ret_message == NULL) {
        alm_stream_close(&feed->stream);
    }
    return ALM_OK;
}

void alm_feed_close(alm_feed *feed)
{
    alm_stream_close(&feed->stream);
    alm_arena_destroy(&feed->arena);
}
