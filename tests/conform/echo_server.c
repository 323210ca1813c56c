#include "echo_server.h"

#include "alm/clock.h"
#include "echo.pb-c.h"

#include <pthread.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define UNARY  ALM_METHOD_UNARY, ALM_REPEAT_SAFE
#define STREAM ALM_METHOD_SERVER_STREAM, ALM_REPEAT_SAFE
#define NEVER  ALM_METHOD_UNARY, ALM_REPEAT_NEVER
#define KEYED  ALM_METHOD_UNARY, ALM_REPEAT_KEYED
#define UP     ALM_METHOD_CLIENT_STREAM, ALM_REPEAT_SAFE
#define BOTH   ALM_METHOD_BIDI_STREAM, ALM_REPEAT_SAFE
#define NONE   ALM_ROLE_NONE

static const alm_method_def methods[] = {
    {"Say", UNARY, ALM_ROLE_READER},
    {"Count", STREAM, ALM_ROLE_WRITER},
    {"Fail", UNARY, NONE},
    {"FailLate", STREAM, NONE},
    {"Wait", UNARY, NONE},
    {"Relay", UNARY, NONE},
    {"Hold", NEVER, NONE},
    {"Once", NEVER, NONE},
    {"Missing", UNARY, NONE},
    {"Silent", UNARY, NONE},
    {"Endless", STREAM, NONE},
    {"Sum", UP, NONE},
    {"Chat", BOTH, NONE},
    {"Hang", UP, NONE},
    {"Keyed", KEYED, NONE},
    {"FailOnce", NEVER, NONE},
    {"Trace", UNARY, NONE},
};
const alm_service_def echo_service = {&almanac__test__echo__descriptor, methods};

// The same name and methods, but Say does not answer with what it used to.
static const alm_method_def methods_other[] = {{"Say", UNARY, NONE}};
static const ProtobufCMethodDescriptor say_other[] = {
    {"Say", &almanac__test__say_request__descriptor, &almanac__test__count_response__descriptor}};
static const unsigned say_index[] = {0};
static const ProtobufCServiceDescriptor descriptor_other = {
    .magic = PROTOBUF_C__SERVICE_DESCRIPTOR_MAGIC,
    .name = "almanac.test.Echo",
    .short_name = "Echo",
    .c_name = "Echo",
    .package = "almanac.test",
    .n_methods = 1,
    .methods = say_other,
    .method_indices_by_name = say_index,
};
const alm_service_def echo_service_other_version = {&descriptor_other, methods_other};

static const ProtobufCServiceDescriptor descriptor_stranger = {
    .magic = PROTOBUF_C__SERVICE_DESCRIPTOR_MAGIC,
    .name = "almanac.test.Stranger",
    .short_name = "Stranger",
    .c_name = "Stranger",
    .package = "almanac.test",
    .n_methods = 1,
    .methods = say_other,
    .method_indices_by_name = say_index,
};
const alm_service_def echo_service_stranger = {&descriptor_stranger, methods_other};

static char *text(const char *s)
{
    return (char *)(uintptr_t)s;
}

static alm_code say(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    echo_server *echo = self;
    const Almanac__Test__SayRequest *asked = (const Almanac__Test__SayRequest *)request;
    Almanac__Test__SayResponse response;
    almanac__test__say_response__init(&response);
    response.text = asked->text;
    response.blob = asked->blob;
    response.number = asked->number;
    response.server = text(echo->name);
    response.request_id = text(alm_call_request_id(call));
    atomic_fetch_add(&echo->said, 1);
    return alm_call_send(call, &response.base, st);
}

static alm_code send_number(alm_call *call, uint64_t number, uint32_t padding, alm_status *st)
{
    Almanac__Test__CountResponse response;
    almanac__test__count_response__init(&response);
    response.number = number;
    response.padding.len = padding;
    response.padding.data = alm_arena_calloc(alm_call_arena(call), padding, 1);
    if (response.padding.data == NULL) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory");
    }
    return alm_call_send(call, &response.base, st);
}

static void enter(echo_server *echo)
{
    atomic_fetch_add(&echo->started, 1);
    atomic_fetch_add(&echo->running, 1);
}

static alm_code leave(echo_server *echo, alm_code code)
{
    atomic_fetch_add(&echo->cancelled, code == ALM_CANCELLED);
    atomic_fetch_add(&echo->timed_out, code == ALM_DEADLINE_EXCEEDED);
    atomic_fetch_sub(&echo->running, 1);
    return code;
}

static alm_code count_to(echo_server *echo, alm_call *call, uint64_t count, uint32_t padding,
                         alm_status *st)
{
    Almanac__Test__CountResponse response;
    almanac__test__count_response__init(&response);
    response.padding.len = padding;
    response.padding.data = alm_arena_calloc(alm_call_arena(call), 1, padding);
    assert_non_null(response.padding.data);
    for (uint64_t i = 0; i < count; i++) {
        response.number = i;
        ALM_TRY(alm_call_send(call, &response.base, st));
        atomic_fetch_add(&echo->sent, 1);
    }
    return ALM_OK;
}

static alm_code count(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    const Almanac__Test__CountRequest *asked = (const Almanac__Test__CountRequest *)request;
    enter(self);
    return leave(self, count_to(self, call, asked->count, asked->padding, st));
}

static alm_code endless(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    const Almanac__Test__CountRequest *asked = (const Almanac__Test__CountRequest *)request;
    enter(self);
    alm_call_set_endless(call);
    alm_code code = count_to(self, call, asked->count, asked->padding, st);
    while (code == ALM_OK) {
        poll(NULL, 0, 2); // there is nothing to wait for but the call's end
        code = alm_call_check(call, st);
    }
    return leave(self, code);
}

static alm_code fail_as(const Almanac__Test__FailRequest *asked, alm_status *st)
{
    alm_code code = ALM_UNKNOWN;
    assert_true(alm_code_from_number(asked->code, &code));
    if (code == ALM_OK) {
        return ALM_OK;
    }
    alm_status_set_field(st, code, asked->field, "%s", asked->message);
    st->retry_after_ms = asked->retry_after_ms;
    return code;
}

static alm_code fail_now(void *self, alm_call *call, const ProtobufCMessage *request,
                         alm_status *st)
{
    (void)self;
    alm_code code = fail_as((const Almanac__Test__FailRequest *)request, st);
    Almanac__Test__SayResponse response;
    almanac__test__say_response__init(&response);
    return code == ALM_OK ? alm_call_send(call, &response.base, st) : code;
}

static alm_code fail_late(void *self, alm_call *call, const ProtobufCMessage *request,
                          alm_status *st)
{
    (void)self;
    const Almanac__Test__FailRequest *asked = (const Almanac__Test__FailRequest *)request;
    for (uint64_t i = 0; i < asked->messages; i++) {
        ALM_TRY(send_number(call, i, 0, st));
    }
    return fail_as(asked, st);
}

static alm_code work(alm_call *call, const Almanac__Test__WaitRequest *asked, alm_status *st)
{
    Almanac__Test__WaitResponse response;
    almanac__test__wait_response__init(&response);
    response.time_left_ms = (uint32_t)ALM_MIN(alm_call_time_left_ms(call), UINT32_MAX);
    response.request_id = text(alm_call_request_id(call));
    alm_clock clock = alm_clock_system();
    int64_t end_ms = alm_clock_mono_ms(&clock) + asked->wait_ms;
    while (asked->wait_ms == 0 || alm_clock_mono_ms(&clock) < end_ms) {
        ALM_TRY(alm_call_check(call, st));
        poll(NULL, 0, 1); // the handler's work takes time, that is all it does
    }
    return alm_call_send(call, &response.base, st);
}

static alm_code wait(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    enter(self);
    return leave(self, work(call, (const Almanac__Test__WaitRequest *)request, st));
}

static alm_code relay(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    echo_server *echo = self;
    const Almanac__Test__WaitRequest *asked = (const Almanac__Test__WaitRequest *)request;
    Almanac__Test__WaitRequest passed;
    almanac__test__wait_request__init(&passed);
    passed.wait_ms = asked->wait_ms;
    alm_call_opts opts = {.parent = call, .timeout_ms = asked->timeout_ms};
    ProtobufCMessage *reply;
    enter(echo);
    alm_code code = alm_channel_call(echo->next, &echo_service, "Wait", &opts, &passed.base,
                                     alm_call_arena(call), &reply, st);
    if (code == ALM_OK) {
        code = alm_call_send(call, reply, st);
    }
    return leave(echo, code);
}

static alm_code silent(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)self;
    (void)call;
    (void)request;
    (void)st;
    return ALM_OK;
}

static alm_code sum(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    const echo_server *echo = self;
    assert_null(request);
    Almanac__Test__SayResponse response;
    almanac__test__say_response__init(&response);
    response.server = text(echo->name);
    for (;;) {
        ProtobufCMessage *message;
        alm_arena_reset(alm_call_arena(call));
        ALM_TRY(alm_call_next(call, alm_call_arena(call), &message, st));
        if (message == NULL) {
            return alm_call_send(call, &response.base, st);
        }
        response.number += ((Almanac__Test__CountResponse *)message)->number;
    }
}

static alm_code chat(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)self;
    assert_null(request);
    for (;;) {
        ProtobufCMessage *message;
        alm_arena_reset(alm_call_arena(call));
        ALM_TRY(alm_call_next(call, alm_call_arena(call), &message, st));
        if (message == NULL) {
            return ALM_OK;
        }
        Almanac__Test__CountResponse *number = (Almanac__Test__CountResponse *)message;
        number->number *= 2;
        ALM_TRY(alm_call_send(call, message, st));
    }
}

static alm_code hang(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    (void)request;
    enter(self);
    alm_code code = ALM_OK;
    while (code == ALM_OK) {
        poll(NULL, 0, 1);
        code = alm_call_check(call, st);
    }
    return leave(self, code);
}

// Its own traceparent, in text of the reply the one the next server got, and the last one's id.
static alm_code trace(void *self, alm_call *call, const ProtobufCMessage *request, alm_status *st)
{
    echo_server *echo = self;
    Almanac__Test__SayResponse response;
    almanac__test__say_response__init(&response);
    response.server = text(alm_call_traceparent(call));
    response.request_id = text(alm_call_request_id(call));
    if (echo->next != NULL) {
        ProtobufCMessage *reply;
        alm_call_opts opts = {.parent = call};
        ALM_TRY(alm_channel_call(echo->next, &echo_service, "Trace", &opts, request,
                                 alm_call_arena(call), &reply, st));
        response.text = ((Almanac__Test__SayResponse *)reply)->server;
        response.request_id = ((Almanac__Test__SayResponse *)reply)->request_id;
    }
    return alm_call_send(call, &response.base, st);
}

static const alm_handler handlers[] = {say,  count, fail_now, fail_late, wait,    relay,
                                       wait, say,   NULL,     silent,    endless, sum,
                                       chat, hang,  say,      fail_now,  trace};

void echo_start(echo_server *echo, alm_rpc *rpc, const char *address, const alm_server_opts *opts)
{
    alm_status st = ALM_STATUS_INIT;
    alm_server_opts plain = {.name = echo->name};
    if (alm_server_create(rpc, opts != NULL ? opts : &plain, &echo->server, &st) != ALM_OK ||
        alm_server_add(echo->server, &echo_service, handlers, echo, &st) != ALM_OK ||
        alm_server_bind(echo->server, address, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
    snprintf(echo->address, sizeof echo->address, "%s", alm_server_endpoint(echo->server, 0));
    if (alm_server_start(echo->server, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
}

void echo_stop(echo_server *echo)
{
    alm_server_destroy(&echo->server);
}
