// Calls of a server that are passed on to a channel: the two halves meet here, within the I/O
// thread's turns and under the lock they share, and nothing is unpacked.
//
// A message that its receiver takes now goes from the frame it came in to the frame it leaves in.
// What it does not take waits where it came in, and credit is given back only for what has gone on:
// a slow reader thereby holds up its own call and nothing else.
#include "client.h"
#include "server_internal.h"

// --- down: from the service to the client --------------------------------------------------------

static void send_down(alm_call *call, alm_str payload)
{
    uint8_t *at = alm_call_begin_message(call, payload.len);
    if (at != NULL && payload.len > 0) {
        memcpy(at, payload.data, payload.len);
    }
}

static void tell_answer(const alm_call *call, alm_str answer)
{
    if (call->method->on_answer != NULL) {
        call->method->on_answer(call->method->on_answer_arg, answer);
    }
}

// An answer that came before its END.
static bool keep_answer(alm_call *call, alm_str payload)
{
    tell_answer(call, payload);
    alm_buf_reset(&call->scratch);
    alm_buf_append(&call->scratch, payload.data, payload.len);
    call->answer = alm_buf_view(&call->scratch);
    call->has_answer = !call->scratch.failed;
    return call->has_answer;
}

// So that room in what is unsent is news to it.
static void set_waiting(alm_call *call, bool waits)
{
    call->peer->waiting_count += waits && !call->is_waiting ? 1 : 0;
    call->peer->waiting_count -= !waits && call->is_waiting ? 1 : 0;
    call->is_waiting = waits;
}

static void pump_down(alm_call *call)
{
    alm_stream *stream = call->forward;
    alm_str message;
    while (!stream->has_one_answer && !call->is_held && !alm_call_must_wait(call) &&
           alm_flow_next(&stream->flow, &message)) {
        send_down(call, message);
        stream->consumed_count++;
        alm_stream_give_credit(stream);
    }
    set_waiting(call, !call->is_held && stream->flow.inbox_count > 0);
}

// With one more message, which is not kept yet, it is not any more if half a window has come.
static bool hold_on(alm_call *call, size_t size)
{
    alm_stream *stream = call->forward;
    if (call->is_held && alm_flow_fills_half(&stream->flow, &call->server->rpc->limits, size)) {
        call->is_held = false;
        pump_down(call);
    }
    return call->is_held;
}

bool alm_forward_message(alm_stream *stream, alm_str payload)
{
    alm_call *call = stream->forwards;
    if (stream->has_one_answer) {
        if (stream->flow.received_count > 0 || !keep_answer(call, payload)) {
            return false;
        }
        alm_flow_pass(&stream->flow, payload.len);
        return true;
    }
    if (hold_on(call, payload.len)) {
        return false;
    }
    if (stream->flow.inbox_count > 0 || alm_call_must_wait(call)) {
        set_waiting(call, true);
        return false;
    }
    send_down(call, payload);
    alm_flow_pass(&stream->flow, payload.len);
    stream->consumed_count++;
    alm_stream_give_credit(stream);
    return true;
}

size_t alm_forward_size_max(const alm_stream *stream)
{
    return stream->forwards->peer->message_bytes_max;
}

// --- up: from the client to the service ----------------------------------------------------------

static bool send_up(alm_stream *stream, alm_str message, alm_status *st)
{
    uint8_t *at = alm_stream_begin_message(stream, message.len, st);
    if (at != NULL && message.len > 0) {
        memcpy(at, message.data, message.len);
    }
    return at != NULL;
}

// False: the call was ended.
static bool pump_up(alm_call *call)
{
    alm_stream *stream = call->forward;
    alm_str message;
    while (stream->state == ALM_STREAM_SENT && alm_flow_may_send(&stream->flow) &&
           alm_call_take_message(call, &message)) {
        alm_status st = ALM_STATUS_INIT;
        if (!send_up(stream, message, &st)) {
            alm_stream_cancel(stream, &st);
            return false;
        }
    }
    bool ends = call->has_finished && call->flow.inbox_count == 0 && !stream->has_finished;
    if (stream->client_streams && ends) {
        stream->has_finished = true;
        if (stream->state == ALM_STREAM_SENT) {
            alm_stream_send_finish(stream);
        }
    }
    return true;
}

// --- both ----------------------------------------------------------------------------------------

static void finish(alm_call *call)
{
    alm_stream *stream = call->forward;
    call->forward = NULL;
    call->server->queue_bytes -= call->request.len;
    if (call->stop_code != ALM_OK) {
        alm_status_set(&stream->end, call->stop_code, "%s", call->stop_text);
    } else if (stream->end.code == ALM_OK && stream->has_one_answer &&
               (!call->has_answer || stream->flow.received_count == 0)) {
        (void)alm_stream_no_reply(stream, &stream->end);
    }
    alm_call_finish(call, &stream->end);
    alm_stream_free(stream);
}

void alm_call_pump_forward(alm_call *call)
{
    if (!pump_up(call)) {
        return;
    }
    pump_down(call);
    const alm_stream *stream = call->forward;
    if (stream->state == ALM_STREAM_ENDED && stream->flow.inbox_count == 0) {
        finish(call);
    }
}

void alm_forward_ended(alm_stream *stream)
{
    alm_call *call = stream->forwards;
    bool is_over = call->stop_code != ALM_OK || stream->has_one_answer;
    if (is_over || stream->flow.inbox_count == 0) {
        finish(call);
    } else if (call->is_held) {
        call->is_held = false;
        alm_call_pump_forward(call);
    }
}

void alm_forward_answer(alm_stream *stream, alm_str answer)
{
    alm_call *call = stream->forwards;
    tell_answer(call, answer);
    call->answer = answer;
    call->has_answer = true;
    alm_flow_pass(&stream->flow, answer.len);
    finish(call);
}

void alm_call_stop_forward(alm_call *call)
{
    alm_status st = ALM_STATUS_INIT;
    alm_status_set(&st, call->stop_code, "%s", call->stop_text);
    if (call->forward->state == ALM_STREAM_ENDED) {
        finish(call); // what it had to pass on yet is dropped
    } else {
        alm_stream_cancel(call->forward, &st);
    }
}

static alm_code fill(alm_stream *stream, alm_call *call, alm_status *st)
{
    const alm_server_method *method = call->method;
    ALM_TRY(alm_stream_set_method(stream, method->forward, method->forward_service,
                                  method->forward_method, call->idempotency_key, st));
    stream->start_us = call->start_us;
    stream->deadline_us = call->deadline_us;
    stream->forwards = call;
    if (!stream->client_streams) {
        alm_buf_append(&stream->request, call->request.data, call->request.len);
    }
    return stream->request.failed ? alm_status_set(st, ALM_RESOURCE_EXHAUSTED,
                                                   "no memory for %zu bytes", call->request.len)
                                  : ALM_OK;
}

void alm_call_forward(alm_call *call)
{
    alm_client *client = call->server->rpc->client;
    alm_stream *stream = alm_stream_create(client);
    alm_status st; // not cleared: it is large, and most calls start
    if (stream == NULL) {
        alm_status_set(&st, ALM_RESOURCE_EXHAUSTED, "%s has no memory for a call",
                       call->server->name);
        alm_call_finish(call, &st);
        return;
    }
    if (fill(stream, call, &st) != ALM_OK) {
        alm_stream_give_back(client, stream);
        alm_call_finish(call, &st);
        return;
    }
    call->state = ALM_CALL_FORWARDED;
    call->forward = stream;
    call->server->queue_bytes += call->request.len; // kept in the stream, to be sent again
    call->is_endless = call->method->is_endless;
    alm_stream_list(stream);
    if (alm_stream_set_timer(stream)) {
        alm_channel_place(stream->channel, stream);
        return;
    }
    alm_status_set(&st, ALM_RESOURCE_EXHAUSTED, "no memory for a deadline");
    alm_stream_end(stream, &st);
}
