// A call as its caller sees it: unary calls are streams of one message that is held back until the
// call has ended well.
#include "client.h"

#include "alm/alloc.h"
#include "prescan.h"

#include <stdio.h>

// --- end, cancel, retry: with the lock held ------------------------------------------------------

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

void alm_stream_end(alm_stream *stream, const alm_status *st)
{
    if (stream->state == ALM_STREAM_ENDED) {
        return;
    }
    leave_connection(stream);
    set_state(stream, ALM_STREAM_ENDED);
    stream->end = *st;
    alm_buf_deinit(&stream->request);
    pthread_cond_broadcast(stream->notify);
}

static void cancel(alm_stream *stream, const alm_status *st)
{
    if (stream->state == ALM_STREAM_SENT) {
        alm_record record = {.type = ALM_RECORD_CANCEL, .call_id = stream->id};
        (void)alm_connection_send(stream->connection, &record);
    }
    alm_stream_end(stream, st);
}

static void cancel_from_parent(void *arg)
{
    alm_stream *stream = arg;
    alm_status st = ALM_STATUS_INIT;
    alm_status_set(&st, ALM_CANCELLED, "the call this one was made for was cancelled");
    cancel(stream, &st);
}

// What is asked a second time, after a failure or beside the first, costs the same budget.
static bool has_budget(const alm_channel *channel)
{
    return channel->retry_tokens > ALM_RETRY_TOKENS_MAX / 2;
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
    return is_refused || (stream->may_repeat && has_budget(stream->channel) &&
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

static void send_finish(alm_stream *stream)
{
    alm_record finish = {
        .type = ALM_RECORD_FINISH, .call_id = stream->id, .arg = stream->flow.sent_count};
    (void)alm_connection_send(stream->connection, &finish);
}

static bool append_one(alm_buf *metadata, const char *key, const char *value)
{
    return value[0] == '\0' ||
           alm_metadata_append(metadata, alm_str_from(key), alm_str_from(value));
}

static bool append_metadata(const alm_stream *stream, alm_buf *metadata)
{
    return append_one(metadata, ALM_METADATA_REQUEST_ID, stream->request_id) &&
           append_one(metadata, ALM_METADATA_TRACEPARENT, stream->traceparent) &&
           append_one(metadata, ALM_METADATA_KEY, stream->idempotency_key) &&
           append_one(metadata, ALM_METADATA_TOKEN, stream->channel->token);
}

bool alm_stream_send_request(alm_stream *stream, alm_connection *connection, uint32_t method_first)
{
    alm_client *client = stream->channel->client;
    alm_status st = ALM_STATUS_INIT;
    size_t size_max = connection->hello.message_bytes_max;
    if (stream->request.len > size_max) {
        alm_status_set(&st, ALM_RESOURCE_EXHAUSTED, "a request of %zu bytes, %s takes %zu",
                       stream->request.len, connection->address, size_max);
        alm_stream_end(stream, &st);
        return false;
    }
    alm_buf metadata;
    alm_buf_init(&metadata, client->rpc->limits.metadata_bytes_max);
    alm_record record = {.type = ALM_RECORD_REQUEST, .time_ms = ALM_RECORD_TIME_NONE};
    record.arg = method_first + stream->method;
    record.payload = alm_buf_view(&stream->request);
    if (stream->deadline_us != ALM_NEVER_US) {
        int64_t left_ms = (stream->deadline_us - alm_rpc_now_us(client->rpc) + 999) / 1000;
        record.time_ms = (uint32_t)ALM_MIN(ALM_MAX(left_ms, 1), (int64_t)INT32_MAX);
    }
    bool is_queued = append_metadata(stream, &metadata) &&
                     alm_call_table_add(&connection->calls, stream, &record.call_id);
    record.metadata = alm_buf_view(&metadata);
    if (is_queued && !alm_connection_send(connection, &record)) {
        alm_call_table_remove(&connection->calls, record.call_id);
        is_queued = false;
    }
    alm_buf_deinit(&metadata);
    if (!is_queued) {
        alm_status_set(&st, ALM_RESOURCE_EXHAUSTED, "no memory to send %zu bytes",
                       stream->request.len);
        alm_stream_end(stream, &st);
        return false;
    }
    set_state(stream, ALM_STREAM_SENT);
    stream->connection = connection;
    stream->id = record.call_id;
    stream->try_count++;
    connection->call_count++;
    alm_flow_init(&stream->flow, connection->hello.window_bytes, connection->hello.window_messages);
    if (stream->client_streams) {
        pthread_cond_broadcast(stream->notify); // a sender waits for it
    }
    if (stream->has_finished) {
        send_finish(stream);
    }
    return true;
}

// --- records of the call: with the lock held -----------------------------------------------------

static void read_end(const alm_record *record, alm_status *ret)
{
    alm_code code;
    if (!alm_code_from_number(record->arg, &code)) {
        code = ALM_UNKNOWN;
    }
    if (code != ALM_OK) {
        alm_str field = {0};
        (void)alm_metadata_find(record->metadata, ALM_STR(ALM_METADATA_FIELD), &field);
        char name[ALM_STATUS_FIELD_MAX];
        snprintf(name, sizeof name, "%.*s", ALM_STR_ARGS(field));
        alm_status_set_field(ret, code, name, "%.*s", ALM_STR_ARGS(record->payload));
        ret->retry_after_ms = record->time_ms;
    }
}

static alm_code take_message(alm_stream *stream, uint32_t number, alm_str payload, alm_status *st)
{
    const alm_rpc_limits *limits = &stream->channel->client->rpc->limits;
    alm_code code = alm_flow_take(&stream->flow, limits, number, payload, st);
    if (code != ALM_OK) {
        alm_status_prefix(st, "%s", stream->connection->address);
        return code;
    }
    if (!stream->has_one_answer) {
        pthread_cond_broadcast(stream->notify);
    }
    return ALM_OK;
}

// A stream that ends well must have come whole.
static alm_code take_good_end(alm_stream *stream, const alm_record *record, alm_status *st)
{
    if ((record->flags & ALM_RECORD_LAST) != 0) {
        ALM_TRY(take_message(stream, stream->flow.received_count, record->payload, st));
    }
    alm_code code = alm_flow_check_count(&stream->flow, record->time_ms, st);
    if (code != ALM_OK) {
        alm_status_prefix(st, "%s", stream->connection->address);
    }
    return code;
}

static void take_end(alm_stream *stream, const alm_record *record)
{
    alm_status st = ALM_STATUS_INIT;
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
    alm_status st = ALM_STATUS_INIT;
    switch (record->type) {
    case ALM_RECORD_END:
        take_end(stream, record);
        return;
    case ALM_RECORD_CREDIT:
        alm_flow_add_credit(&stream->flow, record);
        pthread_cond_broadcast(stream->notify);
        return;
    default:
        if (take_message(stream, record->arg, record->payload, &st) != ALM_OK) {
            cancel(stream, &st);
        }
        return;
    }
}

// --- opening -------------------------------------------------------------------------------------

static int64_t deadline_of(alm_client *client, const alm_call_opts *opts)
{
    int64_t parent_us = opts->parent != NULL ? alm_call_deadline_us(opts->parent) : ALM_NEVER_US;
    int64_t timeout_ms = opts->timeout_ms;
    if (timeout_ms < 0 || (timeout_ms == 0 && opts->parent != NULL)) {
        return parent_us;
    }
    timeout_ms = timeout_ms == 0 ? ALM_RPC_DEADLINE_MS_DEFAULT : ALM_MIN(timeout_ms, INT32_MAX);
    return ALM_MIN(alm_rpc_now_us(client->rpc) + timeout_ms * 1000, parent_us);
}

static alm_code pack_request(alm_stream *stream, const ProtobufCMessage *request, alm_status *st)
{
    size_t size = protobuf_c_message_get_packed_size(request);
    size_t size_max = stream->channel->client->rpc->limits.message_bytes_max;
    if (size > size_max) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "a %s of %zu bytes passes the limit of %zu",
                              request->descriptor->name, size, size_max);
    }
    uint8_t *at = alm_buf_reserve(&stream->request, size);
    if (at == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %zu bytes", size);
    }
    size_t packed = protobuf_c_message_pack(request, at);
    ALM_ASSERT(packed == size);
    stream->request.len = size;
    return ALM_OK;
}

static alm_code find_method(const alm_service_def *service, const char *method, bool streams,
                            unsigned *ret, alm_status *st)
{
    int index = alm_service_method_find(service, method);
    if (index < 0) {
        return alm_status_set(st, ALM_UNIMPLEMENTED, "%s has no method %s",
                              service->descriptor->name, method);
    }
    if ((service->methods[index].kind != ALM_METHOD_UNARY) != streams) {
        return alm_status_set(st, ALM_UNIMPLEMENTED, "%s/%s %s", service->descriptor->name, method,
                              streams ? "does not stream" : "streams");
    }
    *ret = (unsigned)index;
    return ALM_OK;
}

// Before the stream is listed: from then on the client's thread may send it.
static void take_parent(alm_stream *stream, const alm_call *parent)
{
    stream->parent = parent;
    stream->hook = (alm_call_hook){.cancel = cancel_from_parent, .arg = stream};
    // The caller's view of its call is const; its ids are made when they are first asked for.
    alm_call *call = (alm_call *)(uintptr_t)parent;
    snprintf(stream->request_id, sizeof stream->request_id, "%s", alm_call_request_id(call));
    snprintf(stream->traceparent, sizeof stream->traceparent, "%s", alm_call_traceparent(call));
}

static alm_code add_hook(alm_stream *stream, alm_status *st)
{
    // The caller's view of its call is const; the list of what hangs on it is the server's own.
    if (!alm_call_hook_add((alm_call *)(uintptr_t)stream->parent, &stream->hook)) {
        return alm_status_set(st, ALM_CANCELLED, "the call this one is made for is cancelled");
    }
    stream->has_hook = true;
    return ALM_OK;
}

static void stream_deinit(alm_stream *stream)
{
    if (stream->has_hook) {
        alm_call_hook_remove((alm_call *)(uintptr_t)stream->parent, &stream->hook);
    }
    alm_client *client = stream->channel->client;
    alm_status st = ALM_STATUS_INIT;
    alm_status_set(&st, ALM_CANCELLED, "the stream was closed");
    alm_lock(client->lock);
    cancel(stream, &st);
    alm_flow_deinit(&stream->flow);
    ALM_ASSERT(stream->state == ALM_STREAM_ENDED);
    DL_DELETE(stream->channel->streams, stream);
    alm_channel_release(stream->channel);
    alm_unlock(client->lock);
    pthread_cond_destroy(&stream->changed);
}

static bool may_repeat(const alm_method_def *method, const alm_call_opts *opts)
{
    bool has_key = opts->idempotency_key != NULL && opts->idempotency_key[0] != '\0';
    return method->repeat == ALM_REPEAT_SAFE || (method->repeat == ALM_REPEAT_KEYED && has_key);
}

// A call that asks the same and has waited for its answer.
typedef struct hedge {
    pthread_cond_t *notify;      // wakes who waits for both
    const alm_connection *avoid; // where the first one is; compared only
} hedge;

// hedge_of: NULL: none. On failure there is nothing to deinit.
static alm_code stream_init(alm_stream *stream, alm_channel *channel,
                            const alm_service_def *service, const char *name, bool streams,
                            const alm_call_opts *opts, const ProtobufCMessage *request,
                            const hedge *hedge_of, alm_status *st)
{
    static const alm_call_opts none;
    opts = opts != NULL ? opts : &none;
    unsigned index = 0;
    ALM_TRY(find_method(service, name, streams, &index, st));
    const ProtobufCMethodDescriptor *descriptor = &service->descriptor->methods[index];
    const alm_method_def *method = &service->methods[index];
    bool client_streams = alm_method_client_streams(method);
    ALM_ASSERT(client_streams ? request == NULL : request->descriptor == descriptor->input);
    alm_client *client = channel->client;
    *stream = (alm_stream){
        .channel = channel,
        .service = service,
        .method = index,
        .output = descriptor->output,
        .has_one_answer = !alm_method_server_streams(method),
        .client_streams = client_streams,
        .may_repeat = may_repeat(method, opts),
        .fail_fast = opts->fail_fast,
        .affinity = opts->affinity,
        .start_us = alm_rpc_now_us(client->rpc),
        .deadline_us = deadline_of(client, opts),
        .notify = hedge_of != NULL ? hedge_of->notify : &stream->changed,
        .avoid = hedge_of != NULL ? hedge_of->avoid : NULL,
    };
    const char *key = opts->idempotency_key != NULL ? opts->idempotency_key : "";
    int key_len = snprintf(stream->idempotency_key, sizeof stream->idempotency_key, "%s", key);
    if (key_len >= (int)sizeof stream->idempotency_key) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "an idempotency key of %d bytes, the most is %zu", key_len,
                              sizeof stream->idempotency_key - 1);
    }
    alm_buf_init(&stream->request, 0);
    alm_code code = request != NULL ? pack_request(stream, request, st) : ALM_OK;
    if (code != ALM_OK) {
        alm_buf_deinit(&stream->request);
        return code;
    }
    alm_cond_init(&stream->changed);
    if (opts->parent != NULL) {
        take_parent(stream, opts->parent);
    }
    alm_lock(client->lock);
    ALM_ASSERT(!channel->is_closed);
    stream->checksum = alm_client_checksum(client, service);
    channel->ref_count++;
    DL_APPEND(channel->streams, stream);
    channel->waiting_count++;
    alm_unlock(client->lock);
    if (opts->parent != NULL) {
        code = add_hook(stream, st);
    }
    if (code != ALM_OK) {
        stream_deinit(stream);
        return code;
    }
    alm_lock(client->lock);
    if (stream->state == ALM_STREAM_WAITING) { // else its parent was quick
        alm_channel_place(channel, stream);
    }
    alm_unlock(client->lock);
    return ALM_OK;
}

// --- reading -------------------------------------------------------------------------------------

static void give_credit(alm_stream *stream)
{
    alm_record credit;
    bool is_open = stream->state == ALM_STREAM_SENT && !stream->has_one_answer;
    if (is_open && alm_flow_owes(&stream->flow, &stream->channel->client->rpc->limits, &credit)) {
        credit.call_id = stream->id;
        (void)alm_connection_send(stream->connection, &credit);
    }
}

static void end_by_deadline(alm_stream *stream)
{
    alm_status st = ALM_STATUS_INIT;
    const alm_channel *channel = stream->channel;
    long long ms = (long long)(stream->deadline_us - stream->start_us) / 1000;
    if (stream->state == ALM_STREAM_SENT) {
        alm_status_set(&st, ALM_DEADLINE_EXCEEDED, "%s/%s: no answer from %s within %lld ms",
                       stream->service->descriptor->name,
                       stream->service->methods[stream->method].name, stream->connection->address,
                       ms);
        alm_connection_count(stream->connection, true);
    } else {
        const char *why = channel->last_error;
        alm_status_set(&st, ALM_DEADLINE_EXCEEDED, "no healthy connection to %s within %lld ms%s%s",
                       channel->target, ms, why[0] != '\0' ? ": " : "", why);
    }
    cancel(stream, &st);
}

// Waits for a change, or ends the call when its time is over.
static void wait_for_change(alm_stream *stream)
{
    alm_client *client = stream->channel->client;
    int64_t wait_us = ALM_NEVER_US;
    if (stream->deadline_us != ALM_NEVER_US) {
        wait_us = stream->deadline_us - alm_rpc_now_us(client->rpc);
    }
    if (wait_us <= 0) {
        end_by_deadline(stream);
        return;
    }
    alm_cond_wait_us(stream->notify, client->lock, wait_us);
}

// The next message, NULL at the good end. Where there is one answer it only counts when the call
// ended well.
static alm_code take_next(alm_stream *stream, alm_flow_node **ret, alm_status *st)
{
    for (;;) {
        bool has_ended = stream->state == ALM_STREAM_ENDED;
        bool may_take = !stream->has_one_answer || (has_ended && stream->end.code == ALM_OK);
        *ret = may_take ? alm_flow_next(&stream->flow) : NULL;
        if (*ret != NULL) {
            stream->consumed_count++;
            give_credit(stream);
            return ALM_OK;
        }
        if (has_ended) {
            return stream->end.code == ALM_OK ? ALM_OK : alm_status_copy(st, &stream->end);
        }
        wait_for_change(stream);
    }
}

// Waits until the server takes a message.
static alm_code wait_for_room(alm_stream *stream, alm_status *st)
{
    for (;;) {
        if (stream->state == ALM_STREAM_ENDED) {
            return stream->end.code == ALM_OK
                       ? alm_status_set(st, ALM_CANCELLED, "the server has ended the call")
                       : alm_status_copy(st, &stream->end);
        }
        const alm_connection *connection = stream->connection;
        if (stream->state == ALM_STREAM_SENT && alm_flow_may_send(&stream->flow) &&
            connection->out.len < ALM_CLIENT_OUT_BYTES_HIGH) {
            return ALM_OK;
        }
        wait_for_change(stream);
    }
}

static alm_code send_message(alm_stream *stream, const ProtobufCMessage *message, size_t size,
                             alm_status *st)
{
    ALM_ASSERT(stream->client_streams && !stream->has_finished);
    ALM_TRY(wait_for_room(stream, st));
    size_t size_max = stream->connection->hello.message_bytes_max;
    if (size > size_max) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "a %s of %zu bytes, %s takes %zu",
                              message->descriptor->name, size, stream->connection->address,
                              size_max);
    }
    alm_record record = {.type = ALM_RECORD_MESSAGE, .call_id = stream->id};
    record.arg = stream->flow.sent_count;
    uint8_t *at = alm_connection_begin(stream->connection, &record, size);
    if (at == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %zu bytes", size);
    }
    size_t packed = protobuf_c_message_pack(message, at);
    ALM_ASSERT(packed == size);
    alm_flow_count_sent(&stream->flow, size);
    return ALM_OK;
}

alm_code alm_stream_send(alm_stream *stream, const ProtobufCMessage *message, alm_status *st)
{
    alm_client *client = stream->channel->client;
    size_t size = protobuf_c_message_get_packed_size(message);
    if (size > client->rpc->limits.message_bytes_max) {
        return alm_status_set(
            st, ALM_RESOURCE_EXHAUSTED, "a %s of %zu bytes passes the limit of %zu",
            message->descriptor->name, size, client->rpc->limits.message_bytes_max);
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
        send_finish(stream);
    }
    alm_code code = is_lost ? alm_status_copy(st, &stream->end) : ALM_OK;
    alm_unlock(client->lock);
    return code;
}

alm_code alm_stream_next(alm_stream *stream, alm_arena *arena, ProtobufCMessage **ret_message,
                         alm_status *st)
{
    alm_client *client = stream->channel->client;
    alm_flow_node *node = NULL;
    alm_lock(client->lock);
    alm_code code = take_next(stream, &node, st);
    alm_unlock(client->lock);
    ALM_TRY(code);
    if (node == NULL) {
        *ret_message = NULL;
        return ALM_OK;
    }
    alm_str wire = {.data = node->data, .len = node->len};
    alm_status why = ALM_STATUS_INIT;
    code = alm_message_unpack(stream->output, wire, arena, ret_message, &why);
    alm_free(node);
    if (code == ALM_OK) {
        return ALM_OK;
    }
    if (code == ALM_INVALID_ARGUMENT) {
        why.code = ALM_INTERNAL; // the server's fault, not the caller's
        alm_status_prefix(&why, "a reply that cannot be decoded");
    }
    alm_lock(client->lock);
    cancel(stream, &why);
    stream->end = why;
    alm_flow_deinit(&stream->flow);
    alm_unlock(client->lock);
    return alm_status_copy(st, &why);
}

alm_code alm_stream_open(alm_channel *channel, const alm_service_def *service, const char *method,
                         const alm_call_opts *opts, const ProtobufCMessage *request,
                         alm_stream **ret, alm_status *st)
{
    alm_stream *stream = alm_alloc(sizeof *stream);
    if (stream == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a call");
    }
    alm_code code = stream_init(stream, channel, service, method, true, opts, request, NULL, st);
    if (code != ALM_OK) {
        alm_free(stream);
        return code;
    }
    *ret = stream;
    return ALM_OK;
}

void alm_stream_close(alm_stream **stream)
{
    if (*stream != NULL) {
        stream_deinit(*stream);
        alm_free(*stream);
        *stream = NULL;
    }
}

// The answer of a call with one.
static alm_code take_answer(alm_stream *stream, alm_arena *arena, ProtobufCMessage **ret,
                            alm_status *st)
{
    ProtobufCMessage *reply = NULL;
    alm_code code = alm_stream_next(stream, arena, &reply, st);
    if (code == ALM_OK && reply == NULL) {
        code = alm_status_set(st, ALM_INTERNAL, "%s/%s ended without a reply",
                              stream->service->descriptor->name,
                              stream->service->methods[stream->method].name);
    }
    if (code == ALM_OK) {
        *ret = reply;
    }
    return code;
}

// With the lock held: whether the call still waits when so much time has passed, and could be
// answered elsewhere.
static bool wants_hedge(alm_stream *stream, int64_t hedge_ms)
{
    alm_client *client = stream->channel->client;
    alm_channel *channel = stream->channel;
    int64_t until_us = ALM_MIN(stream->start_us + hedge_ms * 1000, stream->deadline_us);
    while (stream->state != ALM_STREAM_ENDED) {
        int64_t left_us = until_us - alm_rpc_now_us(client->rpc);
        if (left_us <= 0) {
            break;
        }
        alm_cond_wait_us(&stream->changed, client->lock, left_us);
    }
    bool is_late = stream->state == ALM_STREAM_SENT && until_us < stream->deadline_us;
    if (!is_late || !has_budget(channel) || !alm_channel_has_other(channel, stream->connection)) {
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
static alm_stream *wait_for_either(alm_stream *first, alm_stream *second)
{
    for (;;) {
        if (is_answered(first) || is_answered(second)) {
            return is_answered(first) ? first : second;
        }
        bool first_ended = first->state == ALM_STREAM_ENDED;
        if (first_ended && second->state == ALM_STREAM_ENDED) {
            return first;
        }
        wait_for_change(first_ended ? second : first);
    }
}

static alm_code call_hedged(alm_stream *first, const char *method, const alm_call_opts *opts,
                            const ProtobufCMessage *request, alm_arena *arena,
                            ProtobufCMessage **ret, alm_status *st)
{
    alm_client *client = first->channel->client;
    alm_lock(client->lock);
    bool is_hedged = wants_hedge(first, opts->hedge_ms);
    const hedge both = {.notify = &first->changed, .avoid = first->connection};
    alm_unlock(client->lock);
    if (!is_hedged) {
        return take_answer(first, arena, ret, st);
    }
    alm_stream second;
    alm_call_opts its = *opts;
    its.fail_fast = true;
    alm_status ignored;
    if (stream_init(&second, first->channel, first->service, method, false, &its, request, &both,
                    &ignored) != ALM_OK) {
        return take_answer(first, arena, ret, st);
    }
    alm_lock(client->lock);
    second.deadline_us = first->deadline_us;
    alm_stream *winner = wait_for_either(first, &second);
    alm_unlock(client->lock);
    alm_code code = take_answer(winner, arena, ret, st);
    stream_deinit(&second);
    return code;
}

alm_code alm_channel_call(alm_channel *channel, const alm_service_def *service, const char *method,
                          const alm_call_opts *opts, const ProtobufCMessage *request,
                          alm_arena *arena, ProtobufCMessage **ret_reply, alm_status *st)
{
    alm_stream stream;
    ALM_TRY(stream_init(&stream, channel, service, method, false, opts, request, NULL, st));
    bool is_safe = service->methods[stream.method].repeat == ALM_REPEAT_SAFE;
    alm_code code = opts != NULL && opts->hedge_ms > 0 && is_safe
                        ? call_hedged(&stream, method, opts, request, arena, ret_reply, st)
                        : take_answer(&stream, arena, ret_reply, st);
    stream_deinit(&stream);
    return code;
}
