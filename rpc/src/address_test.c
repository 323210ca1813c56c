#include "address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

typedef struct row {
    const char *text;
    const char *says; // of the error; NULL: is an address
    const char *host, *port;
    bool is_loopback, is_numeric, takes_any_port;
} row;

static const row rows[] = {
    {"tcp://127.0.0.1:7103", NULL, "127.0.0.1", "7103", true, true, false},
    {"tcp://127.9.9.9:0", NULL, "127.9.9.9", "0", true, true, true},
    {"tcp://10.0.0.3:65535", NULL, "10.0.0.3", "65535", false, true, false},
    {"tcp://0.0.0.0:1", NULL, "0.0.0.0", "1", false, true, false},
    {"tcp://*:7103", NULL, "*", "7103", false, false, false},
    {"tcp://127.0.0.1:*", NULL, "127.0.0.1", "*", true, true, true},
    {"tcp://localhost:7103", NULL, "localhost", "7103", true, false, false},
    {"tcp://localhost.example:7103", NULL, "localhost.example", "7103", false, false, false},
    {"tcp://aggregation:7103", NULL, "aggregation", "7103", false, false, false},
    {"tcp://[::1]:7103", NULL, "::1", "7103", true, true, false},
    {"tcp://[fe80::1]:7103", NULL, "fe80::1", "7103", false, true, false},
    {"tcp://[::]:7103", NULL, "::", "7103", false, true, false},
    {"ipc:///run/almanac/x.sock", NULL, "", "", true, true, false},
    {"inproc://almanac.storage", NULL, "", "", true, true, false},
    {"loop://x", NULL, "", "", true, true, false},
    {"", "is no address", "", "", false, false, false},
    {"127.0.0.1:7103", "is no address", "", "", false, false, false},
    {"http://127.0.0.1:7103", "is no address", "", "", false, false, false},
    {"TCP://127.0.0.1:7103", "is no address", "", "", false, false, false},
    {"tcp://127.0.0.1", "no port", "", "", false, false, false},
    {"tcp://127.0.0.1:", "no port", "", "", false, false, false},
    {"tcp://127.0.0.1:65536", "no port", "", "", false, false, false},
    {"tcp://127.0.0.1:-1", "no port", "", "", false, false, false},
    {"tcp://127.0.0.1:+1", "no port", "", "", false, false, false},
    {"tcp://127.0.0.1:http", "no port", "", "", false, false, false},
    {"tcp://127.0.0.1:99999999999999999999", "no port", "", "", false, false, false},
    {"tcp://:7103", "no valid host", "", "", false, false, false},
    {"tcp://[]:7103", "no valid host", "", "", false, false, false},
    {"tcp://a b:7103", "no valid host", "", "", false, false, false},
    {"tcp://a/b:7103", "no valid host", "", "", false, false, false},
    {"tcp://eth0;10.0.0.1:7103", "no valid host", "", "", false, false, false},
    {"tcp://::1:7103", "brackets", "", "", false, false, false},
    {"ipc://", "empty", "", "", false, false, false},
    {"loop://", "empty", "", "", false, false, false},
    {"ipc:///tmp/a/path/that/is/much/longer/than/a/unix/socket/may/have/because/the/kernel/keeps/"
     "it/"
     "in/a/hundred/and/eight/bytes",
     "at most 107", "", "", false, false, false},
};

static void parse(void **state)
{
    const row *want = *state;
    alm_address got;
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_address_parse(alm_str_from(want->text), &got, &st);
    if (want->says != NULL) {
        assert_int_equal(code, ALM_INVALID_ARGUMENT);
        if (strstr(st.message, want->says) == NULL || strstr(st.message, want->text) == NULL) {
            fail_msg("'%s' does not say '%s' of the address", st.message, want->says);
        }
        return;
    }
    assert_int_equal(code, ALM_OK);
    assert_true(alm_str_eq(got.host, alm_str_from(want->host)));
    assert_true(alm_str_eq(got.port, alm_str_from(want->port)));
    assert_int_equal(alm_address_is_loopback(&got), want->is_loopback);
    assert_int_equal(alm_address_is_numeric(&got), want->is_numeric);
    assert_int_equal(alm_address_takes_any_port(&got), want->takes_any_port);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(rows)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(rows); i++) {
        tests[i] = (struct CMUnitTest){
            .name = rows[i].text,
            .test_func = parse,
            .initial_state = (void *)(uintptr_t)&rows[i],
        };
    }
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
