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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_call_waits_for_a_server_that_comes_later, world_set_up,
                                    world_tear_down),
    cmocka_unit_test_setup_teardown(a_channel_survives_its_server, world_set_up, world_tear_down),
};

world_group conform_cluster(void)
{
    return (world_group){tests, ALM_ARRAY_LEN(tests)};
}
