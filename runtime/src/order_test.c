// Goal: modules start after what they need, and probes find a server wherever it is bound.
// Method: tables.
#include "order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const char *const needs_storage[] = {"storage", NULL};
static const char *const needs_all[] = {"storage", "ingestion", NULL};
static const char *const needs_gateway[] = {"gateway", NULL};

static const alm_module storage = {.name = "storage"};
static const alm_module ingestion = {.name = "ingestion", .needs = needs_storage};
static const alm_module gateway = {.name = "gateway", .needs = needs_all};
static const alm_module loop_storage = {.name = "storage", .needs = needs_gateway};

static void needs_come_first(void **state)
{
    const alm_module *const given[] = {&gateway, &ingestion, &storage, NULL};
    const alm_module *order[3];
    size_t count = 0;
    (void)state;
    assert_int_equal(alm_module_order(given, order, &count, NULL), ALM_OK);
    assert_int_equal(count, 3);
    assert_ptr_equal(order[0], &storage);
    assert_ptr_equal(order[1], &ingestion);
    assert_ptr_equal(order[2], &gateway);
}

static void needs_met_elsewhere_do_not_matter(void **state)
{
    const alm_module *const given[] = {&gateway, NULL};
    const alm_module *order[1];
    size_t count = 0;
    (void)state;
    assert_int_equal(alm_module_order(given, order, &count, NULL), ALM_OK);
    assert_int_equal(count, 1);
}

static void a_circle_is_refused(void **state)
{
    const alm_module *const given[] = {&gateway, &loop_storage, NULL};
    const alm_module *order[2];
    size_t count = 0;
    alm_status st = ALM_STATUS_INIT;
    (void)state;
    assert_int_equal(alm_module_order(given, order, &count, &st), ALM_INVALID_ARGUMENT);
    assert_non_null(strstr(st.message, "gateway"));
}

static void probes_find_the_server(void **state)
{
    static const struct {
        const char *bind, *want;
    } rows[] = {
        {"tcp://127.0.0.1:7102", "tcp://127.0.0.1:7102"},
        {"tcp://0.0.0.0:7102", "tcp://127.0.0.1:7102"},
        {"tcp://*:7102", "tcp://127.0.0.1:7102"},
        {"tcp://[::]:7102,ipc:///x", "tcp://127.0.0.1:7102"},
        {"ipc:///run/almanac/storage,tcp://*:1", "ipc:///run/almanac/storage"},
    };
    (void)state;
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        char out[64];
        assert_int_equal(alm_probe_address(rows[i].bind, out, sizeof out, NULL), ALM_OK);
        assert_string_equal(out, rows[i].want);
    }
    char small[8];
    assert_int_equal(alm_probe_address("tcp://*:7102", small, sizeof small, NULL),
                     ALM_OUT_OF_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_come_first),
        cmocka_unit_test(needs_met_elsewhere_do_not_matter),
        cmocka_unit_test(a_circle_is_refused),
        cmocka_unit_test(probes_find_the_server),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
