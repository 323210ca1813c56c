// Calls whose caller waits.
#include "client.h"

#include "alm/alloc.h"
#include "alm/message.h"

// --- reading -------------------------------------------------------------------------------------

// Waits for a change, or ends the call when its time is over.
// leads: whether this thread has the I/O thread's place, which it keeps to the end of its waits.
static void wait_for_change(alm_stream *stream, bool *leads)
{
    alm_client *client = stream->channel->client;
    int64_t wait_us = ALM_NEVER_US;
    if (stream->deadline_us != ALM_NEVER_US) {
        wait_us = stream->deadline_us - alm_rpc_now_us(client->rpc);
    }
    if (wait_us <= 0) {
        alm_stream_end_by_deadline(stream);
        return;
    }
    *leads = *leads || alm_io_lead(client->rpc->io);
    if (stream->parent != NULL) {
        alm_call_flush(stream->parent);
    }
    if (*leads) {
        alm_io_wait(client->rpc->io, stream->deadline_us);
    } else {
        alm_cond_wait_us(stream->notify, client->lock, wait_us);
    }
}

// Every wait ends in it.
static void stop_leading(const alm_stream *stream, bool leads)
{
    if (leads) {
        alm_io_leave(stream->channel->client->rpc->io);
    }
}

// The next message; its data is NULL at the good end. Where there is one answer it only counts when
// the call ended well.
static alm_code take_next(alm_stream *stream, bool *leads, alm_str *ret, alm_status *st)
{
    for (;;) {
        bool has_ended = stream->state == ALM_STREAM_ENDED;
        bool may_take = !stream->has_one_answer || (has_ended && stream->end.code == ALM_OK);
        if (may_take && alm_flow_next(&stream->flow, ret)) {
            stream->consumed_count++;
            alm_stream_give_credit(stream);
            return ALM_OK;
        }
        if (has_ended) {
            return stream->end.code == ALM_OK ? ALM_OK : alm_status_copy(st, &stream->end);
        }
        wait_for_change(stream, leads);
    }
}

// Waits until the server takes a message.
static alm_code wait_for_room(alm_stream *stream, bool *leads, alm_status *st)
{
    for (;;) {
        if (stream->state == ALM_STREAM_ENDED) {
            return stream->end.code == ALM_OK
                       ? alm_status_set(st, ALM_CANCELLED, "the server has ended the call")
                       : alm_status_copy(st, &stream->end);
        }
        if (alm_stream_may_send(stream)) {
            return ALM_OK;
        }
        wait_for_change(stream, leads);
    }
}

static alm_code send_message(alm_stream *stream, const ProtobufCMessage *message, size_t size,
                             alm_status *st)
{
    ALM_ASSERT(stream->client_streams && !stream->has_finished);
    bool leads = false;
    alm_code code = wait_for_room(stream, &leads, st);
    if (code == ALM_OK) {
        code = alm_stream_send_packed(stream, message, size, st);
    }
    stop_leading(stream, leads);
    return code;
}

alm_code alm_stream_send(alm_stream *stream, const ProtobufCMessage *message, alm_status *st)
{
    alm_client *client = stream->channel->client;
    size_t size = protobuf_c_message_get_packed_size(message);
    if (size > client->rpc->limits.message_bytes_max) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s of %zu bytes passes the limit of %zu",
                              message->descriptor->name, size,
                              client->rpc->limits.message_bytes_max);
    }
    alm_lock(client->lock);
    alm_code code = send_message(stream, message, size, st);
    alm_unlock(client->lock);
    return code;
}

alm_code alm_stream_finish(alm_stream *stream, alm_status *st)
{
    alm_client *client = stream->channel->client;
    alm_lock(client->lock);
    ALM_ASSERT(stream->client_streams && !stream->has_finished);
    stream->has_finished = true;
    bool is_lost = stream->state == ALM_STREAM_ENDED && stream->end.code != ALM_OK;
    if (stream->state == ALM_STREAM_SENT) {
        alm_stream_send_finish(stream);
    }
    alm_code code = is_lost ? alm_status_copy(st, &stream->end) : ALM_OK;
    alm_unlock(client->lock);
    return code;
}

static alm_code next_packed(alm_stream *stream, bool leads, alm_str *ret, alm_status *st)
{
    alm_client *client = stream->channel->client;
    *ret = (alm_str){0};
    alm_lock(client->lock);
    alm_code code = take_next(stream, &leads, ret, st);
    stop_leading(stream, leads);
    alm_unlock(client->lock);
    return code;
}

alm_code alm_stream_next_packed(alm_stream *stream, alm_str *ret_message, alm_status *st)
{
    return next_packed(stream, false, ret_message, st);
}

static alm_code next(alm_stream *stream, bool leads, alm_arena *arena,
                     ProtobufCMessage **ret_message, alm_status *st)
{
    alm_client *client = stream->channel->client;
    alm_str wire;
    alm_code code;
    ALM_TRY(next_packed(stream, leads, &wire, st));
    if (wire.data == NULL) {
        *ret_message = NULL;
        return ALM_OK;
    }
    alm_status why = ALM_STATUS_INIT;
    const ProtobufCMethodDescriptor *method = &stream->service->descriptor->methods[stream->method];
    code = alm_message_unpack(method->output, wire, client->rpc->limits.element_count_max, arena,
                              ret_message, &why);
    if (code == ALM_OK) {
        return ALM_OK;
    }
    if (code == ALM_INVALID_ARGUMENT) {
        why.code = ALM_INTERNAL; // the server's fault, not the caller's
        alm_status_prefix(&why, "a reply that cannot be decoded");
    }
    alm_lock(client->lock);
    alm_stream_cancel(stream, &why);
    stream->end = why;
    alm_flow_deinit(&stream->flow);
    alm_unlock(client->lock);
    return alm_status_copy(st, &why);
}

alm_code alm_stream_next(alm_stream *stream, alm_arena *arena, ProtobufCMessage **ret_message,
                         alm_status *st)
{
    return next(stream, false, arena, ret_message, st);
}

alm_code alm_stream_open(alm_channel *channel, const alm_service_def *service, const char *method,
                         const alm_call_opts *opts, const ProtobufCMessage *request,
                         alm_stream **ret, alm_status *st)
{
    alm_stream *stream = alm_alloc(sizeof *stream);
    if (stream == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a call");
    }
    alm_buf_init(&stream->request, 0);
    const alm_stream_init_opts its = {
        .service = service, .method = method, .streams = true, .call = opts, .request = request};
    alm_code code = alm_stream_init(stream, channel, &its, st);
    if (code != ALM_OK) {
        alm_buf_deinit(&stream->request);
        alm_free(stream);
        return code;
    }
    *ret = stream;
    return ALM_OK;
}

// The answer of a call with one.
static alm_code take_answer(alm_stream *stream, bool leads, alm_arena *arena,
                            ProtobufCMessage **ret, alm_status *st)
{
    ProtobufCMessage *reply = NULL;
    alm_code code = next(stream, leads, arena, &reply, st);
    if (code == ALM_OK && reply == NULL) {
        code = alm_stream_no_reply(stream, st);
    }
    if (code == ALM_OK) {
        *ret = reply;
    }
    return code;
}

// --- hedging -------------------------------------------------------------------------------------

// With the lock held.
static bool has_news(const alm_stream *stream)
{
    return stream->state == ALM_STREAM_ENDED || stream->flow.inbox_count > 0;
}

// With the lock held: whether the call still waits when so much time has passed, and could be
// answered elsewhere.
static bool wants_hedge(alm_stream *stream, int64_t hedge_ms)
{
    alm_client *client = stream->channel->client;
    alm_channel *channel = stream->channel;
    int64_t until_us = ALM_MIN(stream->start_us + hedge_ms * 1000, stream->deadline_us);
    while (!has_news(stream)) {
        int64_t left_us = until_us - alm_rpc_now_us(client->rpc);
        if (left_us <= 0) {
            break;
        }
        alm_cond_wait_us(&stream->changed, client->lock, left_us);
    }
    bool is_late =
        stream->state == ALM_STREAM_SENT && !has_news(stream) && until_us < stream->deadline_us;
    if (!is_late || !alm_channel_has_budget(channel) ||
        !alm_channel_has_other(channel, stream->connection)) {
        return false;
    }
    channel->retry_tokens -= 1;
    return true;
}

static bool is_answered(const alm_stream *stream)
{
    return stream->state == ALM_STREAM_ENDED && stream->end.code == ALM_OK;
}

// With the lock held: the one that ends well first, or the first one if neither does. Changes of
// both wake the first.
static alm_stream *wait_for_either(alm_stream *first, alm_stream *second, bool *leads)
{
    for (;;) {
        if (is_answered(first) || is_answered(second)) {
            return is_answered(first) ? first : second;
        }
        bool first_ended = first->state == ALM_STREAM_ENDED;
        if (first_ended && second->state == ALM_STREAM_ENDED) {
            return first;
        }
        wait_for_change(first_ended ? second : first, leads);
    }
}

static alm_code call_hedged(alm_stream *first, const char *method, const alm_call_opts *opts,
                            const ProtobufCMessage *request, alm_arena *arena,
                            ProtobufCMessage **ret, alm_status *st)
{
    alm_client *client = first->channel->client;
    alm_lock(client->lock);
    bool is_hedged = wants_hedge(first, opts->hedge_ms);
    alm_call_opts its = *opts;
    its.fail_fast = true;
    const alm_stream_init_opts both = {.service = first->service,
                                       .method = method,
                                       .call = &its,
                                       .request = request,
                                       .notify = &first->changed,
                                       .avoid = first->connection};
    alm_unlock(client->lock);
    if (!is_hedged) {
        return take_answer(first, false, arena, ret, st);
    }
    alm_stream second;
    alm_status ignored;
    alm_buf_init(&second.request, 0);
    if (alm_stream_init(&second, first->channel, &both, &ignored) != ALM_OK) {
        alm_buf_deinit(&second.request);
        return take_answer(first, false, arena, ret, st);
    }
    alm_lock(client->lock);
    second.deadline_us = first->deadline_us;
    bool leads = false;
    alm_stream *winner = wait_for_either(first, &second, &leads);
    stop_leading(first, leads);
    alm_unlock(client->lock);
    alm_code code = take_answer(winner, false, arena, ret, st);
    alm_stream_deinit(&second);
    return code;
}

// With the lock held: the one that has a message or its good end first, or the first one if both
// have failed. Changes of both wake the first.
static bool second_is_first(alm_stream *first, alm_stream *second)
{
    bool leads = false;
    bool is_second = false;
    for (;;) {
        bool first_failed = first->state == ALM_STREAM_ENDED && first->end.code != ALM_OK;
        bool second_failed = second->state == ALM_STREAM_ENDED && second->end.code != ALM_OK;
        bool first_has = has_news(first) && !first_failed;
        is_second = !first_has && has_news(second) && !second_failed;
        if (first_has || is_second || (first_failed && second_failed)) {
            break;
        }
        wait_for_change(first_failed ? second : first, &leads);
    }
    stop_leading(first, leads);
    return is_second;
}

bool alm_stream_hedge(alm_stream **stream, const alm_call_opts *opts,
                      const ProtobufCMessage *request)
{
    alm_stream *first = *stream;
    alm_client *client = first->channel->client;
    const alm_method_def *method = &first->service->methods[first->method];
    ALM_ASSERT(method->repeat == ALM_REPEAT_SAFE && !first->has_one_answer);
    alm_lock(client->lock);
    if (first->parent != NULL) {
        alm_call_flush(first->parent);
    }
    bool is_hedged = wants_hedge(first, opts->hedge_ms);
    alm_call_opts its = *opts;
    its.fail_fast = true;
    its.affinity = 0;
    const alm_stream_init_opts both = {.service = first->service,
                                       .method = method->name,
                                       .streams = true,
                                       .call = &its,
                                       .request = request,
                                       .notify = &first->changed,
                                       .avoid = first->connection};
    alm_unlock(client->lock);
    alm_stream *second = is_hedged ? alm_alloc(sizeof *second) : NULL;
    if (second == NULL) {
        return false;
    }
    alm_buf_init(&second->request, 0);
    if (alm_stream_init(second, first->channel, &both, NULL) != ALM_OK) {
        alm_buf_deinit(&second->request);
        alm_free(second);
        return false;
    }
    alm_lock(client->lock);
    second->deadline_us = first->deadline_us;
    bool is_second = second_is_first(first, second);
    second->notify = &second->changed;
    alm_unlock(client->lock);
    *stream = is_second ? second : first;
    alm_stream *other = is_second ? first : second;
    alm_stream_close(&other);
    return true;
}

alm_code alm_channel_call(alm_channel *channel, const alm_service_def *service, const char *method,
                          const alm_call_opts *opts, const ProtobufCMessage *request,
                          alm_arena *arena, ProtobufCMessage **ret_reply, alm_status *st)
{
    alm_stream stream;
    alm_buf_init(&stream.request, 0);
    bool is_hedged = opts != NULL && opts->hedge_ms > 0;
    bool leads = false;
    const alm_stream_init_opts its = {.service = service,
                                      .method = method,
                                      .call = opts,
                                      .request = request,
                                      .leads = is_hedged ? NULL : &leads};
    alm_code code = alm_stream_init(&stream, channel, &its, st);
    if (code != ALM_OK) {
        alm_buf_deinit(&stream.request);
        return code;
    }
    bool is_safe = service->methods[stream.method].repeat == ALM_REPEAT_SAFE;
    code = is_hedged && is_safe ? call_hedged(&stream, method, opts, request, arena, ret_reply, st)
                                : take_answer(&stream, leads, arena, ret_reply, st);
    alm_stream_deinit(&stream);
    return code;
}
