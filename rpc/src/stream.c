// The calls of channels, with the lock held: unary calls are streams of one message that is held
// back until the call has ended well.
#include "client.h"

#include "alm/alloc.h"

#include <stdio.h>

// --- end, cancel, retry --------------------------------------------------------------------------

static void set_state(alm_stream *stream, alm_stream_state state)
{
    stream->channel->waiting_count -= stream->state == ALM_STREAM_WAITING;
    stream->channel->waiting_count += state == ALM_STREAM_WAITING;
    stream->state = state;
}

// Forgets the id, so that nothing the server still sends can meet this call.
static void leave_connection(alm_stream *stream)
{
    if (stream->state == ALM_STREAM_SENT) {
        alm_call_table_remove(&stream->connection->calls, stream->id);
        stream->connection = NULL;
    }
}

// Something changed that someone waits for.
static void notify(alm_stream *stream)
{
    if (stream->events != NULL) {
        alm_stream_fire(stream);
    } else if (stream->notify != NULL) {
        pthread_cond_broadcast(stream->notify);
    }
}

// The call is over. How, and that it is, others say.
static void set_ended(alm_stream *stream)
{
    leave_connection(stream);
    set_state(stream, ALM_STREAM_ENDED);
    alm_timer_clear(&stream->timer);
    if (stream->has_hook) {
        alm_call_hook_remove(stream->parent, &stream->hook);
        stream->has_hook = false;
    }
}

void alm_stream_end(alm_stream *stream, const alm_status *st)
{
    if (stream->state == ALM_STREAM_ENDED) {
        return;
    }
    set_ended(stream);
    if (st->code == ALM_OK) {
        stream->end.code = ALM_OK;
    } else {
        stream->end = *st;
    }
    if (stream->forwards != NULL) {
        alm_forward_ended(stream);
    } else {
        notify(stream);
    }
}

void alm_stream_cancel(alm_stream *stream, const alm_status *st)
{
    if (stream->state == ALM_STREAM_SENT) {
        alm_record record = {.type = ALM_RECORD_CANCEL, .call_id = stream->id};
        (void)alm_connection_send(stream->connection, &record);
    }
    alm_stream_end(stream, st);
}

void alm_stream_end_by_deadline(alm_stream *stream)
{
    alm_status st = ALM_STATUS_INIT;
    const alm_channel *channel = stream->channel;
    long long ms = (long long)(stream->deadline_us - stream->start_us) / 1000;
    if (stream->state == ALM_STREAM_SENT) {
        alm_status_set(&st, ALM_DEADLINE_EXCEEDED, "%s/%s: no %s from %s within %lld ms",
                       stream->service->descriptor->name,
                       stream->service->methods[stream->method].name,
                       stream->has_one_answer ? "answer" : "end of the stream",
                       stream->connection->address, ms);
        alm_connection_count(stream->connection, true);
    } else {
        const char *why = channel->last_error;
        alm_status_set(&st, ALM_DEADLINE_EXCEEDED, "no healthy connection to %s within %lld ms%s%s",
                       channel->target, ms, why[0] != '\0' ? ": " : "", why);
    }
    alm_stream_cancel(stream, &st);
}

// A refused call was not started, so even one that must not be repeated may be sent elsewhere.
static bool may_retry(const alm_stream *stream, bool is_refused)
{
    if (stream->consumed_count > 0 || stream->channel->is_closed) {
        return false;
    }
    if (stream->client_streams && stream->flow.sent_count > 0) {
        return false; // what was sent is not kept
    }
    return is_refused || (stream->may_repeat && alm_channel_has_budget(stream->channel) &&
                          stream->try_count < ALM_CLIENT_TRIES_MAX);
}

void alm_stream_fail(alm_stream *stream, bool is_refused, const alm_status *why)
{
    bool has_where =
        !stream->fail_fast || alm_channel_has_other(stream->channel, stream->connection);
    if (!may_retry(stream, is_refused) || !has_where) {
        alm_stream_end(stream, why);
        return;
    }
    alm_client *client = stream->channel->client;
    unsigned shift = ALM_MIN(stream->try_count, 7u);
    int64_t wait_us = (int64_t)(ALM_RETRY_US / 2) << shift;
    stream->avoid = stream->connection;
    leave_connection(stream);
    alm_flow_deinit(&stream->flow);
    set_state(stream, ALM_STREAM_WAITING);
    stream->not_before_us = alm_rpc_now_us(client->rpc) + wait_us / 2 +
                            (int64_t)(alm_rpc_random(client->rpc) % (uint64_t)wait_us);
    alm_client_wake(client);
}

void alm_stream_send_finish(alm_stream *stream)
{
    alm_record finish = {
        .type = ALM_RECORD_FINISH, .call_id = stream->id, .arg = stream->flow.sent_count};
    (void)alm_connection_send(stream->connection, &finish);
}

static bool append_one(alm_buf *metadata, alm_str key, const char *value)
{
    return value[0] == '\0' || alm_metadata_append(metadata, key, alm_str_from(value));
}

static bool append_metadata(const alm_stream *stream, alm_buf *metadata)
{
    alm_call *call = stream->forwards; // whose ids are its own, so they need no copy
    const char *id = call != NULL ? alm_call_told_request_id(call) : stream->request_id;
    const char *trace = call != NULL ? alm_call_told_traceparent(call) : stream->traceparent;
    return append_one(metadata, ALM_STR(ALM_METADATA_REQUEST_ID), id) &&
           append_one(metadata, ALM_STR(ALM_METADATA_TRACEPARENT), trace) &&
           append_one(metadata, ALM_STR(ALM_METADATA_KEY), stream->idempotency_key) &&
           append_one(metadata, ALM_STR(ALM_METADATA_TOKEN), stream->channel->token);
}

// The server takes messages (again).
static void room(alm_stream *stream)
{
    if (stream->forwards != NULL) {
        alm_call_pump_forward(stream->forwards);
    } else {
        notify(stream);
    }
}

static uint32_t time_left_ms(const alm_stream *stream)
{
    if (stream->deadline_us == ALM_NEVER_US) {
        return ALM_RECORD_TIME_NONE;
    }
    int64_t now_us = alm_rpc_now_us(stream->channel->client->rpc);
    int64_t left_ms = (stream->deadline_us - now_us + 999) / 1000;
    return (uint32_t)ALM_MIN(ALM_MAX(left_ms, 1), (int64_t)INT32_MAX);
}

// The request's record, under a new id.
static alm_code queue_request(alm_stream *stream, alm_connection *connection, uint32_t method_first,
                              alm_status *st)
{
    alm_client *client = stream->channel->client;
    size_t size_max = connection->hello.message_bytes_max;
    if (stream->request.len > size_max) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "a request of %zu bytes, %s takes %zu",
                              stream->request.len, connection->address, size_max);
    }
    alm_buf_reset(&client->metadata);
    if (!append_metadata(stream, &client->metadata)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "metadata passes the limit of %zu bytes",
                              client->rpc->limits.metadata_bytes_max);
    }
    alm_record record = {
        .type = ALM_RECORD_REQUEST,
        .arg = method_first + stream->method,
        .time_ms = time_left_ms(stream),
        .metadata = alm_buf_view(&client->metadata),
        .payload = alm_buf_view(&stream->request),
    };
    bool has_id = alm_call_table_add(&connection->calls, stream, &record.call_id);
    if (has_id && alm_connection_send(connection, &record)) {
        stream->id = record.call_id;
        return ALM_OK;
    }
    if (has_id) {
        alm_call_table_remove(&connection->calls, record.call_id);
    }
    return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory to send %zu bytes",
                          stream->request.len);
}

void alm_stream_send_request(alm_stream *stream, alm_connection *connection, uint32_t method_first)
{
    alm_status st; // not cleared: it is large, and this seldom fails
    if (queue_request(stream, connection, method_first, &st) != ALM_OK) {
        alm_stream_end(stream, &st);
        return;
    }
    set_state(stream, ALM_STREAM_SENT);
    stream->connection = connection;
    stream->try_count++;
    connection->call_count++;
    alm_flow_init(&stream->flow, connection->hello.window_bytes, connection->hello.window_messages);
    if (stream->has_finished) {
        alm_stream_send_finish(stream);
    }
    if (stream->client_streams) {
        room(stream); // a sender waits for it
    }
}

// --- records of the call -------------------------------------------------------------------------

static void read_end(const alm_record *record, alm_status *ret)
{
    alm_code code;
    ret->code = ALM_OK;
    if (!alm_code_from_number(record->arg, &code)) {
        code = ALM_UNKNOWN;
    }
    if (code != ALM_OK) {
        alm_str field = {0};
        (void)alm_metadata_find(record->metadata, ALM_STR(ALM_METADATA_FIELD), &field);
        char name[ALM_STATUS_FIELD_MAX];
        snprintf(name, sizeof name, "%.*s", ALM_STR_ARGS(field));
        alm_str text =
            record->payload.len > 0 ? record->payload : alm_str_from(alm_code_text(code));
        alm_status_set_field(ret, code, name, "%.*s", ALM_STR_ARGS(text));
        ret->retry_after_ms = record->time_ms;
    }
}

static alm_code blame(const alm_stream *stream, alm_code code, alm_status *st)
{
    if (code != ALM_OK) {
        alm_status_prefix(st, "%s", stream->connection->address);
    }
    return code;
}

// is_last: the END is not taken yet, so nothing may be told.
static alm_code take_message(alm_stream *stream, uint32_t number, alm_str payload, bool is_last,
                             alm_status *st)
{
    const alm_rpc_limits *limits = &stream->channel->client->rpc->limits;
    ALM_TRY(blame(stream, alm_flow_check(&stream->flow, limits, number, payload.len, st), st));
    if (stream->forwards != NULL) {
        size_t size_max = alm_forward_size_max(stream);
        if (payload.len > size_max) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                                  "a message of %zu bytes, the client takes %zu", payload.len,
                                  size_max);
        }
        if (alm_forward_message(stream, payload)) {
            return ALM_OK;
        }
    } else if (stream->events != NULL && !is_last && alm_stream_tell_message(stream, payload)) {
        return ALM_OK;
    }
    ALM_TRY(blame(stream, alm_flow_keep(&stream->flow, payload, st), st));
    if (!stream->has_one_answer) {
        notify(stream);
    }
    return ALM_OK;
}

// A stream that ends well must have come whole.
static alm_code take_good_end(alm_stream *stream, const alm_record *record, alm_status *st)
{
    if ((record->flags & ALM_RECORD_LAST) != 0) {
        ALM_TRY(take_message(stream, stream->flow.received_count, record->payload, true, st));
    }
    return blame(stream, alm_flow_check_count(&stream->flow, record->time_ms, st), st);
}

// The usual end of a call nobody waits for: its answer, told or passed on from the frame it came
// in. False: it is another.
static bool take_answer(alm_stream *stream, const alm_record *record)
{
    const alm_rpc_limits *limits = &stream->channel->client->rpc->limits;
    bool is_whole = stream->has_one_answer && record->flags == ALM_RECORD_LAST &&
                    record->arg == ALM_OK && record->time_ms == 1 &&
                    stream->flow.received_count == 0 &&
                    record->payload.len <= limits->message_bytes_max;
    bool is_taken = stream->forwards != NULL ? record->payload.len <= alm_forward_size_max(stream)
                                             : alm_stream_tells_at_once(stream);
    if (!is_whole || !is_taken) {
        return false;
    }
    alm_connection_count(stream->connection, false);
    set_ended(stream);
    stream->end.code = ALM_OK;
    if (stream->forwards != NULL) {
        alm_forward_answer(stream, record->payload);
    } else {
        alm_stream_tell_answer(stream, record->payload);
    }
    return true;
}

static void take_end(alm_stream *stream, const alm_record *record)
{
    if (take_answer(stream, record)) {
        return;
    }
    alm_status st; // not cleared: it is large, and most calls end well
    read_end(record, &st);
    bool is_refused = (record->flags & ALM_RECORD_REFUSED) != 0;
    if (st.code == ALM_UNAVAILABLE) {
        alm_connection_count(stream->connection, true);
        alm_stream_fail(stream, is_refused, &st);
        return;
    }
    if (st.code == ALM_OK) {
        (void)take_good_end(stream, record, &st);
    }
    alm_connection_count(stream->connection, false);
    alm_stream_end(stream, &st);
}

void alm_stream_take(alm_stream *stream, const alm_record *record)
{
    alm_status st; // not cleared: it is large, and a message seldom fails
    switch (record->type) {
    case ALM_RECORD_END:
        take_end(stream, record);
        return;
    case ALM_RECORD_CREDIT:
        alm_flow_add_credit(&stream->flow, record);
        room(stream);
        return;
    default:
        if (take_message(stream, record->arg, record->payload, false, &st) != ALM_OK) {
            alm_stream_cancel(stream, &st);
        }
        return;
    }
}

// --- messages ------------------------------------------------------------------------------------

void alm_stream_give_credit(alm_stream *stream)
{
    alm_record credit;
    bool is_open = stream->state == ALM_STREAM_SENT && !stream->has_one_answer;
    if (is_open && alm_flow_owes(&stream->flow, &stream->channel->client->rpc->limits, &credit)) {
        credit.call_id = stream->id;
        (void)alm_connection_send(stream->connection, &credit);
    }
}

uint8_t *alm_stream_begin_message(alm_stream *stream, size_t size, alm_status *st)
{
    size_t size_max = stream->connection->hello.message_bytes_max;
    if (size > size_max) {
        alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "a message of %zu bytes, %s takes %zu", size,
                       stream->connection->address, size_max);
        return NULL;
    }
    alm_record record = {.type = ALM_RECORD_MESSAGE, .call_id = stream->id};
    record.arg = stream->flow.sent_count;
    uint8_t *at = alm_connection_begin(stream->connection, &record, size);
    if (at == NULL) {
        alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %zu bytes", size);
        return NULL;
    }
    alm_flow_count_sent(&stream->flow, size);
    return at;
}

bool alm_stream_may_send(const alm_stream *stream)
{
    return stream->state == ALM_STREAM_SENT && alm_flow_may_send(&stream->flow) &&
           stream->connection->out.records.len < ALM_CLIENT_OUT_BYTES_HIGH;
}

alm_code alm_stream_send_packed(alm_stream *stream, const ProtobufCMessage *message, size_t size,
                                alm_status *st)
{
    uint8_t *at = alm_stream_begin_message(stream, size, st);
    if (at == NULL) {
        return ALM_RESOURCE_EXHAUSTED;
    }
    size_t packed = protobuf_c_message_pack(message, at);
    ALM_ASSERT(packed == size);
    return ALM_OK;
}

alm_code alm_stream_no_reply(const alm_stream *stream, alm_status *st)
{
    return alm_status_set(st, ALM_INTERNAL, "%s/%s ended without a reply",
                          stream->service->descriptor->name,
                          stream->service->methods[stream->method].name);
}
