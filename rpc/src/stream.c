// A call as its caller sees it: unary calls are streams of one message that is held back until the
// call has ended well.
#include "client.h"

#include "alm/alloc.h"
#include "prescan.h"

#include <stdio.h>

// --- end, cancel, retry: with the lock held ------------------------------------------------------

static void drop_inbox(alm_stream *stream)
{
    alm_inbox_node *node, *next;
    DL_FOREACH_SAFE(stream->inbox, node, next)
    {
        alm_free(node);
    }
    stream->inbox = NULL;
    stream->inbox_bytes = 0;
}

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
    pthread_cond_broadcast(&stream->changed);
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
    alm_client *client = stream->channel->client;
    alm_status st = ALM_STATUS_INIT;
    alm_status_set(&st, ALM_CANCELLED, "the call this one was made for was cancelled");
    alm_lock(&client->lock);
    cancel(stream, &st);
    alm_unlock(&client->lock);
}

// A refused call was not started, so even one that must not be repeated may be sent elsewhere.
static bool may_retry(const alm_stream *stream, bool is_refused)
{
    if (stream->consumed_count > 0 || stream->channel->is_closed) {
        return false;
    }
    return is_refused || (stream->is_idempotent && stream->try_count < ALM_CLIENT_TRIES_MAX);
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
    drop_inbox(stream);
    stream->owed_bytes = 0;
    set_state(stream, ALM_STREAM_WAITING);
    stream->not_before_us = alm_rpc_now_us(client->rpc) + wait_us / 2 +
                            (int64_t)(alm_rpc_random(client->rpc) % (uint64_t)wait_us);
    alm_client_wake(client);
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
    alm_buf_init(&metadata, ALM_RPC_METADATA_BYTES_MAX);
    alm_record record = {.type = ALM_RECORD_REQUEST, .time_ms = ALM_RECORD_TIME_NONE};
    record.arg = method_first + stream->method;
    record.payload = alm_buf_view(&stream->request);
    if (stream->deadline_us != ALM_NEVER_US) {
        int64_t left_ms = (stream->deadline_us - alm_rpc_now_us(client->rpc) + 999) / 1000;
        record.time_ms = (uint32_t)ALM_MIN(ALM_MAX(left_ms, 1), (int64_t)INT32_MAX);
    }
    bool is_queued = (stream->request_id[0] == '\0' ||
                      alm_metadata_append(&metadata, ALM_STR(ALM_METADATA_REQUEST_ID),
                                          alm_str_from(stream->request_id))) &&
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
    return true;
}

// --- records of the call: with the lock held -----------------------------------------------------

static void take_end(alm_stream *stream, const alm_record *record)
{
    alm_status st = ALM_STATUS_INIT;
    alm_code code;
    if (!alm_code_from_number(record->arg, &code)) {
        code = ALM_UNKNOWN;
    }
    if (code != ALM_OK) {
        alm_str field = {0};
        (void)alm_metadata_find(record->metadata, ALM_STR("field"), &field);
        char name[ALM_STATUS_FIELD_MAX];
        snprintf(name, sizeof name, "%.*s", ALM_STR_ARGS(field));
        alm_status_set_field(&st, code, name, "%.*s", ALM_STR_ARGS(record->payload));
        st.retry_after_ms = record->time_ms;
    }
    bool is_refused = (record->flags & ALM_RECORD_REFUSED) != 0;
    if (code == ALM_UNAVAILABLE) {
        stream->connection->failure_count++;
        alm_stream_fail(stream, is_refused, &st);
    } else {
        alm_stream_end(stream, &st);
    }
}

static void take_message(alm_stream *stream, const alm_record *record)
{
    alm_rpc *rpc = stream->channel->client->rpc;
    alm_status st = ALM_STATUS_INIT;
    size_t len = record->payload.len;
    if (len > rpc->message_bytes_max) {
        alm_status_set(&st, ALM_RESOURCE_EXHAUSTED,
                       "a message of %zu bytes passes the limit of %zu", len,
                       rpc->message_bytes_max);
        cancel(stream, &st);
        return;
    }
    if (stream->inbox_bytes > ALM_RPC_STREAM_WINDOW_BYTES) {
        alm_status_set(&st, ALM_INTERNAL, "%s sends more than it has credit for",
                       stream->connection->address);
        cancel(stream, &st);
        return;
    }
    alm_inbox_node *node = alm_alloc(sizeof *node + len);
    if (node == NULL) {
        alm_status_set(&st, ALM_RESOURCE_EXHAUSTED, "no memory for a message of %zu bytes", len);
        cancel(stream, &st);
        return;
    }
    node->len = len;
    if (len > 0) {
        memcpy(node->data, record->payload.data, len);
    }
    DL_APPEND(stream->inbox, node);
    stream->inbox_bytes += len + ALM_RECORD_HEADER_BYTES;
    if (!stream->is_unary) {
        pthread_cond_broadcast(&stream->changed);
    }
}

void alm_stream_take(alm_stream *stream, const alm_record *record)
{
    if (record->type == ALM_RECORD_END) {
        take_end(stream, record);
    } else {
        take_message(stream, record);
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
    size_t size_max = stream->channel->client->rpc->message_bytes_max;
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

static alm_code find_method(const alm_service_def *service, const char *method,
                            alm_method_kind kind, unsigned *ret, alm_status *st)
{
    int index = alm_service_method_find(service, method);
    if (index < 0) {
        return alm_status_set(st, ALM_UNIMPLEMENTED, "%s has no method %s",
                              service->descriptor->name, method);
    }
    if (service->methods[index].kind != kind) {
        return alm_status_set(st, ALM_UNIMPLEMENTED, "%s/%s %s", service->descriptor->name, method,
                              kind == ALM_METHOD_UNARY ? "streams" : "does not stream");
    }
    *ret = (unsigned)index;
    return ALM_OK;
}

// Before the stream is listed: from then on the client's thread may send it.
static void take_parent(alm_stream *stream, const alm_call *parent)
{
    stream->parent = parent;
    stream->hook = (alm_call_hook){.cancel = cancel_from_parent, .arg = stream};
    snprintf(stream->request_id, sizeof stream->request_id, "%s", alm_call_request_id(parent));
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
    alm_lock(&client->lock);
    cancel(stream, &st);
    drop_inbox(stream);
    ALM_ASSERT(stream->state == ALM_STREAM_ENDED);
    DL_DELETE(stream->channel->streams, stream);
    alm_channel_release(stream->channel);
    alm_unlock(&client->lock);
    pthread_cond_destroy(&stream->changed);
}

// On failure there is nothing to deinit.
static alm_code stream_init(alm_stream *stream, alm_channel *channel,
                            const alm_service_def *service, const char *method,
                            alm_method_kind kind, const alm_call_opts *opts,
                            const ProtobufCMessage *request, alm_status *st)
{
    static const alm_call_opts none;
    opts = opts != NULL ? opts : &none;
    unsigned index = 0;
    ALM_TRY(find_method(service, method, kind, &index, st));
    const ProtobufCMethodDescriptor *descriptor = &service->descriptor->methods[index];
    ALM_ASSERT(request->descriptor == descriptor->input);
    alm_client *client = channel->client;
    *stream = (alm_stream){
        .channel = channel,
        .service = service,
        .method = index,
        .output = descriptor->output,
        .is_unary = kind == ALM_METHOD_UNARY,
        .is_idempotent = service->methods[index].idempotent,
        .fail_fast = opts->fail_fast,
        .affinity = opts->affinity,
        .start_us = alm_rpc_now_us(client->rpc),
        .deadline_us = deadline_of(client, opts),
    };
    alm_buf_init(&stream->request, 0);
    alm_code code = pack_request(stream, request, st);
    if (code != ALM_OK) {
        alm_buf_deinit(&stream->request);
        return code;
    }
    alm_cond_init(&stream->changed);
    if (opts->parent != NULL) {
        take_parent(stream, opts->parent);
    }
    alm_lock(&client->lock);
    ALM_ASSERT(!channel->is_closed);
    stream->checksum = alm_client_checksum(client, service);
    channel->ref_count++;
    DL_APPEND(channel->streams, stream);
    channel->waiting_count++;
    alm_unlock(&client->lock);
    if (opts->parent != NULL) {
        code = add_hook(stream, st);
    }
    if (code != ALM_OK) {
        stream_deinit(stream);
        return code;
    }
    alm_lock(&client->lock);
    if (stream->state == ALM_STREAM_WAITING) { // else its parent was quick
        alm_channel_place(channel, stream);
    }
    alm_unlock(&client->lock);
    return ALM_OK;
}

// --- reading -------------------------------------------------------------------------------------

static void give_credit(alm_stream *stream, size_t bytes)
{
    stream->owed_bytes += bytes;
    if (stream->state == ALM_STREAM_SENT && stream->owed_bytes >= ALM_RPC_STREAM_WINDOW_BYTES / 2) {
        alm_record record = {
            .type = ALM_RECORD_CREDIT,
            .call_id = stream->id,
            .arg = (uint32_t)stream->owed_bytes,
        };
        if (alm_connection_send(stream->connection, &record)) {
            stream->owed_bytes = 0;
        }
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
    } else {
        const char *why = channel->last_error;
        alm_status_set(&st, ALM_DEADLINE_EXCEEDED, "no healthy connection to %s within %lld ms%s%s",
                       channel->target, ms, why[0] != '\0' ? ": " : "", why);
    }
    cancel(stream, &st);
}

// The next message, NULL at the good end. A unary call's message only counts when the call ended
// well.
static alm_code take_next(alm_stream *stream, alm_inbox_node **ret, alm_status *st)
{
    alm_client *client = stream->channel->client;
    for (;;) {
        bool has_ended = stream->state == ALM_STREAM_ENDED;
        bool may_take = !stream->is_unary || (has_ended && stream->end.code == ALM_OK);
        if (may_take && stream->inbox != NULL) {
            *ret = stream->inbox;
            DL_DELETE(stream->inbox, *ret);
            stream->inbox_bytes -= (*ret)->len + ALM_RECORD_HEADER_BYTES;
            stream->consumed_count++;
            give_credit(stream, (*ret)->len + ALM_RECORD_HEADER_BYTES);
            return ALM_OK;
        }
        if (has_ended) {
            *ret = NULL;
            return stream->end.code == ALM_OK ? ALM_OK : alm_status_copy(st, &stream->end);
        }
        int64_t wait_us = ALM_NEVER_US;
        if (stream->deadline_us != ALM_NEVER_US) {
            wait_us = stream->deadline_us - alm_rpc_now_us(client->rpc);
        }
        if (wait_us <= 0) {
            end_by_deadline(stream);
            continue;
        }
        alm_cond_wait_us(&stream->changed, &client->lock, wait_us);
    }
}

alm_code alm_stream_next(alm_stream *stream, alm_arena *arena, ProtobufCMessage **ret_message,
                         alm_status *st)
{
    alm_client *client = stream->channel->client;
    alm_inbox_node *node = NULL;
    alm_lock(&client->lock);
    alm_code code = take_next(stream, &node, st);
    alm_unlock(&client->lock);
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
    alm_lock(&client->lock);
    cancel(stream, &why);
    stream->end = why;
    drop_inbox(stream);
    alm_unlock(&client->lock);
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
    alm_code code =
        stream_init(stream, channel, service, method, ALM_METHOD_SERVER_STREAM, opts, request, st);
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

alm_code alm_channel_call(alm_channel *channel, const alm_service_def *service, const char *method,
                          const alm_call_opts *opts, const ProtobufCMessage *request,
                          alm_arena *arena, ProtobufCMessage **ret_reply, alm_status *st)
{
    alm_stream stream;
    ALM_TRY(stream_init(&stream, channel, service, method, ALM_METHOD_UNARY, opts, request, st));
    ProtobufCMessage *reply = NULL;
    alm_code code = alm_stream_next(&stream, arena, &reply, st);
    if (code == ALM_OK && reply == NULL) {
        code = alm_status_set(st, ALM_INTERNAL, "%s/%s ended without a reply",
                              service->descriptor->name, method);
    }
    stream_deinit(&stream);
    if (code == ALM_OK) {
        *ret_reply = reply;
    }
    return code;
}
