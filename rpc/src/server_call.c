// Calls in progress: how they start, wait for a thread, run, are stopped and end.
#include "server_internal.h"

#include "prescan.h"

#include <stdio.h>

#define ENDLESS_COUNT_MAX      1024 // further endless calls count as ordinary ones
#define SCRATCH_KEEP_BYTES_MAX ((size_t)256 << 10)
#define FREE_CALL_COUNT_MAX    256
#define CREDIT_BYTES_MAX       ((int64_t)ALM_RPC_STREAM_WINDOW_BYTES)
#define QUEUE_RETRY_MS         100

size_t alm_server_thread_count_max(const alm_server *server)
{
    return server->thread_count_max + ENDLESS_COUNT_MAX;
}

// --- objects -------------------------------------------------------------------------------------

static alm_call *call_create(alm_server *server)
{
    alm_call *call = alm_calloc(1, sizeof *call);
    alm_arena *arena = alm_arena_create(server->arena_bytes_max);
    if (call == NULL || arena == NULL) {
        alm_arena_destroy(&arena);
        alm_free(call);
        return NULL;
    }
    call->server = server;
    call->arena = arena;
    alm_buf_init(&call->scratch, 0);
    alm_cond_init(&call->changed);
    return call;
}

void alm_call_destroy(alm_call *call)
{
    alm_arena_destroy(&call->arena);
    alm_buf_deinit(&call->scratch);
    pthread_cond_destroy(&call->changed);
    alm_free(call);
}

static alm_call *call_take(alm_server *server)
{
    alm_call *call = server->free_calls;
    if (call == NULL) {
        return call_create(server);
    }
    DL_DELETE(server->free_calls, call);
    memset(&call->peer, 0, sizeof *call - offsetof(alm_call, peer));
    return call;
}

static void call_give_back(alm_server *server, alm_call *call)
{
    alm_arena_reset(call->arena);
    alm_buf_reset(&call->scratch);
    if (call->scratch.cap > SCRATCH_KEEP_BYTES_MAX) {
        alm_buf_deinit(&call->scratch);
    }
    DL_PREPEND(server->free_calls, call);
}

// --- start ---------------------------------------------------------------------------------------

// Whether a request may be taken at all; st says why not.
static alm_code admit(alm_server *server, const alm_record *request, uint8_t *ret_flags,
                      alm_status *st)
{
    if (server->is_draining) {
        *ret_flags = ALM_RECORD_REFUSED;
        return alm_status_set(st, ALM_UNAVAILABLE, "%s is stopping", server->name);
    }
    if (request->arg >= server->method_count) {
        return alm_status_set(st, ALM_UNIMPLEMENTED, "%s has no method number %u", server->name,
                              (unsigned)request->arg);
    }
    const alm_server_method *method = &server->methods[request->arg];
    if (method->handler == NULL) {
        return alm_status_set(st, ALM_UNIMPLEMENTED, "%s does not implement %s", server->name,
                              method->stats.method);
    }
    if (request->payload.len > server->rpc->message_bytes_max) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "a request of %zu bytes passes the limit of %zu",
                              request->payload.len, server->rpc->message_bytes_max);
    }
    if (request->time_ms == 0) {
        return alm_status_set(st, ALM_DEADLINE_EXCEEDED, "no time left when %s got the call",
                              server->name);
    }
    return ALM_OK;
}

static void set_request_id(alm_call *call, alm_str metadata)
{
    alm_str id;
    if (alm_metadata_find(metadata, ALM_STR(ALM_METADATA_REQUEST_ID), &id) && id.len > 0 &&
        id.len < ALM_REQUEST_ID_MAX) {
        memcpy(call->request_id, id.data, id.len);
        call->request_id[id.len] = '\0';
        return;
    }
    snprintf(call->request_id, sizeof call->request_id, "%016llx",
             (unsigned long long)alm_rpc_random(call->server->rpc));
}

static alm_call *call_of(alm_server *server, alm_peer *peer, const alm_record *request)
{
    alm_call *call = call_take(server);
    if (call == NULL) {
        return NULL;
    }
    char *copy = alm_arena_alloc(call->arena, request->payload.len);
    if (copy == NULL) {
        call_give_back(server, call);
        return NULL;
    }
    if (request->payload.len > 0) {
        memcpy(copy, request->payload.data, request->payload.len);
    }
    call->request = (alm_str){.data = copy, .len = request->payload.len};
    call->peer = peer;
    call->id = request->call_id;
    call->method = &server->methods[request->arg];
    call->start_us = alm_rpc_now_us(server->rpc);
    call->deadline_us = request->time_ms == ALM_RECORD_TIME_NONE
                            ? ALM_NEVER_US
                            : call->start_us + (int64_t)request->time_ms * 1000;
    call->credit = peer->window_bytes;
    set_request_id(call, request->metadata);
    HASH_ADD(hh, peer->calls, id, sizeof call->id, call);
    if (call->hh.tbl == NULL) {
        call_give_back(server, call);
        return NULL;
    }
    server->active_count++;
    call->method->stats.started++;
    call->method->stats.bytes_received += request->payload.len;
    return call;
}

static bool has_room_to_run(const alm_server *server)
{
    size_t endless_count = ALM_MIN(server->endless_count, (size_t)ENDLESS_COUNT_MAX);
    return server->running_count - endless_count < server->thread_count_max;
}

// Starts a thread if the calls in the queue have none.
static void provide_thread(alm_server *server)
{
    bool is_short = server->free_thread_count <= server->queue_count;
    if (is_short && has_room_to_run(server) &&
        server->thread_count < alm_server_thread_count_max(server)) {
        pthread_t *thread = &server->threads[server->thread_count];
        alm_status ignored;
        if (alm_thread_start(thread, alm_server_handle, server, &ignored) == ALM_OK) {
            server->thread_count++;
            server->free_thread_count++;
        }
    }
}

static alm_code find_room(alm_server *server, const alm_peer *peer, const alm_record *request,
                          alm_status *st)
{
    if (HASH_COUNT(peer->calls) >= ALM_RPC_PEER_CALL_COUNT_MAX) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "the client has %d calls in progress",
                              ALM_RPC_PEER_CALL_COUNT_MAX);
    }
    if (server->methods[request->arg].runs_inline) {
        return ALM_OK;
    }
    provide_thread(server);
    bool has_room = server->queue_count < server->free_thread_count + server->queue_count_max &&
                    server->queue_bytes + request->payload.len <= ALM_RPC_QUEUE_BYTES_MAX;
    if (!has_room || server->thread_count == 0) {
        alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s has %zu calls of %zu bytes waiting",
                       server->name, server->queue_count, server->queue_bytes);
        st->retry_after_ms = QUEUE_RETRY_MS;
        return ALM_RESOURCE_EXHAUSTED;
    }
    return ALM_OK;
}

static void run_call(alm_call *call);

static void enqueue(alm_server *server, alm_call *call)
{
    call->state = ALM_CALL_QUEUED;
    DL_APPEND(server->queue, call);
    server->queue_count++;
    server->queue_bytes += call->request.len;
    pthread_cond_signal(&server->work);
}

static void dequeue(alm_server *server, alm_call *call)
{
    DL_DELETE(server->queue, call);
    server->queue_count--;
    server->queue_bytes -= call->request.len;
    call->state = ALM_CALL_RUNNING;
}

void alm_call_start(alm_server *server, alm_peer *peer, const alm_record *request)
{
    alm_status st = ALM_STATUS_INIT;
    uint8_t flags = 0;
    alm_code code = admit(server, request, &flags, &st);
    if (code == ALM_OK) {
        code = find_room(server, peer, request, &st);
    }
    alm_call *call = code == ALM_OK ? call_of(server, peer, request) : NULL;
    if (code == ALM_OK && call == NULL) {
        code = alm_status_set(&st, ALM_RESOURCE_EXHAUSTED, "%s has no memory for a call",
                              server->name);
    }
    if (code != ALM_OK) {
        alm_peer_send_end(server, peer, request->call_id, flags, &st);
        return;
    }
    if (!call->method->runs_inline) {
        enqueue(server, call);
        return;
    }
    call->state = ALM_CALL_RUNNING;
    alm_unlock(&server->lock);
    run_call(call);
    alm_lock(&server->lock);
}

// --- run -----------------------------------------------------------------------------------------

static alm_code answer(alm_call *call, alm_status *st)
{
    const alm_server_method *method = call->method;
    const ProtobufCServiceDescriptor *service = method->service->def->descriptor;
    ALM_TRY(alm_call_check(call, st));
    ProtobufCMessage *request;
    ALM_TRY(alm_message_unpack(service->methods[method->index].input, call->request, call->arena,
                               &request, st));
    alm_code code = method->handler(method->self, call, request, st);
    if (code != ALM_OK && st->code != code) {
        return alm_status_set(st, code, "%s", alm_code_text(code));
    }
    return code;
}

bool alm_call_is_unary(const alm_call *call)
{
    const alm_server_method *method = call->method;
    return method->service->def->methods[method->index].kind == ALM_METHOD_UNARY;
}

// The lock is not held; the call is over when this returns, unless its handler parked it.
static void run_call(alm_call *call)
{
    alm_server *server = call->server;
    alm_status st = ALM_STATUS_INIT;
    alm_code code = answer(call, &st);
    if (code == ALM_OK) {
        st = ALM_STATUS_INIT;
    }
    if (!call->wants_park) {
        alm_arena_reset(call->arena); // not under the lock: runs what the handler left to be done
    }
    alm_lock(&server->lock);
    if (call->wants_park && code == ALM_OK && call->stop_code == ALM_OK) {
        alm_health_park(call);
        alm_unlock(&server->lock);
        return;
    }
    if (code == ALM_OK && alm_call_is_unary(call) && call->message_count != 1) {
        alm_status_set(&st, ALM_INTERNAL, "%s answered without a reply",
                       call->method->stats.method);
    } else if (code != ALM_OK && call->stop_code != ALM_OK) {
        alm_status_set(&st, call->stop_code, "%s", call->stop_text);
    }
    alm_call_finish(call, &st);
    alm_unlock(&server->lock);
}

void *alm_server_handle(void *arg)
{
    alm_server *server = arg;
    alm_lock(&server->lock);
    for (;;) {
        while (!server->is_stopping && (server->queue == NULL || !has_room_to_run(server))) {
            pthread_cond_wait(&server->work, &server->lock);
        }
        if (server->queue == NULL) {
            break;
        }
        alm_call *call = server->queue;
        dequeue(server, call);
        server->free_thread_count--;
        server->running_count++;
        alm_unlock(&server->lock);
        run_call(call);
        alm_lock(&server->lock);
        server->running_count--;
        server->free_thread_count++; // and looks at the queue itself, so nobody need be woken
    }
    alm_unlock(&server->lock);
    return NULL;
}

// --- stop and finish -----------------------------------------------------------------------------

static void stop_children(alm_call *call)
{
    alm_call_hook *hook, *next;
    DL_FOREACH_SAFE(call->children, hook, next)
    {
        hook->cancel(hook->arg);
    }
}

void alm_call_stop(alm_call *call, alm_code code, const char *text)
{
    if (call->stop_code != ALM_OK) {
        return;
    }
    alm_server *server = call->server;
    call->stop_code = code;
    call->stop_text = text;
    if (call->state == ALM_CALL_RUNNING) {
        stop_children(call);
        pthread_cond_broadcast(&call->changed);
        return;
    }
    if (call->state == ALM_CALL_QUEUED) {
        dequeue(server, call);
    } else {
        DL_DELETE(server->watches, call);
        call->state = ALM_CALL_RUNNING;
    }
    alm_status st = ALM_STATUS_INIT;
    alm_status_set(&st, code, "%s", text);
    alm_call_finish(call, &st);
}

static bool has_thread(const alm_call *call)
{
    return !call->method->runs_inline;
}

static void count_finished(alm_call *call, alm_code code)
{
    alm_method_stats *stats = &call->method->stats;
    int64_t took_us = alm_rpc_now_us(call->server->rpc) - call->start_us;
    size_t bucket = 0;
    while (bucket < ALM_LATENCY_BUCKET_COUNT - 1 && took_us > alm_latency_bounds_us[bucket]) {
        bucket++;
    }
    stats->finished[code]++;
    stats->latency_us_sum += (uint64_t)took_us;
    stats->latency[bucket]++;
}

void alm_call_finish(alm_call *call, const alm_status *st)
{
    alm_server *server = call->server;
    alm_peer *peer = call->peer;
    ALM_ASSERT(call->children == NULL); // a handler must close the streams it opened
    alm_peer_send_end(server, peer, call->id, 0, st);
    alm_server_wake(server);
    HASH_DEL(peer->calls, call);
    count_finished(call, st->code);
    if (call->is_endless && has_thread(call)) {
        server->endless_count--;
    }
    if (peer->is_gone && peer->calls == NULL) {
        alm_peer_free(peer);
    }
    call_give_back(server, call);
    server->active_count--;
    if (server->active_count == 0) {
        pthread_cond_broadcast(&server->drained);
    }
}

void alm_call_add_credit(alm_call *call, uint32_t bytes)
{
    call->credit = ALM_MIN(call->credit + (int64_t)bytes, CREDIT_BYTES_MAX);
    pthread_cond_broadcast(&call->changed);
}

void alm_server_count_endless(alm_server *server, alm_call *call)
{
    server->endless_count += has_thread(call) ? 1 : 0;
    if (server->is_draining) {
        alm_call_stop(call, ALM_UNAVAILABLE, "the server is stopping");
    }
    if (server->queue != NULL) {
        provide_thread(server);
        pthread_cond_signal(&server->work);
    }
}
