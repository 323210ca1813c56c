// Deadlines and cancellation, over one hop and two.
#include "world.h"

#include <pthread.h>

static void a_deadline_ends_the_call_on_both_sides(void **state)
{
    world *w = *state;
    alm_call_opts opts = {.timeout_ms = 100};
    int64_t start_ms = world_now_ms();
    assert_code(ALM_DEADLINE_EXCEEDED, world_wait(w, w->channel, "Wait", 0, &opts, NULL));
    assert_true(world_now_ms() - start_ms >= 100);
    world_until_zero(&w->echo.running);
    assert_int_equal(atomic_load(&w->echo.timed_out) + atomic_load(&w->echo.cancelled), 1);
}

static void the_server_knows_the_time_left(void **state)
{
    world *w = *state;
    Almanac__Test__WaitResponse *reply = NULL;
    alm_call_opts opts = {.timeout_ms = 7000};
    assert_code(ALM_OK, world_wait(w, w->channel, "Wait", 1, &opts, &reply));
    assert_in_range(reply->time_left_ms, 3000, 7000);
    opts.timeout_ms = -1;
    assert_code(ALM_OK, world_wait(w, w->channel, "Wait", 1, &opts, &reply));
    assert_int_equal(reply->time_left_ms, UINT32_MAX);
    opts.timeout_ms = 0;
    assert_code(ALM_OK, world_wait(w, w->channel, "Wait", 1, &opts, &reply));
    assert_in_range(reply->time_left_ms, 20000, 30000);
}

static void closing_a_stream_cancels_its_handler(void **state)
{
    world *w = *state;
    alm_stream *stream = world_count(w, w->channel, 1000000, 100, NULL);
    assert_non_null(world_next(w, stream));
    alm_stream_close(&stream);
    world_until_zero(&w->echo.running);
    assert_int_equal(atomic_load(&w->echo.cancelled), 1);
}

static void a_blocked_sender_sees_the_deadline(void **state)
{
    world *w = *state;
    alm_call_opts opts = {.timeout_ms = 150};
    alm_stream *stream = world_count(w, w->channel, 1000000, 1000, &opts);
    world_until(&w->echo.started, 1);
    world_until_zero(&w->echo.running); // nobody reads; only the deadline can end it
    int ended = atomic_load(&w->echo.timed_out);
    ended += w->hop != NULL ? atomic_load(&w->echo.cancelled) : 0; // whose own deadline was first
    assert_int_equal(ended, 1);
    alm_stream_close(&stream);
}

typedef struct waiter {
    alm_channel *channel;
    const char *method;
    alm_code code;
    alm_status st;
} waiter;

static void *run_waiter(void *arg)
{
    waiter *self = arg;
    alm_arena *arena = alm_arena_create(0);
    Almanac__Test__WaitRequest request;
    almanac__test__wait_request__init(&request);
    ProtobufCMessage *reply = NULL;
    self->st = ALM_STATUS_INIT;
    self->code = alm_channel_call(self->channel, &echo_service, self->method, NULL, &request.base,
                                  arena, &reply, &self->st);
    alm_arena_destroy(&arena);
    return NULL;
}

static void closing_the_channel_cancels_its_calls(void **state)
{
    world *w = *state;
    alm_channel *channel = world_open(w, w->echo.address);
    waiter job = {.channel = channel, .method = "Wait"};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_waiter, &job), 0);
    world_until(&w->echo.started, 1);
    alm_channel_close(&channel);
    pthread_join(thread, NULL);
    assert_int_equal(job.code, ALM_CANCELLED);
    world_until_zero(&w->echo.running);
    assert_int_equal(atomic_load(&w->echo.cancelled), 1);
}

// A second server that the first one relays to.
static void start_second(world *w, echo_server *second)
{
    char address[ECHO_ADDRESS_MAX];
    world_address(w, address);
    echo_start(second, w->rpc, address, NULL);
    w->echo.next = world_open(w, second->address);
}

static void stop_second(world *w, echo_server *second)
{
    alm_channel *channel = atomic_exchange(&w->echo.next, NULL);
    alm_channel_close(&channel);
    echo_stop(second);
}

static void a_deadline_is_passed_on(void **state)
{
    world *w = *state;
    echo_server second = {.name = "two"};
    start_second(w, &second);
    Almanac__Test__WaitResponse *reply = NULL;
    alm_call_opts opts = {.timeout_ms = 5000};
    assert_code(ALM_OK, world_wait(w, w->channel, "Relay", 1, &opts, &reply));
    assert_in_range(reply->time_left_ms, 2000, 5000);
    assert_int_equal(strlen(reply->request_id), 16);
    opts.timeout_ms = 120;
    assert_code(ALM_DEADLINE_EXCEEDED, world_wait(w, w->channel, "Relay", 0, &opts, NULL));
    world_until_zero(&second.running);
    world_until_zero(&w->echo.running);
    stop_second(w, &second);
}

static void cancellation_reaches_the_last_server(void **state)
{
    world *w = *state;
    echo_server second = {.name = "two"};
    start_second(w, &second);
    alm_channel *channel = world_open(w, w->echo.address);
    waiter job = {.channel = channel, .method = "Relay"};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_waiter, &job), 0);
    world_until(&second.started, 1);
    int64_t start_ms = world_now_ms();
    alm_channel_close(&channel);
    pthread_join(thread, NULL);
    world_until_zero(&second.running);
    world_until_zero(&w->echo.running);
    assert_true(world_now_ms() - start_ms < WORLD_WAIT_MS / 2);
    assert_int_equal(atomic_load(&second.cancelled), 1);
    assert_int_equal(atomic_load(&w->echo.cancelled), 1);
    stop_second(w, &second);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(a_deadline_ends_the_call_on_both_sides),
    WORLD_TEST(the_server_knows_the_time_left),
    WORLD_TEST(closing_a_stream_cancels_its_handler),
    WORLD_TEST(a_blocked_sender_sees_the_deadline),
    WORLD_TEST(closing_the_channel_cancels_its_calls),
    WORLD_TEST(a_deadline_is_passed_on),
    WORLD_TEST(cancellation_reaches_the_last_server),
};

world_group conform_stops(void)
{
    return (world_group){tests, ALM_ARRAY_LEN(tests)};
}
