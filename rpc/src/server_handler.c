// What a handler may ask of its call, from its own thread.
#include "server_internal.h"

#include "alm/message_bytes.h"
#include "alm/message.h"

#define PACK_LOCKED_BYTES_MAX ((size_t)128 << 10) // what is larger would hold the others up

alm_arena *alm_call_arena(alm_call *call)
{
    return call->arena;
}

alm_code alm_call_check_locked(const alm_call *call, alm_status *st)
{
    if (call->stop_code != ALM_OK) {
        return alm_status_set(st, ALM_CANCELLED, "%s", call->stop_text);
    }
    if (call->deadline_us <= alm_rpc_now_us(call->server->rpc)) {
        return alm_status_set(st, ALM_DEADLINE_EXCEEDED, "%s took longer than %lld ms",
                              call->method->stats.method,
                              (long long)(call->deadline_us - call->start_us) / 1000);
    }
    return ALM_OK;
}

alm_code alm_call_check(alm_call *call, alm_status *st)
{
    alm_lock(call->server->lock);
    alm_call_flush(call);
    alm_code code = alm_call_check_locked(call, st);
    alm_unlock(call->server->lock);
    return code;
}

void alm_call_flush(alm_call *call)
{
    if (call->holds) {
        call->holds = false;
        alm_server_wake(call->server);
    }
}

bool alm_call_must_wait(const alm_call *call)
{
    return !alm_flow_may_send(&call->flow) || alm_peer_streams_wait(call->server, call->peer);
}

// Waits for a change of the call, at most until its deadline.
static void wait_for_change(alm_call *call)
{
    alm_server *server = call->server;
    int64_t wait_us = call->deadline_us == ALM_NEVER_US
                          ? ALM_NEVER_US
                          : call->deadline_us - alm_rpc_now_us(server->rpc);
    alm_call_flush(call);
    alm_call_pause(call);
    alm_cond_wait_us(&call->changed, server->lock, wait_us);
    alm_call_resume(call);
}

// A look found room when it began, and sends little.
static bool may_send(const alm_call *call)
{
    bool is_look = call->is_inline && call->method->look != NULL;
    return is_look ? alm_flow_may_send(&call->flow) : !alm_call_must_wait(call);
}

static alm_code wait_for_credit(alm_call *call, alm_status *st)
{
    for (;;) {
        ALM_TRY(alm_call_check_locked(call, st));
        if (may_send(call)) {
            return ALM_OK;
        }
        if (alm_io_is_here(call->server->rpc->io)) {
            return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                                  "the client takes no more messages of %s now",
                                  call->method->stats.method);
        }
        call->peer->waiting_count++;
        wait_for_change(call);
        call->peer->waiting_count--;
    }
}

alm_code alm_call_check_size(const alm_call *call, const ProtobufCMessageDescriptor *type,
                             size_t size, alm_status *st)
{
    size_t size_max = call->peer->message_bytes_max;
    if (size > size_max) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "%s of %zu bytes passes the limit of %zu",
                              type->name, size, size_max);
    }
    return ALM_OK;
}

// Outside the lock.
static alm_code pack(alm_call *call, const ProtobufCMessage *message, size_t size, alm_status *st)
{
    if (!alm_message_to_bytes(message, size, &call->scratch)) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %zu bytes", size);
    }
    return ALM_OK;
}

// One answer waits in scratch for its END: it counts only if the call ends well.
static alm_code keep_answer(alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    if (call->has_answer) {
        return alm_status_set(st, ALM_INTERNAL, "%s answered twice", call->method->stats.method);
    }
    if (!call->is_inline) {
        ALM_TRY(alm_call_check(call, st));
    }
    size_t size = protobuf_c_message_get_packed_size(message);
    ALM_TRY(alm_call_check_size(call, message->descriptor, size, st));
    ALM_TRY(pack(call, message, size, st));
    call->answer = alm_buf_view(&call->scratch);
    call->has_answer = true;
    return ALM_OK;
}

uint8_t *alm_call_begin_message(alm_call *call, size_t size)
{
    alm_record record = {
        .type = ALM_RECORD_MESSAGE, .call_id = call->id, .arg = call->flow.sent_count};
    uint8_t *at = alm_peer_begin(call->server, call->peer, &record, size);
    alm_flow_count_sent(&call->flow, size);
    call->method->stats.messages_sent++;
    call->method->stats.bytes_sent += size;
    return at;
}

// A message of up to PACK_LOCKED_BYTES_MAX is packed where it is sent from.
static void put_message(alm_call *call, const ProtobufCMessage *message, size_t size)
{
    uint8_t *at = alm_call_begin_message(call, size);
    if (at != NULL && call->scratch.len == 0) {
        size_t packed = protobuf_c_message_pack(message, at);
        ALM_ASSERT(packed == size);
    } else if (at != NULL) {
        memcpy(at, call->scratch.data, size);
    }
}

void alm_call_send_message(alm_call *call, const ProtobufCMessage *message, size_t size)
{
    put_message(call, message, size);
    alm_server_wake(call->server);
}

// The first may wait for the END. Who has sent two is not about to end, and its reader at work.
static void hold(alm_call *call)
{
    call->holds = true;
    if (call->flow.sent_count > 1) {
        alm_call_flush(call);
    }
}

static alm_code send(alm_call *call, const ProtobufCMessage *message, bool is_soon, alm_status *st)
{
    if (alm_call_has_one_answer(call)) {
        return keep_answer(call, message, st);
    }
    alm_server *server = call->server;
    size_t size = protobuf_c_message_get_packed_size(message);
    ALM_TRY(alm_call_check_size(call, message->descriptor, size, st));
    alm_buf_reset(&call->scratch);
    if (size > PACK_LOCKED_BYTES_MAX) {
        ALM_TRY(pack(call, message, size, st));
    }
    alm_lock(server->lock);
    alm_code code = wait_for_credit(call, st);
    if (code == ALM_OK) {
        put_message(call, message, size);
        hold(call);
    }
    if (!is_soon) {
        alm_call_flush(call);
    }
    alm_unlock(server->lock);
    return code;
}

alm_code alm_call_send(alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    return send(call, message, false, st);
}

alm_code alm_call_send_soon(alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    return send(call, message, true, st);
}

alm_code alm_call_send_packed(alm_call *call, alm_str message, alm_status *st)
{
    ALM_ASSERT(!alm_call_has_one_answer(call));
    alm_server *server = call->server;
    const ProtobufCServiceDescriptor *service = call->method->service->def->descriptor;
    ALM_TRY(
        alm_call_check_size(call, service->methods[call->method->index].output, message.len, st));
    alm_lock(server->lock);
    alm_code code = wait_for_credit(call, st);
    if (code == ALM_OK) {
        uint8_t *at = alm_call_begin_message(call, message.len);
        if (at != NULL && message.len > 0) {
            memcpy(at, message.data, message.len);
        }
        hold(call);
    }
    alm_unlock(server->lock);
    return code;
}

static void give_credit(alm_call *call)
{
    alm_record credit;
    if (alm_flow_owes(&call->flow, &call->server->rpc->limits, &credit)) {
        credit.call_id = call->id;
        alm_peer_send(call->server, call->peer, &credit);
        alm_server_wake(call->server);
    }
}

bool alm_call_take_message(alm_call *call, alm_str *ret)
{
    size_t before = call->flow.inbox_bytes;
    if (!alm_flow_next(&call->flow, ret)) {
        return false;
    }
    call->server->inbox_bytes -= before - call->flow.inbox_bytes;
    give_credit(call);
    return true;
}

// *ret.data NULL: the client has finished.
static alm_code take_next(alm_call *call, alm_str *ret, alm_status *st)
{
    for (;;) {
        ALM_TRY(alm_call_check_locked(call, st));
        if (alm_call_take_message(call, ret) || call->has_finished) {
            return ALM_OK;
        }
        wait_for_change(call);
    }
}

// wire.data NULL: there was none.
static alm_code unpack_next(alm_call *call, alm_str wire, alm_arena *arena, ProtobufCMessage **ret,
                            alm_status *st)
{
    const ProtobufCServiceDescriptor *service = call->method->service->def->descriptor;
    *ret = NULL;
    if (wire.data == NULL) {
        return ALM_OK;
    }
    return alm_message_unpack(service->methods[call->method->index].input, wire,
                              call->server->rpc->limits.element_count_max, arena, ret, st);
}

alm_code alm_call_next(alm_call *call, alm_arena *arena, ProtobufCMessage **ret, alm_status *st)
{
    ALM_ASSERT(alm_call_client_streams(call));
    alm_server *server = call->server;
    alm_str wire = {0};
    alm_lock(server->lock);
    alm_code code = take_next(call, &wire, st);
    alm_unlock(server->lock);
    ALM_TRY(code);
    return unpack_next(call, wire, arena, ret, st);
}

alm_code alm_call_try_next(alm_call *call, alm_arena *arena, ProtobufCMessage **ret,
                           bool *ret_waits, alm_status *st)
{
    ALM_ASSERT(alm_call_client_streams(call));
    alm_server *server = call->server;
    alm_str wire = {0};
    alm_lock(server->lock);
    alm_code code = alm_call_check_locked(call, st);
    *ret_waits = code == ALM_OK && !alm_call_take_message(call, &wire) && !call->has_finished;
    call->wants_message = *ret_waits;
    alm_unlock(server->lock);
    ALM_TRY(code);
    return unpack_next(call, wire, arena, ret, st);
}

int64_t alm_call_deadline_us(const alm_call *call)
{
    return call->deadline_us;
}

int64_t alm_call_time_left_ms(const alm_call *call)
{
    if (call->deadline_us == ALM_NEVER_US) {
        return INT64_MAX;
    }
    return ALM_MAX((call->deadline_us - alm_rpc_now_us(call->server->rpc) + 999) / 1000, 0);
}

const char *alm_call_request_id(alm_call *call)
{
    if (call->request_id[0] == '\0') { // its trace says it, here and in all calls made for it
        memcpy(call->request_id, alm_call_traceparent(call) + ALM_TRACE_LOW_AT, ALM_HEX64_LEN);
        call->request_id[ALM_HEX64_LEN] = '\0';
    }
    return call->request_id;
}

const char *alm_call_traceparent(alm_call *call)
{
    if (!call->has_span) {
        alm_trace_begin(call->server->trace_high, call->serial, call->traceparent);
        call->has_span = true;
    }
    return call->traceparent;
}

const char *alm_call_idempotency_key(const alm_call *call)
{
    return call->idempotency_key;
}

const char *alm_call_user(const alm_call *call)
{
    return call->user;
}

const char *alm_call_peer(const alm_call *call)
{
    return call->peer->name;
}

void alm_call_set_endless(alm_call *call)
{
    alm_server *server = call->server;
    alm_lock(server->lock);
    if (!call->is_endless) {
        call->is_endless = true;
        alm_server_count_endless(server, call);
    }
    alm_unlock(server->lock);
}

bool alm_call_hook_add(alm_call *call, alm_call_hook *hook)
{
    bool is_running = call->stop_code == ALM_OK;
    if (is_running) {
        DL_APPEND(call->children, hook);
    }
    return is_running;
}

void alm_call_hook_remove(alm_call *call, alm_call_hook *hook)
{
    DL_DELETE(call->children, hook);
}
