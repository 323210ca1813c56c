// How a call begins and is taken down.
#include "client.h"

#include "alm/alloc.h"
#include "alm/message_bytes.h"

#include <stddef.h>

#define FREE_COUNT_MAX         1024
#define FREE_REQUEST_BYTES_MAX ((size_t)16 << 10)

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
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s of %zu bytes passes the limit of %zu",
                              request->descriptor->name, size, size_max);
    }
    if (!alm_message_to_bytes(request, size, &stream->request)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %zu bytes", size);
    }
    return ALM_OK;
}

static alm_code find_method(const alm_stream_init_opts *opts, unsigned *ret, alm_status *st)
{
    const char *service = opts->service->descriptor->name;
    int index = alm_service_method_find(opts->service, opts->method);
    if (index < 0) {
        return alm_status_set(st, ALM_UNIMPLEMENTED, "%s has no method %s", service, opts->method);
    }
    bool streams = opts->service->methods[index].kind != ALM_METHOD_UNARY;
    if (streams != opts->streams && opts->events == NULL) {
        return alm_status_set(st, ALM_UNIMPLEMENTED, "%s/%s %s", service, opts->method,
                              streams ? "streams" : "does not stream");
    }
    *ret = (unsigned)index;
    return ALM_OK;
}

static void cancel_from_parent(void *arg)
{
    alm_status st = ALM_STATUS_INIT;
    alm_status_set(&st, ALM_CANCELLED, "the call this one was made for was cancelled");
    alm_stream_cancel(arg, &st);
}

static void take_parent(alm_stream *stream, const alm_call *parent)
{
    // The caller's view of its call is const; its ids are made when they are first asked for, and
    // the list of what hangs on it is the server's own.
    stream->parent = (alm_call *)(uintptr_t)parent;
    stream->hook = (alm_call_hook){.cancel = cancel_from_parent, .arg = stream};
    memcpy(stream->request_id, alm_call_told_request_id(parent), ALM_REQUEST_ID_MAX);
    memcpy(stream->traceparent, alm_call_traceparent(stream->parent), ALM_TRACEPARENT_BYTES);
}

alm_code alm_stream_set_method(alm_stream *stream, alm_channel *channel,
                               const alm_service_def *service, unsigned method, const char *key,
                               alm_status *st)
{
    size_t key_len = key != NULL ? strlen(key) : 0;
    if (key_len >= sizeof stream->idempotency_key) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT,
                              "an idempotency key of %zu bytes, the most is %zu", key_len,
                              sizeof stream->idempotency_key - 1);
    }
    const alm_method_def *def = &service->methods[method];
    memset(stream, 0, offsetof(alm_stream, timer));
    memcpy(stream->idempotency_key, key_len > 0 ? key : "", key_len + 1);
    stream->request_id[0] = '\0';
    stream->traceparent[0] = '\0';
    stream->end.code = ALM_OK;
    stream->channel = channel;
    stream->service = service;
    stream->method = method;
    stream->has_one_answer = !alm_method_server_streams(def);
    stream->client_streams = alm_method_client_streams(def);
    stream->may_repeat =
        def->repeat == ALM_REPEAT_SAFE || (def->repeat == ALM_REPEAT_KEYED && key_len > 0);
    return ALM_OK;
}

void alm_stream_list(alm_stream *stream)
{
    alm_channel *channel = stream->channel;
    ALM_ASSERT(!channel->is_closed);
    channel->ref_count++;
    DL_APPEND(channel->streams, stream);
    channel->waiting_count++;
}

bool alm_stream_set_timer(alm_stream *stream)
{
    return stream->deadline_us == ALM_NEVER_US ||
           alm_timer_set(&stream->channel->client->timers, &stream->timer, stream->deadline_us);
}

static void unlist(alm_stream *stream)
{
    ALM_ASSERT(stream->state == ALM_STREAM_ENDED);
    if (stream->is_fired) {
        DL_DELETE2(stream->channel->client->fired, stream, fired_prev, fired_next);
        stream->is_fired = false;
    }
    alm_flow_deinit(&stream->flow);
    DL_DELETE(stream->channel->streams, stream);
    alm_channel_release(stream->channel);
}

// With the lock held: from here on the I/O thread may send it.
static void start(alm_stream *stream)
{
    alm_status st; // not cleared: it is large, and most calls start
    alm_stream_list(stream);
    if (stream->events != NULL && !alm_stream_set_timer(stream)) {
        alm_status_set(&st, ALM_RESOURCE_EXHAUSTED, "no memory for a deadline");
    } else if (stream->parent != NULL && !alm_call_hook_add(stream->parent, &stream->hook)) {
        alm_status_set(&st, ALM_CANCELLED, "the call this one is made for is cancelled");
    } else {
        stream->has_hook = stream->parent != NULL;
        alm_channel_place(stream->channel, stream);
        return;
    }
    alm_stream_end(stream, &st);
}

alm_code alm_stream_init(alm_stream *stream, alm_channel *channel, const alm_stream_init_opts *opts,
                         alm_status *st)
{
    static const alm_call_opts none;
    const alm_call_opts *call = opts->call != NULL ? opts->call : &none;
    const ProtobufCServiceDescriptor *service = opts->service->descriptor;
    unsigned index = 0;
    ALM_TRY(find_method(opts, &index, st));
    ALM_TRY(
        alm_stream_set_method(stream, channel, opts->service, index, call->idempotency_key, st));
    stream->fail_fast = call->fail_fast;
    stream->affinity = call->affinity;
    stream->start_us = alm_rpc_now_us(channel->client->rpc);
    stream->deadline_us = deadline_of(channel->client, call);
    stream->avoid = opts->avoid;
    stream->events = opts->events;
    stream->events_arg = opts->events_arg;
    stream->closes_itself = opts->closes_itself;
    stream->wants_room = stream->client_streams; // to send the first
    ALM_ASSERT(stream->client_streams ? opts->request == NULL
                                      : opts->request->descriptor == service->methods[index].input);
    if (opts->request != NULL) {
        ALM_TRY(pack_request(stream, opts->request, st));
    }
    if (call->parent != NULL) {
        take_parent(stream, call->parent);
    }
    if (opts->events == NULL) {
        ALM_ASSERT(!alm_io_is_here(channel->client->rpc->io)); // it would wait for itself
        alm_cond_init(&stream->changed);
        stream->notify = opts->notify != NULL ? opts->notify : &stream->changed;
    }
    alm_io *io = channel->client->rpc->io;
    alm_lock(channel->client->lock);
    bool leads = opts->events == NULL && alm_io_lead(io);
    start(stream);
    if (opts->leads != NULL) {
        *opts->leads = leads;
    } else if (leads) {
        alm_io_leave(io);
    }
    alm_unlock(channel->client->lock);
    return ALM_OK;
}

// --- the end -------------------------------------------------------------------------------------

static void cancel_closed(alm_stream *stream)
{
    if (stream->state != ALM_STREAM_ENDED) {
        alm_status st = ALM_STATUS_INIT;
        alm_status_set(&st, ALM_CANCELLED, "the stream was closed");
        alm_stream_cancel(stream, &st);
    }
}

void alm_stream_deinit(alm_stream *stream)
{
    alm_client *client = stream->channel->client;
    alm_lock(client->lock);
    cancel_closed(stream);
    unlist(stream);
    alm_unlock(client->lock);
    alm_buf_deinit(&stream->request);
    pthread_cond_destroy(&stream->changed);
}

// One that tells by events is not freed while it does.
static void close_telling(alm_stream *stream)
{
    alm_client *client = stream->channel->client;
    alm_lock(client->lock);
    cancel_closed(stream);
    bool is_within = client->telling == stream && alm_io_is_here(client->rpc->io);
    stream->is_closed = true;
    stream->is_awaited = !is_within;
    while (!is_within && client->telling == stream) {
        pthread_cond_wait(&client->told, client->lock);
    }
    if (!is_within) {
        alm_stream_free(stream);
    }
    alm_unlock(client->lock);
}

void alm_stream_close(alm_stream **stream)
{
    alm_stream *self = *stream;
    if (self == NULL) {
        return;
    }
    *stream = NULL;
    if (self->notify == NULL) {
        close_telling(self);
        return;
    }
    alm_stream_deinit(self);
    alm_free(self);
}

// --- with the lock held: streams that are kept for the next calls --------------------------------

alm_stream *alm_stream_create(alm_client *client)
{
    alm_stream *stream = client->free_streams;
    if (stream != NULL) {
        LL_DELETE(client->free_streams, stream);
        client->free_stream_count--;
        return stream;
    }
    stream = alm_alloc(sizeof *stream);
    if (stream != NULL) {
        alm_buf_init(&stream->request, 0);
        stream->timer = (alm_timer){0};
    }
    return stream;
}

void alm_stream_destroy(alm_client *client, alm_stream *stream)
{
    alm_timer_remove(&client->timers, &stream->timer);
    alm_buf_deinit(&stream->request);
    alm_free(stream);
}

void alm_stream_give_back(alm_client *client, alm_stream *stream)
{
    alm_buf_reset(&stream->request);
    if (client->free_stream_count >= FREE_COUNT_MAX ||
        stream->request.cap > FREE_REQUEST_BYTES_MAX) {
        alm_stream_destroy(client, stream);
        return;
    }
    if (alm_io_is_here(client->rpc->io) && client->spare == NULL) {
        client->spare = stream;
        return;
    }
    LL_PREPEND(client->free_streams, stream);
    client->free_stream_count++;
}

void alm_stream_free(alm_stream *stream)
{
    alm_client *client = stream->channel->client;
    unlist(stream);
    alm_stream_give_back(client, stream);
}
