// Streams from the client, alone and with one back.
#include "world.h"

#include "alm/alloc.h"

#include <poll.h>
#include <pthread.h>

static alm_stream *open_stream(world *w, const char *method, const alm_call_opts *opts)
{
    alm_stream *stream = NULL;
    w->st = ALM_STATUS_INIT;
    assert_code(ALM_OK,
                alm_stream_open(w->channel, &echo_service, method, opts, NULL, &stream, &w->st));
    return stream;
}

static alm_code send_number(world *w, alm_stream *stream, uint64_t number, size_t padding)
{
    Almanac__Test__CountResponse message;
    almanac__test__count_response__init(&message);
    message.number = number;
    message.padding.len = padding;
    message.padding.data = alm_calloc(1, padding + 1);
    alm_code code = alm_stream_send(stream, &message.base, &w->st);
    alm_free(message.padding.data);
    return code;
}

static Almanac__Test__SayResponse *take_answer(world *w, alm_stream *stream)
{
    ProtobufCMessage *message = NULL;
    assert_code(ALM_OK, alm_stream_next(stream, w->arena, &message, &w->st));
    assert_non_null(message);
    return (Almanac__Test__SayResponse *)message;
}

static void many_messages_have_one_answer(void **state)
{
    world *w = *state;
    static const uint64_t counts[] = {0, 1, 2, 1000, 40000}; // the last is past the window
    for (size_t i = 0; i < ALM_ARRAY_LEN(counts); i++) {
        alm_stream *stream = open_stream(w, "Sum", NULL);
        for (uint64_t n = 1; n <= counts[i]; n++) {
            assert_code(ALM_OK, send_number(w, stream, n, 0));
        }
        assert_code(ALM_OK, alm_stream_finish(stream, &w->st));
        assert_int_equal(take_answer(w, stream)->number, counts[i] * (counts[i] + 1) / 2);
        ProtobufCMessage *more = NULL;
        assert_code(ALM_OK, alm_stream_next(stream, w->arena, &more, &w->st));
        assert_null(more);
        alm_stream_close(&stream);
        alm_arena_reset(w->arena);
    }
}

static void each_message_is_answered(void **state)
{
    world *w = *state;
    alm_stream *stream = open_stream(w, "Chat", NULL);
    for (uint64_t n = 0; n < 500; n++) {
        assert_code(ALM_OK, send_number(w, stream, n, 0));
        Almanac__Test__CountResponse *back = world_next(w, stream);
        assert_non_null(back);
        assert_int_equal(back->number, 2 * n);
    }
    assert_code(ALM_OK, alm_stream_finish(stream, &w->st));
    assert_null(world_next(w, stream));
    assert_int_equal(w->st.code, ALM_OK);
    alm_stream_close(&stream);
}

typedef struct talker {
    world *w;
    alm_stream *stream;
    uint64_t count;
    size_t padding;
    alm_status st;
    alm_code code;
} talker;

static void *talk(void *arg)
{
    talker *t = arg;
    Almanac__Test__CountResponse message;
    almanac__test__count_response__init(&message);
    message.padding.len = t->padding;
    message.padding.data = alm_calloc(1, t->padding + 1);
    for (uint64_t n = 0; n < t->count && t->code == ALM_OK; n++) {
        message.number = n;
        t->code = alm_stream_send(t->stream, &message.base, &t->st);
    }
    if (t->code == ALM_OK) {
        t->code = alm_stream_finish(t->stream, &t->st);
    }
    alm_free(message.padding.data);
    return NULL;
}

// One thread sends far more than both windows hold while another reads.
static void both_directions_flow_at_once(void **state)
{
    world *w = *state;
    talker t = {.w = w, .stream = open_stream(w, "Chat", NULL), .count = 3000, .padding = 4096};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, talk, &t), 0);
    for (uint64_t n = 0; n < t.count; n++) {
        Almanac__Test__CountResponse *back = world_next(w, t.stream);
        assert_non_null(back);
        assert_int_equal(back->number, 2 * n);
        assert_int_equal(back->padding.len, t.padding);
    }
    assert_null(world_next(w, t.stream));
    pthread_join(thread, NULL);
    assert_int_equal(t.code, ALM_OK);
    alm_stream_close(&t.stream);
}

// A server that does not read makes the client wait, not grow; the wait ends with the call.
static void a_server_that_does_not_read_is_waited_for(void **state)
{
    world *w = *state;
    talker t = {.w = w, .count = 10000, .padding = 4096};
    alm_call_opts opts = {.timeout_ms = 400};
    t.stream = open_stream(w, "Hang", &opts);
    talk(&t);
    assert_int_equal(t.code, ALM_DEADLINE_EXCEEDED);
    alm_stream_close(&t.stream);
    world_until_zero(&w->echo.running);
    assert_non_null(world_say(w, w->channel, "still here", NULL));
}

static void a_closed_stream_cancels_its_handler(void **state)
{
    world *w = *state;
    alm_stream *stream = open_stream(w, "Hang", NULL);
    world_until(&w->echo.running, 1);
    assert_code(ALM_OK, send_number(w, stream, 1, 0));
    alm_stream_close(&stream);
    world_until(&w->echo.cancelled, 1);
    stream = open_stream(w, "Sum", NULL); // closed before it is finished
    assert_code(ALM_OK, send_number(w, stream, 1, 0));
    alm_stream_close(&stream);
    assert_non_null(world_say(w, w->channel, "still here", NULL));
}

static void a_stream_that_is_not_finished_ends_by_its_deadline(void **state)
{
    world *w = *state;
    alm_call_opts opts = {.timeout_ms = 100};
    alm_stream *stream = open_stream(w, "Sum", &opts);
    ProtobufCMessage *message = NULL;
    assert_code(ALM_DEADLINE_EXCEEDED, alm_stream_next(stream, w->arena, &message, &w->st));
    assert_code(ALM_DEADLINE_EXCEEDED, send_number(w, stream, 1, 0));
    alm_stream_close(&stream);
}

static void a_message_past_the_limit_is_refused_before_it_is_sent(void **state)
{
    world *w = *state;
    alm_stream *stream = open_stream(w, "Sum", NULL);
    assert_code(ALM_RESOURCE_EXHAUSTED, send_number(w, stream, 7, ALM_RPC_MESSAGE_BYTES_MAX));
    assert_code(ALM_OK, send_number(w, stream, 7, ALM_RPC_MESSAGE_BYTES_MAX - 64));
    assert_code(ALM_OK, alm_stream_finish(stream, &w->st));
    assert_int_equal(take_answer(w, stream)->number, 7);
    alm_stream_close(&stream);
}

// Small windows, so that credit of both kinds is what carries the streams.
static void credit_of_both_kinds_carries_a_stream(void **state)
{
    world *w = *state;
    static const alm_rpc_limits limits[] = {
        {.window_messages = 2}, {.window_bytes = 100}, {.window_bytes = 1, .window_messages = 1}};
    for (size_t i = 0; i < ALM_ARRAY_LEN(limits); i++) {
        world other = {.arena = w->arena, .st = ALM_STATUS_INIT};
        const alm_rpc_opts opts = {.limits = limits[i]};
        char address[ECHO_ADDRESS_MAX];
        assert_code(ALM_OK, alm_rpc_create(&opts, &other.rpc, &w->st));
        world_address(w, address);
        echo_start(&other.echo, other.rpc, address, NULL);
        other.channel = world_open(&other, other.echo.address);
        talker t = {.w = &other, .stream = open_stream(&other, "Chat", NULL), .count = 300};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, talk, &t), 0);
        for (uint64_t n = 0; n < t.count; n++) {
            Almanac__Test__CountResponse *back = world_next(&other, t.stream);
            assert_non_null(back);
            assert_int_equal(back->number, 2 * n);
        }
        assert_null(world_next(&other, t.stream));
        pthread_join(thread, NULL);
        assert_int_equal(t.code, ALM_OK);
        alm_stream_close(&t.stream);
        alm_channel_close(&other.channel);
        echo_stop(&other.echo);
        alm_rpc_destroy(&other.rpc);
    }
}

world_group conform_both_ways(void)
{
    static const struct CMUnitTest tests[] = {
        WORLD_TEST(many_messages_have_one_answer),
        WORLD_TEST(each_message_is_answered),
        WORLD_TEST(both_directions_flow_at_once),
        WORLD_TEST(a_server_that_does_not_read_is_waited_for),
        WORLD_TEST(a_closed_stream_cancels_its_handler),
        WORLD_TEST(a_stream_that_is_not_finished_ends_by_its_deadline),
        WORLD_TEST(a_message_past_the_limit_is_refused_before_it_is_sent),
        WORLD_TEST(credit_of_both_kinds_carries_a_stream),
    };
    return (world_group){.tests = tests, .count = ALM_ARRAY_LEN(tests)};
}
