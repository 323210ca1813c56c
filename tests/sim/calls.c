// The callers: what they ask, and what they may be told.
#include "sim.h"

#include "alm/alloc.h"

#include <stdio.h>

#define PROBE_COUNT 3    // of each client
#define LATE_US     1000 // so long after its deadline a call may end

static const char *const methods[SIM_KIND_COUNT] = {
    [SIM_SAY] = "Say", [SIM_ONCE] = "Once", [SIM_KEYED] = "Keyed", [SIM_COUNT] = "Count",
    [SIM_SUM] = "Sum", [SIM_CHAT] = "Chat", [SIM_RELAY] = "Relay"};

// --- what is asked, and what the answer has to be ------------------------------------------------

static const char text[] = "浦东 p";

static ProtobufCBinaryData blob_of(const sim_call *call)
{
    static uint8_t bytes[8192];
    size_t len = call->kind == SIM_SAY ? (call->index * 977u) % sizeof bytes : 0;
    memset(bytes, (int)call->index, len);
    return (ProtobufCBinaryData){.data = bytes, .len = len};
}

static uint64_t answer_to(const sim_call *call)
{
    uint64_t number = call->index;
    switch (call->kind) {
    case SIM_SAY: {
        ProtobufCBinaryData blob = blob_of(call);
        for (size_t i = 0; i < blob.len; i++) {
            number = number * 31 + blob.data[i];
        }
        return number;
    }
    case SIM_SUM:
        return call->count * (call->count - 1) / 2;
    case SIM_RELAY:
        return number;
    default:
        return number * 7;
    }
}

static ProtobufCMessage *unpack(const sim_call *call, const ProtobufCMessageDescriptor *type,
                                alm_str wire)
{
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, NULL, wire.len, (const uint8_t *)wire.data);
    if (message == NULL) {
        sim_fail(call->s, "call %u was told %zu bytes that are no %s", call->index, wire.len,
                 type->name);
    }
    return message;
}

static void check_answer(const sim_call *call, alm_str answer)
{
    uint64_t number;
    if (call->kind == SIM_RELAY) {
        ProtobufCMessage *got = unpack(call, &almanac__test__wait_response__descriptor, answer);
        number = ((const Almanac__Test__WaitResponse *)got)->time_left_ms;
        protobuf_c_message_free_unpacked(got, NULL);
    } else {
        ProtobufCMessage *got = unpack(call, &almanac__test__say_response__descriptor, answer);
        number = ((const Almanac__Test__SayResponse *)got)->number;
        protobuf_c_message_free_unpacked(got, NULL);
    }
    if (number != answer_to(call)) {
        sim_fail(call->s, "call %u, %s, was answered %llu instead of %llu", call->index,
                 methods[call->kind], (unsigned long long)number,
                 (unsigned long long)answer_to(call));
    }
}

// --- events --------------------------------------------------------------------------------------

static void check_open(const sim_call *call, const char *event)
{
    if (!call->is_open) {
        sim_fail(call->s, "call %u, %s, is told %s after its end", call->index, methods[call->kind],
                 event);
    }
}

static void close_call(sim *s, void *arg)
{
    sim_call *call = arg;
    sim_trace(s, "call %u is closed", call->index);
    call->is_open = false;
    s->closed++;
    sim_clear(s, &call->close);
    alm_stream_close(&call->stream);
}

static void on_message(void *arg, alm_stream *stream, alm_str message)
{
    sim_call *call = arg;
    (void)stream;
    check_open(call, "a message");
    ProtobufCMessage *got = unpack(call, &almanac__test__count_response__descriptor, message);
    uint64_t number = ((const Almanac__Test__CountResponse *)got)->number;
    protobuf_c_message_free_unpacked(got, NULL);
    uint64_t due = call->kind == SIM_CHAT ? call->got * 2 : call->got;
    if (number != due) {
        sim_fail(call->s, "call %u, %s, is told message %llu instead of %llu", call->index,
                 methods[call->kind], (unsigned long long)number, (unsigned long long)due);
    }
    call->got++;
    if (call->got == call->close_at) {
        close_call(call->s, call);
    }
}

static void on_room(void *arg, alm_stream *stream)
{
    sim_call *call = arg;
    static uint8_t padding[1500];
    Almanac__Test__CountResponse message;
    almanac__test__count_response__init(&message);
    check_open(call, "room");
    bool is_sent = true;
    alm_status st = ALM_STATUS_INIT;
    while (call->sent < call->count && is_sent) {
        message.number = call->sent;
        message.padding.data = padding;
        message.padding.len = (call->sent * 101) % sizeof padding;
        if (alm_stream_try_send(stream, &message.base, &is_sent, &st) != ALM_OK) {
            sim_fail(call->s, "call %u cannot send: %s", call->index, st.message);
        }
        call->sent += is_sent ? 1 : 0;
    }
    if (call->sent == call->count && is_sent) {
        call->sent++; // once
        if (alm_stream_finish(stream, &st) != ALM_OK) {
            sim_trace(call->s, "call %u has ended before its last message", call->index);
        }
    }
}

static bool is_expected(const sim_call *call, alm_code code)
{
    bool has_deadline = call->deadline_us != INT64_MAX;
    switch (code) {
    case ALM_OK:
        return true;
    case ALM_DEADLINE_EXCEEDED:
        return has_deadline && !call->is_probe;
    case ALM_CANCELLED:
    case ALM_UNAVAILABLE:
    case ALM_INTERNAL:
    case ALM_NOT_FOUND:
    case ALM_ABORTED:
    case ALM_RESOURCE_EXHAUSTED:
        return !call->s->is_sound && !call->is_probe;
    default:
        return false;
    }
}

static void check_good_end(const sim_call *call, alm_str answer)
{
    bool streams = call->kind == SIM_COUNT || call->kind == SIM_CHAT;
    bool sends = call->kind == SIM_SUM || call->kind == SIM_CHAT;
    if (streams && call->got != call->count) {
        sim_fail(call->s, "call %u, %s, ended well after %llu of %llu messages", call->index,
                 methods[call->kind], (unsigned long long)call->got,
                 (unsigned long long)call->count);
    }
    if (sends && call->sent <= call->count) {
        sim_fail(call->s, "call %u, %s, ended well after %llu of %llu were sent", call->index,
                 methods[call->kind], (unsigned long long)call->sent,
                 (unsigned long long)call->count);
    }
    if (!streams) {
        check_answer(call, answer);
    }
    if ((call->kind == SIM_ONCE || call->kind == SIM_KEYED) && call->applied != 1) {
        sim_fail(call->s, "call %u ended well and was applied %u times", call->index,
                 call->applied);
    }
}

static void on_end(void *arg, alm_stream *stream, const alm_status *st, alm_str answer)
{
    sim_call *call = arg;
    sim *s = call->s;
    (void)stream;
    sim_trace(s, "call %u ends: %s %s", call->index, alm_code_name(st->code), st->message);
    check_open(call, "its end");
    call->is_open = false;
    s->ended[st->code]++;
    if (call->deadline_us != INT64_MAX && s->now_us > call->deadline_us + LATE_US) {
        sim_fail(s, "call %u ends %lld us after its deadline", call->index,
                 (long long)(s->now_us - call->deadline_us));
    }
    if (!is_expected(call, st->code)) {
        sim_fail(s, "call %u, %s%s, ends with %s: %s", call->index, methods[call->kind],
                 call->is_probe ? " when all is calm" : "", alm_code_name(st->code), st->message);
    }
    if (st->code == ALM_OK) {
        check_good_end(call, answer);
    }
    sim_clear(s, &call->close);
    alm_stream_close(&call->stream);
}

// --- beginning -----------------------------------------------------------------------------------

static void start_packed(sim_call *call, const ProtobufCMessage *request)
{
    static const alm_stream_events events = {on_message, on_room, on_end};
    const alm_call_opts opts = {.timeout_ms = call->timeout_ms, .idempotency_key = call->key};
    alm_status st = ALM_STATUS_INIT;
    call->is_open = true;
    if (alm_stream_start(call->client->channel, &echo_service, methods[call->kind], &opts, request,
                         &events, call, call->keeps_stream ? &call->stream : NULL, &st) != ALM_OK) {
        sim_fail(call->s, "call %u does not start: %s", call->index, st.message);
    }
}

static void start_call(sim *s, void *arg)
{
    sim_call *call = arg;
    call->deadline_us = call->timeout_ms < 0 ? INT64_MAX : s->now_us + call->timeout_ms * 1000;
    sim_trace(s, "call %u of %s: %s, %lld ms", call->index, call->client->address,
              methods[call->kind], (long long)call->timeout_ms);
    Almanac__Test__SayRequest said;
    Almanac__Test__CountRequest counted;
    Almanac__Test__WaitRequest relayed;
    switch (call->kind) {
    case SIM_COUNT:
        almanac__test__count_request__init(&counted);
        counted.count = call->count;
        start_packed(call, &counted.base);
        return;
    case SIM_SUM:
    case SIM_CHAT:
        start_packed(call, NULL);
        return;
    case SIM_RELAY:
        almanac__test__wait_request__init(&relayed);
        relayed.wait_ms = call->index;
        start_packed(call, &relayed.base);
        return;
    default:
        almanac__test__say_request__init(&said);
        said.number = call->index;
        said.text = (char *)(uintptr_t)text;
        said.blob = blob_of(call);
        start_packed(call, &said.base);
    }
}

static sim_call *add_call(sim_node *client, sim_kind kind)
{
    sim *s = client->s;
    ALM_ASSERT(s->call_count < SIM_CALL_COUNT_MAX);
    sim_call *call = &s->calls[s->call_count];
    *call = (sim_call){.s = s, .client = client, .index = s->call_count, .kind = kind};
    s->call_count++;
    call->count = (uint64_t)sim_random_between(&s->random, 0, 60);
    if (kind == SIM_KEYED && sim_random_chance(&s->random, 800)) {
        snprintf(call->key, sizeof call->key, "key %u", call->index);
    }
    return call;
}

static void plan_call(sim_node *client)
{
    sim *s = client->s;
    sim_random *random = &s->random;
    unsigned kinds = client->is_direct ? SIM_RELAY : SIM_KIND_COUNT;
    sim_call *call = add_call(client, (sim_kind)sim_random_below(random, kinds));
    bool is_closed = sim_random_chance(random, 100);
    call->timeout_ms = sim_random_chance(random, 200) ? -1 : sim_random_between(random, 20, 8000);
    call->close_at =
        sim_random_chance(random, 100) ? (unsigned)sim_random_between(random, 1, 30) : 0;
    call->keeps_stream = is_closed || call->close_at > 0 || sim_random_chance(random, 500);
    int64_t at_us = sim_random_between(random, s->now_us, s->calm_us);
    sim_at(s, &call->start, at_us, start_call, call);
    if (is_closed) {
        sim_at(s, &call->close, at_us + sim_random_between(random, 0, 1000000), close_call, call);
    }
}

static unsigned first_client(const sim *s)
{
    return s->worker_count + s->gateway_count;
}

void sim_calls_plan(sim *s)
{
    unsigned count = (unsigned)sim_random_between(&s->random, 5, 30);
    unsigned first = first_client(s);
    for (unsigned i = 0; i < count; i++) {
        plan_call(&s->nodes[first + sim_random_below(&s->random, s->node_count - first)]);
    }
}

void sim_calls_probe(sim *s)
{
    for (unsigned i = first_client(s); i < s->node_count; i++) {
        sim_node *client = &s->nodes[i];
        unsigned kinds = client->is_direct ? SIM_RELAY : SIM_KIND_COUNT;
        for (unsigned j = 0; j < PROBE_COUNT; j++) {
            sim_call *call = add_call(client, (sim_kind)sim_random_below(&s->random, kinds));
            call->is_probe = true;
            call->keeps_stream = true;
            call->timeout_ms = 120000;
            start_call(s, call);
        }
    }
}

bool sim_calls_are_over(const sim *s)
{
    for (unsigned i = 0; i < s->call_count; i++) {
        if (s->calls[i].is_open) {
            return false;
        }
    }
    return true;
}

void sim_calls_check(sim *s)
{
    for (unsigned i = 0; i < s->call_count; i++) {
        const sim_call *call = &s->calls[i];
        if (call->is_open) {
            sim_fail(s, "call %u, %s, does not end", call->index, methods[call->kind]);
        }
    }
}

// --- the node ------------------------------------------------------------------------------------

void sim_client_start(sim_node *node)
{
    alm_status st = ALM_STATUS_INIT;
    sim_node_open(node);
    if (alm_channel_open(node->rpc, node->target, NULL, &node->channel, &st) != ALM_OK) {
        sim_fail(node->s, "a channel does not open: %s", st.message);
    }
}

void sim_client_stop(sim_node *node)
{
    alm_channel_close(&node->channel);
    sim_node_close(node);
}
