// Calls that stay open when their handler has returned, and what they are told.
#include "server_internal.h"

static void fire(alm_call *call)
{
    if (!call->is_fired) {
        call->is_fired = true;
        DL_APPEND2(call->server->fired, call, fired_prev, fired_next);
        alm_server_wake(call->server);
    }
}

// Of a call that is told by events.
static bool has_news(const alm_call *call)
{
    bool has_room = call->stop_code != ALM_OK || !alm_call_must_wait(call);
    bool has_message = call->has_finished || call->flow.inbox_count > 0;
    return (call->wants_room && has_room) || (call->wants_message && has_message);
}

void alm_call_changed(alm_call *call)
{
    if (call->forward != NULL) {
        alm_call_pump_forward(call);
    } else if (call->events == NULL) {
        pthread_cond_broadcast(&call->changed);
    } else if (has_news(call)) {
        fire(call);
    }
}

void alm_server_tell(alm_server *server)
{
    while (server->fired != NULL) {
        alm_call *call = server->fired;
        DL_DELETE2(server->fired, call, fired_prev, fired_next);
        call->is_fired = false;
        call->wants_room = false;
        call->wants_message = false;
        alm_unlock(server->lock);
        call->events->on_room(call->events_arg, call); // may end it
        alm_lock(server->lock);
    }
}

alm_code alm_call_defer(alm_call *call, const alm_call_events *events, void *arg, alm_status *st)
{
    alm_server *server = call->server;
    ALM_ASSERT(call->method->runs_inline);
    alm_lock(server->lock);
    alm_code code = alm_call_list(call, st);
    if (code == ALM_OK) {
        server->deferred = call;
        call->events = events;
        call->events_arg = arg;
        call->wants_room = events != NULL; // to send the first
        alm_call_changed(call);
    }
    alm_unlock(server->lock);
    return code;
}

static alm_code try_send(alm_call *call, const ProtobufCMessage *message, bool *ret_sent,
                         alm_status *st)
{
    bool must_wait = alm_call_must_wait(call);
    ALM_TRY(alm_call_check_locked(call, st));
    call->peer->waiting_count += (must_wait ? 1 : 0) - (call->is_waiting ? 1 : 0);
    call->is_waiting = must_wait;
    call->wants_room = must_wait;
    *ret_sent = !must_wait;
    if (must_wait) {
        return ALM_OK;
    }
    size_t size = protobuf_c_message_get_packed_size(message);
    ALM_TRY(alm_call_check_size(call, message->descriptor, size, st));
    alm_call_send_message(call, message, size);
    return ALM_OK;
}

alm_code alm_call_try_send(alm_call *call, const ProtobufCMessage *message, bool *ret_sent,
                           alm_status *st)
{
    ALM_ASSERT(!alm_call_has_one_answer(call));
    alm_lock(call->server->lock);
    alm_code code = try_send(call, message, ret_sent, st);
    alm_unlock(call->server->lock);
    return code;
}

void alm_call_end(alm_call *call, const alm_status *st)
{
    pthread_mutex_t *lock = call->server->lock;
    alm_status copy = *st;
    alm_arena_reset(call->arena);
    alm_lock(lock);
    alm_call_end_with(call, &copy);
    alm_unlock(lock);
}
