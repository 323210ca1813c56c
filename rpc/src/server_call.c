// Calls in progress: how they start, wait for a thread, run, are stopped and end.
#include "server_internal.h"

#include "alm/message.h"

#include <stdio.h>

#define SCRATCH_KEEP_BYTES_MAX ((size_t)256 << 10)
#define FREE_CALL_COUNT_MAX    256

// --- objects -------------------------------------------------------------------------------------

static alm_call *call_create(alm_server *server)
{
    alm_call *call = alm_calloc(1, sizeof *call);
    alm_arena *arena = alm_arena_create(server->rpc->limits.arena_bytes_max);
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
    memset(&call->peer, 0, offsetof(alm_call, request_id) - offsetof(alm_call, peer));
    call->request_id[0] = call->traceparent[0] = call->bearer[0] = '\0';
    return call;
}

static void call_give_back(alm_server *server, alm_call *call)
{
    server->inbox_bytes -= call->flow.inbox_bytes;
    alm_flow_deinit(&call->flow);
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
    if (method->handler == NULL && method->forward == NULL) {
        return alm_status_set(st, ALM_UNIMPLEMENTED, "%s does not implement %s", server->name,
                              method->stats.method);
    }
    if (request->payload.len > server->rpc->limits.message_bytes_max) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "a request of %zu bytes passes the limit of %zu",
                              request->payload.len, server->rpc->limits.message_bytes_max);
    }
    if (request->metadata.len > server->rpc->limits.metadata_bytes_max) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "metadata of %zu bytes passes the limit of %zu",
                              request->metadata.len, server->rpc->limits.metadata_bytes_max);
    }
    if (request->time_ms == 0) {
        return alm_status_set(st, ALM_DEADLINE_EXCEEDED, "no time left when %s got the call",
                              server->name);
    }
    return ALM_OK;
}

// The frame it came in is gone when a thread takes it.
static bool keep_request(alm_call *call)
{
    char *copy = alm_arena_alloc(call->arena, call->request.len);
    if (copy == NULL) {
        return false;
    }
    if (call->request.len > 0) {
        memcpy(copy, call->request.data, call->request.len);
    }
    call->request.data = copy;
    return true;
}

// NULL: no memory.
static alm_call *call_of(alm_server *server, alm_peer *peer, const alm_record *request,
                         bool is_inline)
{
    alm_call *call = call_take(server);
    if (call == NULL) {
        return NULL;
    }
    call->request = request->payload;
    call->is_inline = is_inline;
    if (!is_inline && !keep_request(call)) {
        call_give_back(server, call);
        return NULL;
    }
    call->peer = peer;
    call->id = request->call_id;
    call->serial = ++server->serial_last;
    call->method = &server->methods[request->arg];
    call->user = "";
    call->idempotency_key = "";
    call->start_us = alm_rpc_now_us(server->rpc);
    call->deadline_us = request->time_ms == ALM_RECORD_TIME_NONE
                            ? ALM_NEVER_US
                            : call->start_us + (int64_t)request->time_ms * 1000;
    alm_flow_init(&call->flow, peer->window_bytes, peer->window_messages);
    return call;
}

alm_code alm_call_list(alm_call *call, alm_status *st)
{
    alm_peer *peer = call->peer;
    if (!alm_id_map_add(&peer->ids, call->id, call)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s has no memory for a call",
                              call->server->name);
    }
    DL_APPEND2(peer->calls, call, peer_prev, peer_next);
    call->is_listed = true;
    return ALM_OK;
}

static void unlist(alm_call *call)
{
    alm_peer *peer = call->peer;
    alm_id_map_remove(&peer->ids, call->id);
    DL_DELETE2(peer->calls, call, peer_prev, peer_next);
    call->is_listed = false;
}

static alm_code find_room(alm_server *server, alm_peer *peer, const alm_record *request,
                          bool is_inline, uint8_t *ret_flags, alm_status *st)
{
    alm_code code = alm_server_find_room(server, peer, request, st);
    if (code == ALM_OK && !is_inline) {
        code = alm_server_find_thread(server, request, st);
    }
    *ret_flags = code != ALM_OK ? ALM_RECORD_REFUSED : 0;
    return code;
}

static alm_code take_request(alm_server *server, alm_peer *peer, const alm_record *request,
                             uint8_t *ret_flags, alm_call **ret, alm_status *st)
{
    ALM_TRY(admit(server, request, ret_flags, st));
    const alm_server_method *method = &server->methods[request->arg];
    bool is_inline = method->runs_inline || alm_server_looks_at(server, peer, request);
    ALM_TRY(find_room(server, peer, request, is_inline, ret_flags, st));
    alm_call *call = call_of(server, peer, request, is_inline);
    if (call == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s has no memory for a call",
                              server->name);
    }
    alm_code code = alm_intercept_begin(call, request->metadata, st);
    // One that ends at once is never looked for.
    bool ends_at_once = method->runs_inline && method->forward == NULL;
    if (code == ALM_OK && !ends_at_once) {
        code = alm_call_list(call, st);
    }
    if (code != ALM_OK) {
        alm_intercept_end(call, st);
        call_give_back(server, call);
        return code;
    }
    server->active_count++;
    *ret = call;
    return ALM_OK;
}

void alm_call_start(alm_server *server, alm_peer *peer, const alm_record *request)
{
    alm_status st; // not cleared: it is large, and most calls are taken
    uint8_t flags = 0;
    alm_call *call = NULL;
    if (take_request(server, peer, request, &flags, &call, &st) != ALM_OK) {
        alm_peer_send_end(server, peer, request->call_id, flags, &st);
        return;
    }
    if (!call->is_inline) {
        alm_server_enqueue(server, call);
    } else if (call->method->look != NULL) {
        alm_call_look(call, request);
    } else if (call->method->forward != NULL) {
        alm_call_forward(call);
    } else {
        call->state = ALM_CALL_RUNNING;
        alm_call_run(call);
    }
}

// --- run -----------------------------------------------------------------------------------------

alm_code alm_call_unpack(alm_call *call, alm_status *st)
{
    const ProtobufCServiceDescriptor *service = call->method->service->def->descriptor;
    return alm_message_unpack(service->methods[call->method->index].input, call->request,
                              call->server->rpc->limits.element_count_max, call->arena,
                              &call->unpacked, st);
}

static alm_code answer(alm_call *call, alm_status *st)
{
    const alm_server_method *method = call->method;
    if (!call->is_inline) { // else it came just now
        ALM_TRY(alm_call_check(call, st));
    }
    if (call->unpacked == NULL && !alm_call_client_streams(call)) {
        ALM_TRY(alm_call_unpack(call, st));
    }
    alm_code code = method->handler(method->self, call, call->unpacked, st);
    if (code != ALM_OK && st->code != code) {
        return alm_status_set(st, code, "%s", alm_code_text(code));
    }
    return code;
}

bool alm_call_streams(const alm_call *call)
{
    return call->method->def->kind != ALM_METHOD_UNARY;
}

bool alm_call_has_one_answer(const alm_call *call)
{
    return !alm_method_server_streams(call->method->def);
}

bool alm_call_client_streams(const alm_call *call)
{
    return alm_method_client_streams(call->method->def);
}

void alm_call_end_with(alm_call *call, alm_status *st)
{
    if (st->code == ALM_OK && alm_call_has_one_answer(call) && !call->has_answer) {
        alm_status_set(st, ALM_INTERNAL, "%s answered without a reply", call->method->stats.method);
    } else if (st->code != ALM_OK && call->stop_code != ALM_OK) {
        alm_status_set(st, call->stop_code, "%s", call->stop_text);
    }
    alm_server_count_run(call->server, call);
    alm_call_finish(call, st);
}

void alm_call_run(alm_call *call)
{
    alm_server *server = call->server;
    alm_status st;
    st.code = ALM_OK;
    st.retry_after_ms = 0;
    st.field[0] = '\0';
    st.message[0] = '\0';
    bool is_inline = call->is_inline;
    alm_unlock(server->lock);
    alm_code code = answer(call, &st);
    bool is_deferred = is_inline && server->deferred == call; // then it may be over already
    if (!is_deferred && !call->wants_park) {
        alm_arena_reset(call->arena); // not under the lock: runs what the handler left to be done
    }
    alm_lock(server->lock);
    if (is_deferred) {
        server->deferred = NULL;
        ALM_ASSERT(code == ALM_OK);
        return;
    }
    if (code == ALM_OK) {
        st.code = ALM_OK;
    }
    alm_io *io = server->rpc->io;
    bool leads = !is_inline && alm_io_lead(io); // and sends the answer itself
    if (call->wants_park && code == ALM_OK && call->stop_code == ALM_OK) {
        alm_health_park(call);
    } else {
        alm_call_end_with(call, &st);
    }
    if (leads) {
        alm_io_leave(io);
    }
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
        call->runs_on = call->is_listed;
        call->peer->stopped_count += call->runs_on ? 1 : 0;
        call->wants_room = true;
        alm_call_changed(call);
        return;
    }
    if (call->state == ALM_CALL_FORWARDED) {
        alm_call_stop_forward(call);
        return;
    }
    if (call->state == ALM_CALL_QUEUED) {
        alm_server_dequeue(server, call);
    } else {
        DL_DELETE(server->watches, call);
        call->state = ALM_CALL_RUNNING;
    }
    alm_status st = ALM_STATUS_INIT;
    alm_status_set(&st, code, "%s", text);
    alm_call_finish(call, &st);
}

// The answer travels in its END. It does not fit only if there is no memory for it.
static void send_end(alm_server *server, alm_call *call, const alm_status *st)
{
    if (st->code != ALM_OK) {
        uint8_t flags = call->is_refused ? ALM_RECORD_REFUSED : 0;
        alm_peer_send_end(server, call->peer, call->id, flags, st);
        return;
    }
    alm_record end = {.type = ALM_RECORD_END, .call_id = call->id};
    if (call->has_answer) {
        end.flags = ALM_RECORD_LAST;
        end.payload = call->answer;
        alm_flow_count_sent(&call->flow, end.payload.len);
    }
    end.time_ms = call->flow.sent_count;
    alm_peer_send(server, call->peer, &end);
}

void alm_call_finish(alm_call *call, const alm_status *st)
{
    alm_server *server = call->server;
    alm_peer *peer = call->peer;
    ALM_ASSERT(call->children == NULL); // a handler must close the streams it opened
    send_end(server, call, st);
    alm_server_wake(server);
    if (call->is_fired) {
        DL_DELETE2(server->fired, call, fired_prev, fired_next);
    }
    peer->waiting_count -= call->is_waiting ? 1 : 0;
    peer->stopped_count -= call->runs_on ? 1 : 0;
    if (call->is_listed) {
        unlist(call);
    }
    alm_intercept_end(call, st);
    if (call->is_endless && !call->is_inline) {
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

static alm_code take_message(alm_call *call, const alm_record *record, alm_status *st)
{
    alm_server *server = call->server;
    const alm_rpc_limits *limits = &server->rpc->limits;
    if (!alm_call_client_streams(call) || call->has_finished) {
        return alm_status_set(st, ALM_INVALID_ARGUMENT, "a message that is not due");
    }
    if (server->inbox_bytes > limits->queue_bytes_max) {
        alm_call_stop(call, ALM_RESOURCE_EXHAUSTED, "the server holds too many unread messages");
        return ALM_OK;
    }
    alm_status why = ALM_STATUS_INIT;
    size_t before = call->flow.inbox_bytes;
    alm_code code = alm_flow_check(&call->flow, limits, record->arg, record->payload.len, &why);
    if (code == ALM_OK) {
        code = alm_flow_keep(&call->flow, record->payload, &why);
    }
    switch (code) {
    case ALM_OK:
        server->inbox_bytes += call->flow.inbox_bytes - before;
        call->method->stats.messages_received++;
        call->method->stats.bytes_received += record->payload.len;
        alm_call_changed(call);
        return ALM_OK;
    case ALM_RESOURCE_EXHAUSTED:
        alm_call_stop(call, ALM_RESOURCE_EXHAUSTED, "a message past the limit, or no memory");
        return ALM_OK;
    default:
        return alm_status_copy(st, &why);
    }
}

alm_code alm_call_take(alm_call *call, const alm_record *record, alm_status *st)
{
    switch (record->type) {
    case ALM_RECORD_MESSAGE:
        return take_message(call, record, st);
    case ALM_RECORD_FINISH:
        if (!alm_call_client_streams(call) || call->has_finished) {
            return alm_status_set(st, ALM_INVALID_ARGUMENT, "a FINISH that is not due");
        }
        ALM_TRY(alm_flow_check_count(&call->flow, record->arg, st));
        call->has_finished = true;
        break;
    default:
        alm_flow_add_credit(&call->flow, record);
        break;
    }
    alm_call_changed(call);
    return ALM_OK;
}
