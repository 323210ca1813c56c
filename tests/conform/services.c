// Health and Reflection, which every server serves.
#include "world.h"

#include "almanac/internal/health.pb-c.h"

static void health_follows_what_the_server_says(void **state)
{
    world *w = *state;
    const char *address = w->echo.address;
    w->st = ALM_STATUS_INIT;
    assert_code(ALM_OK, alm_health_check(w->rpc, address, "", WORLD_WAIT_MS, &w->st));
    assert_code(ALM_OK,
                alm_health_check(w->rpc, address, "almanac.test.Echo", WORLD_WAIT_MS, &w->st));
    alm_server_set_serving(w->echo.server, "almanac.test.Echo", false);
    assert_code(ALM_UNAVAILABLE,
                alm_health_check(w->rpc, address, "almanac.test.Echo", WORLD_WAIT_MS, &w->st));
    assert_code(ALM_OK, alm_health_check(w->rpc, address, "", WORLD_WAIT_MS, &w->st));
    alm_server_set_serving(w->echo.server, NULL, false);
    assert_code(ALM_UNAVAILABLE, alm_health_check(w->rpc, address, "", WORLD_WAIT_MS, &w->st));
    assert_code(ALM_NOT_FOUND,
                alm_health_check(w->rpc, address, "no.such.Service", WORLD_WAIT_MS, &w->st));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(health_follows_what_the_server_says, world_set_up,
                                    world_tear_down),
};

world_group conform_services(void)
{
    return (world_group){tests, ALM_ARRAY_LEN(tests)};
}
