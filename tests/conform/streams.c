// Streams: order, ends, and that a slow reader bounds the sender and nobody else.
#include "world.h"

#include "alm/limits.h"

#include <poll.h>

static void a_stream_has_all_its_messages_in_order(void **state)
{
    world *w = *state;
    const uint64_t counts[] = {0, 1, 2, 1000, 100000};
    for (size_t i = 0; i < ALM_ARRAY_LEN(counts); i++) {
        alm_stream *stream = world_count(w, w->channel, counts[i], 0, NULL);
        uint64_t number = 0;
        for (Almanac__Test__CountResponse *got; (got = world_next(w, stream)) != NULL; number++) {
            assert_int_equal(got->number, number);
        }
        assert_code(ALM_OK, w->st.code);
        assert_int_equal(number, counts[i]);
        assert_null(world_next(w, stream)); // the end stays the end
        assert_code(ALM_OK, w->st.code);
        alm_stream_close(&stream);
    }
}

static void messages_before_a_failure_arrive_then_the_failure(void **state)
{
    world *w = *state;
    Almanac__Test__FailRequest request;
    almanac__test__fail_request__init(&request);
    request.code = ALM_DATA_LOSS;
    request.message = (char *)(uintptr_t) "block 7 is damaged";
    request.messages = 3;
    alm_stream *stream = NULL;
    assert_code(ALM_OK, alm_stream_open(w->channel, &echo_service, "FailLate", NULL, &request.base,
                                        &stream, &w->st));
    for (uint64_t i = 0; i < 3; i++) {
        Almanac__Test__CountResponse *got = world_next(w, stream);
        assert_non_null(got);
        assert_int_equal(got->number, i);
    }
    for (int i = 0; i < 2; i++) { // a failure is final
        assert_null(world_next(w, stream));
        assert_code(ALM_DATA_LOSS, w->st.code);
        assert_string_equal(w->st.message, "block 7 is damaged");
    }
    alm_stream_close(&stream);
}

// Waits until the number of messages the server could send has stopped growing.
static int sent_at_rest(echo_server *echo)
{
    int before = -1;
    int now = atomic_load(&echo->sent);
    for (int quiet = 0; quiet < 20; quiet = now == before ? quiet + 1 : 0) {
        before = now;
        poll(NULL, 0, 10); // the wait is for a number that does not move
        now = atomic_load(&echo->sent);
    }
    return now;
}

static void a_slow_reader_blocks_its_sender_and_nobody_else(void **state)
{
    world *w = *state;
    const uint32_t padding = 1000;
    const uint64_t count = 20000; // 20 MB, twenty windows
    alm_stream *slow = world_count(w, w->channel, count, padding, NULL);
    world_until(&w->echo.sent, 100);
    int sent = sent_at_rest(&w->echo);
    int window = (int)(ALM_RPC_STREAM_WINDOW_BYTES / padding) * (w->hop != NULL ? 2 : 1);
    if (sent > window + 2) {
        fail_msg("%d messages sent without credit, a window has %d", sent, window);
    }
    assert_non_null(world_say(w, w->channel, "still here", NULL));
    alm_stream *quick = world_count(w, w->channel, 5000, padding, NULL);
    uint64_t number = 0;
    while (world_next(w, quick) != NULL) {
        number++;
    }
    assert_code(ALM_OK, w->st.code);
    assert_int_equal(number, 5000);
    alm_stream_close(&quick);
    for (number = 0; world_next(w, slow) != NULL; number++) {}
    assert_code(ALM_OK, w->st.code);
    assert_int_equal(number, count);
    alm_stream_close(&slow);
}

static void a_stream_may_carry_messages_larger_than_its_window(void **state)
{
    world *w = *state;
    alm_stream *stream = world_count(w, w->channel, 6, 3u << 20, NULL);
    uint64_t number = 0;
    for (Almanac__Test__CountResponse *got; (got = world_next(w, stream)) != NULL; number++) {
        assert_int_equal(got->padding.len, 3u << 20);
    }
    assert_code(ALM_OK, w->st.code);
    assert_int_equal(number, 6);
    alm_stream_close(&stream);
}

// A handler that waits for its client, to read or to send, leaves its place to others.
static void waiting_handlers_hold_no_threads(void **state)
{
    world *w = *state;
    char address[ECHO_ADDRESS_MAX];
    echo_server small = {.name = "small"};
    const alm_server_opts opts = {.name = "small", .thread_count_max = 1};
    world_address(w, address);
    echo_start(&small, w->rpc, address, &opts);
    alm_channel *slow = world_open(w, small.address);
    alm_channel *other = world_open(w, small.address);
    alm_stream *unread[3];
    alm_stream *unsent[3];
    for (size_t i = 0; i < ALM_ARRAY_LEN(unread); i++) {
        unread[i] = world_count(w, slow, UINT64_MAX, 1000, NULL);
        assert_code(ALM_OK,
                    alm_stream_open(slow, &echo_service, "Sum", NULL, NULL, &unsent[i], &w->st));
    }
    world_until(&small.started, ALM_ARRAY_LEN(unread)); // each found a thread
    for (int i = 0; i < 20; i++) {
        assert_non_null(world_say(w, other, "still here", NULL));
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(unread); i++) {
        assert_non_null(world_next(w, unread[i]));
        alm_stream_close(&unread[i]);
        alm_stream_close(&unsent[i]);
    }
    alm_channel_close(&slow);
    alm_channel_close(&other);
    echo_stop(&small);
}

// Nor what was not read nor whom nobody answers keeps an end waiting.
static void an_end_waits_for_nobody(void **state)
{
    world *w = *state;
    char address[ECHO_ADDRESS_MAX];
    echo_server small = {.name = "small"};
    world_address(w, address);
    echo_start(&small, w->rpc, address, NULL);
    alm_channel *channel = world_open(w, small.address);
    alm_stream *unread = world_count(w, channel, UINT64_MAX, 100000, NULL);
    world_until(&small.sent, 10);
    world_address_later(w, address);
    alm_channel *to_nobody = world_open(w, address);
    alm_stream *unanswered = world_count(w, to_nobody, 1, 0, NULL);
    int64_t begin_ms = world_now_ms();
    echo_stop(&small);
    alm_stream_close(&unanswered);
    alm_channel_close(&to_nobody);
    alm_stream_close(&unread);
    alm_channel_close(&channel);
    assert_in_range(world_now_ms() - begin_ms, 0, WORLD_WAIT_MS);
}

static void many_streams_share_a_connection(void **state)
{
    world *w = *state;
    alm_stream *streams[40];
    for (size_t i = 0; i < ALM_ARRAY_LEN(streams); i++) {
        streams[i] = world_count(w, w->channel, 100 + i, 100, NULL);
    }
    for (size_t i = 0; i < ALM_ARRAY_LEN(streams); i++) {
        uint64_t number = 0;
        for (Almanac__Test__CountResponse *got; (got = world_next(w, streams[i])) != NULL;) {
            assert_int_equal(got->number, number);
            number++;
        }
        assert_code(ALM_OK, w->st.code);
        assert_int_equal(number, 100 + i);
        alm_stream_close(&streams[i]);
    }
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(a_stream_has_all_its_messages_in_order),
    WORLD_TEST(messages_before_a_failure_arrive_then_the_failure),
    WORLD_TEST(a_slow_reader_blocks_its_sender_and_nobody_else),
    WORLD_TEST(a_stream_may_carry_messages_larger_than_its_window),
    WORLD_TEST(waiting_handlers_hold_no_threads),
    WORLD_TEST(an_end_waits_for_nobody),
    WORLD_TEST(many_streams_share_a_connection),
};

world_group conform_streams(void)
{
    return (world_group){tests, ALM_ARRAY_LEN(tests)};
}
