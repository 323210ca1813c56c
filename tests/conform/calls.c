// One server, one channel: what a call carries there and back.
#include "world.h"

#include "alm/alloc.h"
#include "alm/limits.h"

#include <pthread.h>

static void unary_call_is_answered(void **state)
{
    world *w = *state;
    Almanac__Test__SayResponse *reply = world_say(w, w->channel, "区生产总值", NULL);
    assert_code(ALM_OK, w->st.code);
    assert_string_equal(reply->text, "区生产总值");
    assert_string_equal(reply->server, "one");
    assert_int_equal(strlen(reply->request_id), 16);
}

// Nobody asks a hop's calls for their trace but its log, whose lines are then of the same request
// as those of the service behind.
static void a_hop_that_logs_begins_the_trace(void **state)
{
    world *w = *state;
    world_log_start(w);
    const Almanac__Test__SayResponse *reply = world_say(w, w->channel, "ab", NULL);
    assert_code(ALM_OK, w->st.code);
    char wanted[64];
    snprintf(wanted, sizeof wanted, " request_id=%s ", reply->request_id);
    const char *text = world_log_text(w);
    int count = 0;
    for (const char *at = strstr(text, wanted); at != NULL; at = strstr(at + 1, wanted)) {
        count++;
    }
    if (count != (w->hop != NULL ? 2 : 1)) {
        fail_msg("%d lines with%sin: %s", count, wanted, text);
    }
}

static void every_code_travels(void **state)
{
    world *w = *state;
    for (uint32_t code = 1; code < ALM_CODE_COUNT; code++) {
        Almanac__Test__FailRequest request;
        almanac__test__fail_request__init(&request);
        char message[64];
        snprintf(message, sizeof message, "地区 '310199' failed with %u", code);
        request.code = code;
        request.message = message;
        request.field = (char *)(uintptr_t) "row 7 column 3";
        request.retry_after_ms = 1000 + code;
        ProtobufCMessage *reply = NULL;
        alm_call_opts opts = {.fail_fast = true}; // else UNAVAILABLE would be tried again
        assert_int_equal(alm_channel_wait_ready(w->channel, WORLD_WAIT_MS, NULL), ALM_OK);
        w->st = ALM_STATUS_INIT;
        alm_code got = alm_channel_call(w->channel, &echo_service, "Fail", &opts, &request.base,
                                        w->arena, &reply, &w->st);
        assert_code((alm_code)code, got);
        assert_int_equal(w->st.code, code);
        assert_string_equal(w->st.message, message);
        assert_string_equal(w->st.field, "row 7 column 3");
        assert_int_equal(w->st.retry_after_ms, 1000 + code);
    }
}

static void say_blob(world *w, size_t blob_len, alm_code want)
{
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    ProtobufCMessage *reply = NULL;
    request.blob.len = blob_len;
    request.blob.data = alm_calloc(1, blob_len + 1);
    assert_non_null(request.blob.data);
    memset(request.blob.data, 0xa7, blob_len);
    w->st = ALM_STATUS_INIT;
    alm_code got = alm_channel_call(w->channel, &echo_service, "Say", NULL, &request.base, w->arena,
                                    &reply, &w->st);
    assert_code(want, got);
    if (got == ALM_OK) {
        const Almanac__Test__SayResponse *said = (const Almanac__Test__SayResponse *)reply;
        assert_int_equal(said->blob.len, blob_len);
        assert_memory_equal(said->blob.data, request.blob.data, blob_len);
    }
    alm_free(request.blob.data);
}

static void empty_and_large_messages_travel(void **state)
{
    world *w = *state;
    const size_t sizes[] = {0, 1, 100, 65536, 1u << 20, (4u << 20) - 100};
    for (size_t i = 0; i < ALM_ARRAY_LEN(sizes); i++) {
        say_blob(w, sizes[i], ALM_OK);
        alm_arena_reset(w->arena);
    }
}

// A request of exactly the limit is answered (with less: the reply's other fields would pass it),
// one byte more is refused, and so is a reply past the limit.
static void size_limits_hold_to_the_byte(void **state)
{
    world *w = *state;
    Almanac__Test__CountRequest request;
    almanac__test__count_request__init(&request);
    Almanac__Test__CountResponse empty;
    almanac__test__count_response__init(&empty);
    // tag, a length of four bytes, and the padding
    uint32_t most =
        (uint32_t)(ALM_RPC_MESSAGE_BYTES_MAX - protobuf_c_message_get_packed_size(&empty.base) - 5);
    for (uint32_t extra = 0; extra < 2; extra++) {
        request.count = 1;
        request.padding = most + extra;
        alm_stream *stream = world_count(w, w->channel, 1, request.padding, NULL);
        Almanac__Test__CountResponse *got = world_next(w, stream);
        if (extra == 0) {
            assert_code(ALM_OK, w->st.code);
            assert_int_equal(got->padding.len, most);
        } else {
            assert_code(ALM_RESOURCE_EXHAUSTED, w->st.code);
            assert_non_null(strstr(w->st.message, "4194305"));
        }
        alm_stream_close(&stream);
    }
    say_blob(w, ALM_RPC_MESSAGE_BYTES_MAX - 5 + 1, ALM_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(w->st.message, "4194305"));
    say_blob(w, 10, ALM_OK);
}

static void unknown_services_and_methods_are_unimplemented(void **state)
{
    world *w = *state;
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    const struct {
        const alm_service_def *service;
        const char *method;
        alm_code want;
        const char *says;
    } rows[] = {
        {&echo_service, "Nothing", ALM_UNIMPLEMENTED, "no method Nothing"},
        {&echo_service, "Missing", ALM_UNIMPLEMENTED, "Missing"},
        {&echo_service, "Silent", ALM_INTERNAL, "without a reply"},
        {&echo_service, "Count", ALM_UNIMPLEMENTED, "streams"},
        {&echo_service_stranger, "Say", ALM_UNIMPLEMENTED, "almanac.test.Stranger"},
        {&echo_service_other_version, "Say", ALM_FAILED_PRECONDITION, "another version"},
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        ProtobufCMessage *reply = NULL;
        w->st = ALM_STATUS_INIT;
        alm_code got = alm_channel_call(w->channel, rows[i].service, rows[i].method, NULL,
                                        &request.base, w->arena, &reply, &w->st);
        assert_code(rows[i].want, got);
        if (strstr(w->st.message, rows[i].says) == NULL) {
            fail_msg("%s: '%s' does not say '%s'", rows[i].method, w->st.message, rows[i].says);
        }
    }
}

#define STRESS_THREADS 8
#define STRESS_CALLS   1500

typedef struct stress {
    world *w;
    uint64_t thread;
    uint64_t failures;
} stress;

static void *run_stress(void *arg)
{
    stress *s = arg;
    alm_arena *arena = alm_arena_create(0);
    for (uint64_t i = 0; i < STRESS_CALLS; i++) {
        alm_status st = ALM_STATUS_INIT;
        Almanac__Test__SayRequest request;
        almanac__test__say_request__init(&request);
        ProtobufCMessage *reply = NULL;
        char text[32];
        snprintf(text, sizeof text, "%llu", (unsigned long long)(i * i));
        request.text = text;
        request.number = s->thread << 32 | i;
        alm_code code = alm_channel_call(s->w->channel, &echo_service, "Once", NULL, &request.base,
                                         arena, &reply, &st);
        const Almanac__Test__SayResponse *said = (const Almanac__Test__SayResponse *)reply;
        if (code != ALM_OK || said->number != request.number || strcmp(said->text, text) != 0) {
            s->failures++;
        }
        alm_arena_reset(arena);
    }
    alm_arena_destroy(&arena);
    return NULL;
}

static void eight_threads_get_their_own_answers(void **state)
{
    world *w = *state;
    pthread_t threads[STRESS_THREADS];
    stress jobs[STRESS_THREADS];
    for (uint64_t i = 0; i < STRESS_THREADS; i++) {
        jobs[i] = (stress){.w = w, .thread = i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_stress, &jobs[i]), 0);
    }
    for (size_t i = 0; i < STRESS_THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(jobs[i].failures, 0);
    }
    assert_int_equal(atomic_load(&w->echo.said), STRESS_THREADS * STRESS_CALLS);
}

typedef struct stats_sum {
    uint64_t started, finished, failed, latencies, received, sent;
} stats_sum;

static void add_stats(void *arg, const alm_method_stats *stats)
{
    stats_sum *sum = arg;
    if (strcmp(stats->service, "almanac.test.Echo") != 0) {
        return;
    }
    sum->started += stats->started;
    sum->finished += stats->finished[ALM_OK];
    sum->failed += stats->finished[ALM_INTERNAL];
    sum->received += stats->bytes_received;
    sum->sent += stats->bytes_sent;
    for (size_t i = 0; i < ALM_LATENCY_BUCKET_COUNT; i++) {
        sum->latencies += stats->latency[i];
    }
}

static void stats_count_every_call(void **state)
{
    world *w = *state;
    for (int i = 0; i < 5; i++) {
        assert_non_null(world_say(w, w->channel, "four", NULL));
    }
    Almanac__Test__SayRequest request;
    almanac__test__say_request__init(&request);
    ProtobufCMessage *reply = NULL;
    assert_int_equal(alm_channel_call(w->channel, &echo_service, "Silent", NULL, &request.base,
                                      w->arena, &reply, &w->st),
                     ALM_INTERNAL);
    stats_sum sum = {0};
    alm_server_stats(w->echo.server, add_stats, &sum);
    assert_int_equal(sum.started, 6);
    assert_int_equal(sum.finished, 5);
    assert_int_equal(sum.failed, 1);
    assert_int_equal(sum.latencies, 6);
    assert_int_equal(sum.received, 5 * 6);
    assert_true(sum.sent > 5 * 6);
}

static void fail_with(world *w, const char *method)
{
    Almanac__Test__FailRequest request;
    almanac__test__fail_request__init(&request);
    request.code = ALM_UNAVAILABLE;
    request.message = (char *)(uintptr_t) "broken";
    ProtobufCMessage *reply = NULL;
    assert_code(ALM_UNAVAILABLE, alm_channel_call(w->channel, &echo_service, method, NULL,
                                                  &request.base, w->arena, &reply, &w->st));
}

static uint64_t started_count(world *w)
{
    stats_sum sum = {0};
    alm_server_stats(w->echo.server, add_stats, &sum);
    return sum.started;
}

// A call that fails is tried again; where most calls fail, that would only add to the load.
static void tries_end_where_most_fail(void **state)
{
    world *w = *state;
    fail_with(w, "Fail");
    assert_true(started_count(w) > 1);
    for (int i = 0; i < 300; i++) { // more than half of a channel's budget
        fail_with(w, "FailOnce");
    }
    uint64_t before = started_count(w);
    fail_with(w, "Fail");
    assert_int_equal(started_count(w), before + 1);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(unary_call_is_answered),
    WORLD_TEST(a_hop_that_logs_begins_the_trace),
    WORLD_TEST(every_code_travels),
    WORLD_TEST(empty_and_large_messages_travel),
    WORLD_TEST(size_limits_hold_to_the_byte),
    WORLD_TEST(unknown_services_and_methods_are_unimplemented),
    WORLD_TEST(stats_count_every_call),
    WORLD_TEST(tries_end_where_most_fail),
    WORLD_TEST(eight_threads_get_their_own_answers),
};

world_group conform_calls(void)
{
    return (world_group){tests, ALM_ARRAY_LEN(tests)};
}
