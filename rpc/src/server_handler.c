// What a handler may ask of its call, from its own thread.
#include "server_internal.h"

alm_arena *alm_call_arena(alm_call *call)
{
    return call->arena;
}

static alm_code check_locked(const alm_call *call, alm_status *st)
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
    alm_lock(&call->server->lock);
    alm_code code = check_locked(call, st);
    alm_unlock(&call->server->lock);
    return code;
}

static bool must_wait(const alm_call *call)
{
    const alm_peer *peer = call->peer;
    return call->credit <= 0 || peer->out.len > ALM_PEER_OUT_BYTES_HIGH;
}

static alm_code wait_for_credit(alm_call *call, alm_status *st)
{
    alm_server *server = call->server;
    for (;;) {
        ALM_TRY(check_locked(call, st));
        if (alm_call_is_unary(call) || !must_wait(call)) {
            return ALM_OK;
        }
        int64_t wait_us = call->deadline_us == ALM_NEVER_US
                              ? ALM_NEVER_US
                              : call->deadline_us - alm_rpc_now_us(server->rpc);
        call->peer->waiting_count++;
        alm_cond_wait_us(&call->changed, &server->lock, wait_us);
        call->peer->waiting_count--;
    }
}

// Packs the message as a whole record, outside the lock.
static alm_code pack(alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    size_t size_max = call->peer->message_bytes_max;
    if (size > size_max) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                              "a %s of %zu bytes passes the limit of %zu",
                              message->descriptor->name, size, size_max);
    }
    alm_buf_reset(&call->scratch);
    uint8_t *at = alm_buf_reserve(&call->scratch, size);
    if (at == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for %zu bytes", size);
    }
    size_t packed = protobuf_c_message_pack(message, at);
    ALM_ASSERT(packed == size);
    call->scratch.len = size;
    return ALM_OK;
}

alm_code alm_call_send(alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    alm_server *server = call->server;
    ALM_TRY(pack(call, message, st));
    alm_record record = {
        .type = ALM_RECORD_MESSAGE,
        .call_id = call->id,
        .payload = alm_buf_view(&call->scratch),
    };
    alm_lock(&server->lock);
    alm_code code = wait_for_credit(call, st);
    if (code == ALM_OK && alm_call_is_unary(call) && call->message_count > 0) {
        code = alm_status_set(st, ALM_INTERNAL, "%s answered twice", call->method->stats.method);
    }
    if (code == ALM_OK) {
        alm_peer_send(server, call->peer, &record);
        call->credit -= (int64_t)alm_record_size(&record);
        call->message_count++;
        call->method->stats.messages_sent++;
        call->method->stats.bytes_sent += record.payload.len;
        if (!alm_call_is_unary(call)) {
            alm_server_wake(server); // a unary reply goes with its END
        }
    }
    alm_unlock(&server->lock);
    return code;
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

const char *alm_call_request_id(const alm_call *call)
{
    return call->request_id;
}

const char *alm_call_peer(const alm_call *call)
{
    return call->peer->name;
}

void alm_call_set_endless(alm_call *call)
{
    alm_server *server = call->server;
    alm_lock(&server->lock);
    if (!call->is_endless) {
        call->is_endless = true;
        alm_server_count_endless(server, call);
    }
    alm_unlock(&server->lock);
}

bool alm_call_hook_add(alm_call *call, alm_call_hook *hook)
{
    alm_lock(&call->server->lock);
    bool is_running = call->stop_code == ALM_OK;
    if (is_running) {
        DL_APPEND(call->children, hook);
    }
    alm_unlock(&call->server->lock);
    return is_running;
}

void alm_call_hook_remove(alm_call *call, alm_call_hook *hook)
{
    alm_lock(&call->server->lock);
    DL_DELETE(call->children, hook);
    alm_unlock(&call->server->lock);
}
