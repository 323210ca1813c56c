// Servers that come, go, are many, are full, or are told to stop.
#include "world.h"

#include <pthread.h>

static void a_call_waits_for_a_server_that_comes_later(void **state)
{
    world *w = *state;
    char address[ECHO_ADDRESS_MAX];
    world_address_later(w, address);
    alm_channel *channel = world_open(w, address);
    alm_call_opts fail_fast = {.fail_fast = true};
    assert_null(world_say(w, channel, "", &fail_fast));
    assert_code(ALM_UNAVAILABLE, w->st.code);
    alm_call_opts brief = {.timeout_ms = 50};
    assert_null(world_say(w, channel, "", &brief));
    assert_code(ALM_DEADLINE_EXCEEDED, w->st.code);
    assert_non_null(strstr(w->st.message, address));
    alm_stream *stream = world_count(w, channel, 3, 0, NULL); // sent before there is a server
    echo_server late = {.name = "late"};
    echo_start(&late, w->rpc, address, NULL);
    assert_non_null(world_say(w, channel, "hello", NULL));
    for (int i = 0; i < 3; i++) {
        assert_non_null(world_next(w, stream));
    }
    alm_stream_close(&stream);
    alm_channel_close(&channel);
    echo_stop(&late);
}

static void a_channel_survives_its_server(void **state)
{
    world *w = *state;
    char address[ECHO_ADDRESS_MAX];
    snprintf(address, sizeof address, "%s", w->echo.address);
    for (int i = 0; i < 5; i++) {
        assert_non_null(world_say(w, w->channel, "again", NULL));
        assert_code(ALM_OK, w->st.code);
        echo_stop(&w->echo);
        echo_start(&w->echo, w->rpc, address, NULL);
    }
    assert_non_null(world_say(w, w->channel, "at last", NULL));
}

// Two servers behind one channel.
typedef struct pair {
    echo_server a, b;
    alm_channel *channel;
} pair;

static void start_pair(world *w, pair *both)
{
    char address[ECHO_ADDRESS_MAX];
    char target[2 * ECHO_ADDRESS_MAX + 2];
    *both = (pair){.a.name = "a", .b.name = "b"};
    world_address(w, address);
    echo_start(&both->a, w->rpc, address, NULL);
    world_address(w, address);
    echo_start(&both->b, w->rpc, address, NULL);
    snprintf(target, sizeof target, "%s, %s", both->a.address, both->b.address);
    both->channel = world_open(w, target);
}

static void stop_pair(pair *both)
{
    alm_channel_close(&both->channel);
    echo_stop(&both->a);
    echo_stop(&both->b);
}

static void count_healthy(void *arg, const alm_connection_info *info)
{
    *(int *)arg += info->healthy ? 1 : 0;
}

// Until both are there, so that a test of how calls spread starts even.
static void wait_for_both(world *w, pair *both)
{
    for (int healthy = 0; healthy < 2;) {
        assert_non_null(world_say(w, both->channel, "warm", NULL));
        healthy = 0;
        alm_channel_visit(both->channel, count_healthy, &healthy);
    }
    atomic_store(&both->a.said, 0);
    atomic_store(&both->b.said, 0);
}

static void count_ejected(void *arg, const alm_connection_info *info)
{
    *(int *)arg += strcmp(info->state, "ejected") == 0 ? 1 : 0;
}

static void load_spreads_over_both_servers(void **state)
{
    world *w = *state;
    pair both;
    start_pair(w, &both);
    wait_for_both(w, &both);
    for (int i = 0; i < 200; i++) {
        assert_non_null(world_say(w, both.channel, "spread", NULL));
    }
    assert_int_equal(atomic_load(&both.a.said) + atomic_load(&both.b.said), 200);
    assert_in_range(atomic_load(&both.a.said), 60, 140);
    stop_pair(&both);
}

static void an_affinity_keeps_its_server(void **state)
{
    world *w = *state;
    pair both;
    start_pair(w, &both);
    wait_for_both(w, &both);
    int servers_used[2] = {0};
    for (uint64_t affinity = 1; affinity <= 40; affinity++) {
        alm_call_opts opts = {.affinity = affinity * 7919};
        const Almanac__Test__SayResponse *first = world_say(w, both.channel, "", &opts);
        assert_non_null(first);
        for (int i = 0; i < 3; i++) {
            assert_string_equal(world_say(w, both.channel, "", &opts)->server, first->server);
        }
        servers_used[strcmp(first->server, "a") == 0]++;
    }
    assert_in_range(servers_used[0], 8, 32);
    stop_pair(&both);
}

typedef struct caller {
    alm_channel *channel;
    const char *method;
    atomic_int *go_on;
    int calls;
    int answered;
    int unavailable;
    int other;
    alm_status last;
} caller;

static void *run_caller(void *arg)
{
    caller *self = arg;
    alm_arena *arena = alm_arena_create(0);
    while (atomic_load(self->go_on) != 0) {
        Almanac__Test__SayRequest request;
        almanac__test__say_request__init(&request);
        ProtobufCMessage *reply = NULL;
        alm_status st = ALM_STATUS_INIT;
        alm_code code = alm_channel_call(self->channel, &echo_service, self->method, NULL,
                                         &request.base, arena, &reply, &st);
        self->calls++;
        self->answered += code == ALM_OK;
        self->unavailable += code == ALM_UNAVAILABLE;
        self->other += code != ALM_OK && code != ALM_UNAVAILABLE;
        self->last = code == ALM_OK ? self->last : st;
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
    return NULL;
}

// Four callers, while one of the servers is ended by `end` again and again.
static caller call_while(world *w, pair *both, const char *method, void (*end)(echo_server *),
                         int rounds)
{
    atomic_int go_on = 1;
    pthread_t threads[4];
    caller callers[ALM_ARRAY_LEN(threads)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(threads); i++) {
        callers[i] = (caller){.channel = both->channel, .method = method, .go_on = &go_on};
        assert_int_equal(pthread_create(&threads[i], NULL, run_caller, &callers[i]), 0);
    }
    for (int i = 0; i < rounds; i++) {
        int said = atomic_load(&both->a.said);
        world_until(&both->a.said, said + 50);
        end(&both->a);
        char address[ECHO_ADDRESS_MAX];
        snprintf(address, sizeof address, "%s", both->a.address);
        said = atomic_load(&both->b.said);
        world_until(&both->b.said, said + 50);
        echo_start(&both->a, w->rpc, address, NULL);
    }
    atomic_store(&go_on, 0);
    caller sum = {.last = ALM_STATUS_INIT};
    for (size_t i = 0; i < ALM_ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
        sum.calls += callers[i].calls;
        sum.answered += callers[i].answered;
        sum.unavailable += callers[i].unavailable;
        sum.other += callers[i].other;
        sum.last = callers[i].last.code != ALM_OK ? callers[i].last : sum.last;
    }
    return sum;
}

static void drain_and_stop(echo_server *echo)
{
    assert_int_equal(alm_server_drain(echo->server, WORLD_WAIT_MS), 0);
    echo_stop(echo);
}

static void idempotent_calls_survive_the_end_of_a_server(void **state)
{
    world *w = *state;
    pair both;
    start_pair(w, &both);
    wait_for_both(w, &both);
    caller sum = call_while(w, &both, "Say", echo_stop, 5);
    if (sum.answered != sum.calls) {
        fail_msg("%d of %d calls answered, the last failure: %s", sum.answered, sum.calls,
                 sum.last.message);
    }
    stop_pair(&both);
}

static void a_drain_loses_no_call(void **state)
{
    world *w = *state;
    pair both;
    start_pair(w, &both);
    wait_for_both(w, &both);
    caller sum = call_while(w, &both, "Once", drain_and_stop, 5);
    if (sum.answered != sum.calls) {
        fail_msg("%d of %d calls answered, the last failure: %s", sum.answered, sum.calls,
                 sum.last.message);
    }
    assert_int_equal(atomic_load(&both.a.said) + atomic_load(&both.b.said), sum.answered);
    stop_pair(&both);
}

typedef struct waiter {
    alm_channel *channel;
    const char *method;
    uint32_t wait_ms;
    alm_code code;
    alm_status st;
} waiter;

static void *run_waiter(void *arg)
{
    waiter *self = arg;
    alm_arena *arena = alm_arena_create(0);
    Almanac__Test__WaitRequest request;
    almanac__test__wait_request__init(&request);
    request.wait_ms = self->wait_ms;
    ProtobufCMessage *reply = NULL;
    self->st = ALM_STATUS_INIT;
    self->code = alm_channel_call(self->channel, &echo_service, self->method, NULL, &request.base,
                                  arena, &reply, &self->st);
    alm_arena_destroy(&arena);
    return NULL;
}

// Hold is Wait that must not be repeated.
static void a_call_that_must_not_be_repeated_is_not(void **state)
{
    world *w = *state;
    waiter job = {.channel = w->channel, .method = "Hold"};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_waiter, &job), 0);
    world_until(&w->echo.started, 1);
    char address[ECHO_ADDRESS_MAX];
    snprintf(address, sizeof address, "%s", w->echo.address);
    echo_stop(&w->echo);
    pthread_join(thread, NULL);
    assert_int_equal(job.code, ALM_UNAVAILABLE);
    echo_start(&w->echo, w->rpc, address, NULL);
    assert_non_null(world_say(w, w->channel, "", NULL));
    assert_int_equal(atomic_load(&w->echo.started), 1);
}

static void a_drain_lets_calls_end_and_cancels_the_rest(void **state)
{
    world *w = *state;
    waiter jobs[] = {{.channel = w->channel, .method = "Hold", .wait_ms = 300},
                     {.channel = w->channel, .method = "Hold"}};
    pthread_t threads[ALM_ARRAY_LEN(jobs)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(jobs); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run_waiter, &jobs[i]), 0);
    }
    Almanac__Test__CountRequest request;
    almanac__test__count_request__init(&request);
    alm_stream *watch = NULL;
    alm_call_opts opts = {.timeout_ms = -1, .fail_fast = true};
    assert_code(ALM_OK, alm_channel_wait_ready(w->channel, WORLD_WAIT_MS, &w->st));
    assert_code(ALM_OK, alm_stream_open(w->channel, &echo_service, "Endless", &opts, &request.base,
                                        &watch, &w->st));
    world_until(&w->echo.started, 3);
    assert_int_equal(alm_server_drain(w->echo.server, 2000), 1);
    for (size_t i = 0; i < ALM_ARRAY_LEN(jobs); i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(jobs[0].code, ALM_OK);
    assert_int_equal(jobs[1].code, ALM_UNAVAILABLE);
    assert_null(world_next(w, watch));
    assert_code(ALM_UNAVAILABLE, w->st.code);
    alm_stream_close(&watch);
    assert_null(world_say(w, w->channel, "", &(alm_call_opts){.fail_fast = true}));
    assert_code(ALM_UNAVAILABLE, w->st.code);
}

// A handler that works and does not wait for its client, until the stream is closed.
static alm_stream *occupy(world *w, alm_channel *channel)
{
    alm_stream *running = NULL;
    assert_code(ALM_OK,
                alm_stream_open(channel, &echo_service, "Hang", NULL, NULL, &running, &w->st));
    return running;
}

// One of two servers has no thread free: a call that went there is answered by the other.
static void a_hedged_call_is_answered_by_the_other(void **state)
{
    world *w = *state;
    pair both;
    char address[ECHO_ADDRESS_MAX], target[2 * ECHO_ADDRESS_MAX + 2];
    alm_server_opts opts = {.name = "a", .thread_count_max = 1};
    both = (pair){.a.name = "a", .b.name = "b"};
    world_address(w, address);
    echo_start(&both.a, w->rpc, address, &opts);
    world_address(w, address);
    echo_start(&both.b, w->rpc, address, NULL);
    snprintf(target, sizeof target, "%s, %s", both.a.address, both.b.address);
    both.channel = world_open(w, target);
    wait_for_both(w, &both);
    alm_channel *to_a = world_open(w, both.a.address);
    alm_stream *running = occupy(w, to_a);
    world_until(&both.a.started, 1);
    alm_call_opts hedged = {.hedge_ms = 20, .timeout_ms = WORLD_WAIT_MS};
    for (int i = 0; i < 12; i++) { // half of them go to a first
        Almanac__Test__SayResponse *reply = world_say(w, both.channel, "quick", &hedged);
        assert_non_null(reply);
        assert_string_equal(reply->server, "b");
    }
    assert_int_equal(atomic_load(&both.a.said), 0);
    alm_stream_close(&running);
    alm_channel_close(&to_a);
    stop_pair(&both);
}

// Likewise of streams, which are read from whoever answers.
static void a_hedged_stream_is_answered_by_the_other(void **state)
{
    world *w = *state;
    pair both;
    char address[ECHO_ADDRESS_MAX], target[2 * ECHO_ADDRESS_MAX + 2];
    alm_server_opts opts = {.name = "a", .thread_count_max = 1};
    both = (pair){.a.name = "a", .b.name = "b"};
    world_address(w, address);
    echo_start(&both.a, w->rpc, address, &opts);
    world_address(w, address);
    echo_start(&both.b, w->rpc, address, NULL);
    snprintf(target, sizeof target, "%s, %s", both.a.address, both.b.address);
    both.channel = world_open(w, target);
    wait_for_both(w, &both);
    alm_channel *to_a = world_open(w, both.a.address);
    alm_stream *running = occupy(w, to_a);
    world_until(&both.a.started, 1);
    alm_call_opts hedged = {.hedge_ms = 20, .timeout_ms = WORLD_WAIT_MS};
    Almanac__Test__CountRequest request;
    almanac__test__count_request__init(&request);
    request.count = 3;
    unsigned asked_twice = 0;
    for (int i = 0; i < 12; i++) { // half of them go to a first
        alm_stream *stream;
        assert_code(ALM_OK, alm_stream_open(both.channel, &echo_service, "Count", &hedged,
                                            &request.base, &stream, &w->st));
        asked_twice += alm_stream_hedge(&stream, &hedged, &request.base);
        for (uint64_t k = 0; k < request.count; k++) {
            assert_non_null(world_next(w, stream));
        }
        assert_null(world_next(w, stream));
        assert_code(ALM_OK, w->st.code);
        alm_stream_close(&stream);
    }
    assert_in_range(asked_twice, 1, 12);
    alm_stream_close(&running);
    alm_channel_close(&to_a);
    stop_pair(&both);
}

// What fails again and again is left alone as long as there is something else, and used if not. The
// clock stands still, so that nothing comes back while the test looks.
static void a_failing_server_is_left_alone(void **state)
{
    world *w = *state;
    int64_t now_us = 1;
    world still = {.arena = w->arena, .address_count = w->address_count + 10};
    memcpy(still.scheme, w->scheme, sizeof still.scheme);
    memcpy(still.dir, w->dir, sizeof still.dir);
    const alm_rpc_opts opts = {.clock = alm_clock_fake(&now_us),
                               .uses_libzmq = strchr(w->given, '+') != NULL};
    assert_code(ALM_OK, alm_rpc_create(&opts, &still.rpc, &w->st));
    pair both;
    start_pair(&still, &both);
    wait_for_both(&still, &both);
    Almanac__Test__FailRequest request;
    almanac__test__fail_request__init(&request);
    request.code = ALM_UNAVAILABLE;
    request.message = (char *)(uintptr_t) "broken";
    int ejected = 0;
    for (int i = 0; i < 20 && ejected < 2; i++) {
        ProtobufCMessage *reply = NULL;
        assert_code(ALM_UNAVAILABLE, alm_channel_call(both.channel, &echo_service, "FailOnce", NULL,
                                                      &request.base, w->arena, &reply, &w->st));
        ejected = 0;
        alm_channel_visit(both.channel, count_ejected, &ejected);
        assert_true(ejected == 0 || i >= 4);
    }
    assert_int_equal(ejected, 2);
    assert_non_null(world_say(&still, both.channel, "there is nothing else", NULL));
    stop_pair(&both);
    alm_rpc_destroy(&still.rpc);
    w->address_count = ALM_MAX(w->address_count, still.address_count);
}

typedef struct flood {
    world *w;
    alm_channel *channel;
    atomic_int ended;
} flood;

static void *wait_a_little(void *arg)
{
    flood *f = arg;
    alm_status st;
    alm_arena *arena = alm_arena_create(0);
    Almanac__Test__WaitRequest request;
    almanac__test__wait_request__init(&request);
    request.wait_ms = 25;
    ProtobufCMessage *reply;
    if (alm_channel_call(f->channel, &echo_service, "Wait", NULL, &request.base, arena, &reply,
                         &st) == ALM_OK) {
        atomic_fetch_add(&f->ended, 1);
    }
    alm_arena_destroy(&arena);
    return NULL;
}

// A client with many calls waiting does not keep another one waiting for all of them.
static void clients_take_turns(void **state)
{
    world *w = *state;
    char address[ECHO_ADDRESS_MAX];
    world_address(w, address);
    echo_server small = {.name = "small"};
    alm_server_opts opts = {.name = "small", .thread_count_max = 1};
    echo_start(&small, w->rpc, address, &opts);
    flood f = {.w = w, .channel = world_open(w, small.address)};
    alm_channel *other = world_open(w, small.address);
    assert_non_null(world_say(w, other, "connected", NULL));
    pthread_t threads[40];
    for (size_t i = 0; i < ALM_ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, wait_a_little, &f), 0);
    }
    world_until(&small.started, 2);
    assert_non_null(world_say(w, other, "one only", NULL));
    assert_in_range(atomic_load(&f.ended), 0, ALM_ARRAY_LEN(threads) - 4); // else after all
    for (size_t i = 0; i < ALM_ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&f.ended), ALM_ARRAY_LEN(threads));
    alm_channel_close(&f.channel);
    alm_channel_close(&other);
    echo_stop(&small);
}

static void a_full_queue_refuses(void **state)
{
    world *w = *state;
    char address[ECHO_ADDRESS_MAX];
    world_address(w, address);
    echo_server small = {.name = "small"};
    alm_server_opts opts = {.name = "small", .thread_count_max = 1, .queue_count_max = 1};
    echo_start(&small, w->rpc, address, &opts);
    alm_channel *channel = world_open(w, small.address);
    alm_stream *running = occupy(w, channel);
    world_until(&small.started, 1);
    // Requests of one connection arrive in order, so when the third is looked at the second waits.
    alm_stream *waiting = world_count(w, channel, 1, 0, NULL);
    assert_null(world_say(w, channel, "", NULL));
    assert_code(ALM_RESOURCE_EXHAUSTED, w->st.code);
    assert_true(w->st.retry_after_ms > 0);
    w->st = ALM_STATUS_INIT; // health is answered all the same
    assert_code(ALM_OK, alm_health_check(w->rpc, small.address, "", WORLD_WAIT_MS, &w->st));
    alm_stream_close(&running);
    assert_non_null(world_next(w, waiting)); // its turn has come
    alm_stream_close(&waiting);
    assert_non_null(world_say(w, channel, "room again", NULL));
    alm_channel_close(&channel);
    echo_stop(&small);
}

// Endless calls do not take the threads of others.
static void endless_calls_leave_room_for_others(void **state)
{
    world *w = *state;
    char address[ECHO_ADDRESS_MAX];
    world_address(w, address);
    echo_server small = {.name = "small"};
    alm_server_opts opts = {.name = "small", .thread_count_max = 1};
    echo_start(&small, w->rpc, address, &opts);
    alm_channel *channel = world_open(w, small.address);
    alm_stream *watches[8];
    Almanac__Test__CountRequest request;
    almanac__test__count_request__init(&request);
    request.count = 1;
    for (size_t i = 0; i < ALM_ARRAY_LEN(watches); i++) {
        assert_code(ALM_OK, alm_stream_open(channel, &echo_service, "Endless", NULL, &request.base,
                                            &watches[i], &w->st));
        assert_non_null(world_next(w, watches[i]));
    }
    assert_non_null(world_say(w, channel, "me too", NULL));
    for (size_t i = 0; i < ALM_ARRAY_LEN(watches); i++) {
        alm_stream_close(&watches[i]);
    }
    world_until_zero(&small.running);
    alm_channel_close(&channel);
    echo_stop(&small);
}

static void an_address_in_use_is_an_error(void **state)
{
    world *w = *state;
    alm_server *second = NULL;
    assert_code(ALM_OK, alm_server_create(w->rpc, NULL, &second, &w->st));
    alm_code code = alm_server_bind(second, w->echo.address, &w->st);
    assert_code(ALM_ALREADY_EXISTS, code);
    assert_non_null(strstr(w->st.message, w->echo.address));
    alm_server_destroy(&second);
    assert_non_null(world_say(w, w->channel, "the first goes on", NULL));
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(a_call_waits_for_a_server_that_comes_later),
    WORLD_TEST(a_channel_survives_its_server),
    WORLD_TEST(load_spreads_over_both_servers),
    WORLD_TEST(an_affinity_keeps_its_server),
    WORLD_TEST(idempotent_calls_survive_the_end_of_a_server),
    WORLD_TEST(a_call_that_must_not_be_repeated_is_not),
    WORLD_TEST(a_drain_loses_no_call),
    WORLD_TEST(a_drain_lets_calls_end_and_cancels_the_rest),
    WORLD_TEST(a_full_queue_refuses),
    WORLD_TEST(a_hedged_call_is_answered_by_the_other),
    WORLD_TEST(a_hedged_stream_is_answered_by_the_other),
    WORLD_TEST(a_failing_server_is_left_alone),
    WORLD_TEST(clients_take_turns),
    WORLD_TEST(endless_calls_leave_room_for_others),
    WORLD_TEST(an_address_in_use_is_an_error),
};

world_group conform_cluster(void)
{
    return (world_group){tests, ALM_ARRAY_LEN(tests)};
}
