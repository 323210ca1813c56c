// The first look at a call, before it waits for a thread.
#include "server_internal.h"

bool alm_server_looks_at(alm_server *server, const alm_peer *peer, const alm_record *request)
{
    const alm_server_method *method = &server->methods[request->arg];
    return method->look != NULL && request->payload.len <= ALM_LOOK_BYTES_MAX &&
           peer->window_bytes >= ALM_LOOK_ANSWER_BYTES_MAX &&
           peer->window_messages >= ALM_LOOK_ANSWER_COUNT_MAX &&
           !alm_peer_streams_wait(server, peer);
}

// Without the lock.
static alm_code look(alm_call *call, alm_look_verdict *ret, alm_status *st)
{
    const alm_server_method *method = call->method;
    ALM_TRY(alm_call_unpack(call, st));
    alm_code code = method->look(method->self, call, call->unpacked, ret, st);
    if (code != ALM_OK) {
        *ret = ALM_LOOK_DONE;
        return st->code != code ? alm_status_set(st, code, "%s", alm_code_text(code)) : code;
    }
    return ALM_OK;
}

// Its request is unpacked, and was copied by that.
static void enqueue(alm_call *call, const alm_record *request)
{
    alm_server *server = call->server;
    alm_status st; // not cleared: it is large, and most calls have room
    if (alm_server_find_thread(server, request, &st) != ALM_OK) {
        call->is_refused = true;
        alm_call_finish(call, &st);
        return;
    }
    call->is_inline = false;
    alm_server_enqueue(server, call);
}

void alm_call_look(alm_call *call, const alm_record *request)
{
    alm_server *server = call->server;
    alm_look_verdict verdict = ALM_LOOK_QUEUE;
    alm_status st;
    st.code = ALM_OK;
    st.retry_after_ms = 0;
    st.field[0] = '\0';
    st.message[0] = '\0';
    call->state = ALM_CALL_RUNNING;
    alm_unlock(server->lock);
    alm_code code = look(call, &verdict, &st);
    bool is_over = code != ALM_OK || verdict == ALM_LOOK_DONE;
    if (is_over) {
        alm_arena_reset(call->arena); // not under the lock: runs what the look left to be done
    }
    alm_lock(server->lock);
    ALM_ASSERT(is_over || (call->flow.sent_count == 0 && !call->has_answer));
    if (is_over) {
        st.code = code;
        alm_call_end_with(call, &st);
    } else if (call->stop_code != ALM_OK) {
        alm_status_set(&st, call->stop_code, "%s", call->stop_text);
        alm_call_finish(call, &st);
    } else if (verdict == ALM_LOOK_FORWARD) {
        ALM_ASSERT(call->method->forward != NULL);
        call->is_held = true;
        alm_call_forward(call);
    } else {
        enqueue(call, request);
    }
}
