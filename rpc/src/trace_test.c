#include "trace.h"

#include "rpc_internal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void digits_are_as_printf_has_them(void **state)
{
    (void)state;
    uint64_t v = UINT64_C(0x0123456789abcdef);
    for (int i = 0; i < 10000; i++) {
        char digits[ALM_HEX64_LEN + 1] = "................";
        char expected[ALM_HEX64_LEN + 1];
        alm_hex64(v, digits);
        snprintf(expected, sizeof expected, "%016" PRIx64, v);
        assert_string_equal(digits, expected);
        v = i % 64 < 32 ? alm_mix64(v) : v >> 1; // small ones too
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(digits_are_as_printf_has_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
