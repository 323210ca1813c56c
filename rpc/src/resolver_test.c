#include "alm/alloc.h"
#include "client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define WAIT_MS 20000 // never waited in full

static void a_name_gives_all_its_addresses(void **state)
{
    (void)state;
    const alm_target_name name = {.host = "localhost", .port = "7103"};
    char(*addresses)[ALM_ADDRESS_BYTES_MAX] = NULL;
    size_t count = 0;
    bool has_v4 = false;
    assert_int_equal(alm_resolve(&name, &addresses, &count, NULL), ALM_OK);
    for (size_t i = 0; i < count; i++) {
        alm_address parsed;
        assert_int_equal(alm_address_parse(alm_str_from(addresses[i]), &parsed, NULL), ALM_OK);
        assert_true(alm_address_is_numeric(&parsed));
        has_v4 = has_v4 || strcmp(addresses[i], "tcp://127.0.0.1:7103") == 0;
    }
    assert_true(has_v4);
    alm_free(addresses);
}

static void an_unknown_name_is_named(void **state)
{
    (void)state;
    const alm_target_name name = {.host = "nobody.invalid", .port = "7103"};
    char(*addresses)[ALM_ADDRESS_BYTES_MAX] = NULL;
    size_t count = 0;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_resolve(&name, &addresses, &count, &st), ALM_UNAVAILABLE);
    assert_non_null(strstr(st.message, "nobody.invalid"));
}

static void count_connections(void *arg, const alm_connection_info *info)
{
    *(size_t *)arg += info->healthy ? 1 : 0;
}

// A channel to a name reaches the server behind it, though the name has addresses nobody listens
// at.
static void a_channel_calls_by_name(void **state)
{
    (void)state;
    alm_rpc *rpc = NULL;
    alm_server *server = NULL;
    alm_channel *channel = NULL;
    alm_status st = ALM_STATUS_INIT;
    char target[ALM_ADDRESS_BYTES_MAX];
    assert_int_equal(alm_rpc_create(NULL, &rpc, &st), ALM_OK);
    assert_int_equal(alm_server_create(rpc, NULL, &server, &st), ALM_OK);
    assert_int_equal(alm_server_bind(server, "tcp://127.0.0.1:0", &st), ALM_OK);
    assert_int_equal(alm_server_start(server, &st), ALM_OK);
    const char *port = strrchr(alm_server_endpoint(server, 0), ':');
    snprintf(target, sizeof target, "tcp://localhost%s", port);
    assert_int_equal(alm_channel_open(rpc, target, NULL, &channel, &st), ALM_OK);
    if (alm_channel_wait_ready(channel, WAIT_MS, &st) != ALM_OK) {
        fail_msg("%s", st.message);
    }
    size_t healthy = 0;
    alm_channel_visit(channel, count_connections, &healthy);
    assert_int_equal(healthy, 1);
    assert_int_equal(alm_health_check(rpc, target, "", WAIT_MS, &st), ALM_OK);
    alm_channel_close(&channel);
    alm_server_destroy(&server);
    alm_rpc_destroy(&rpc);
}

static void a_channel_to_nobody_says_why(void **state)
{
    (void)state;
    alm_rpc *rpc = NULL;
    alm_channel *channel = NULL;
    alm_status st = ALM_STATUS_INIT;
    assert_int_equal(alm_rpc_create(NULL, &rpc, &st), ALM_OK);
    assert_int_equal(alm_channel_open(rpc, "tcp://nobody.invalid:1", NULL, &channel, &st), ALM_OK);
    assert_int_equal(alm_channel_wait_ready(channel, 300, &st), ALM_DEADLINE_EXCEEDED);
    assert_non_null(strstr(st.message, "tcp://nobody.invalid:1"));
    alm_channel_close(&channel);
    alm_rpc_destroy(&rpc); // whether or not a name server has answered
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_gives_all_its_addresses),
        cmocka_unit_test(an_unknown_name_is_named),
        cmocka_unit_test(a_channel_calls_by_name),
        cmocka_unit_test(a_channel_to_nobody_says_why),
    };
    return cmocka_run_group_tests_name("resolver", tests, NULL, NULL);
}
