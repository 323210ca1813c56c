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

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"

// Whether a span that begins in what was kept of the text goes on with its trace.
static bool goes_on(const char *text, char kept[ALM_TRACEPARENT_BYTES])
{
    char before[ALM_TRACEPARENT_BYTES] = "";
    snprintf(before, sizeof before, "%s", text);
    alm_trace_begin("4bf92f3577b34da6", 1, kept);
    return memcmp(kept + 3, before + 3, ALM_TRACE_SPAN_AT - 3) == 0;
}

static void a_trace_goes_on_where_the_text_is_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool goes_on;
    } cases[] = {
        {"00-" TRACE "-" SPAN "-01", true},
        {"01-" TRACE "-" SPAN "-00", true},
        {"cc-" TRACE "-" SPAN "-01-later", true},
        {"00-" TRACE "-" SPAN "-01-later", false},
        {"cc-" TRACE "-" SPAN "-01.later", false},
        {"ff-" TRACE "-" SPAN "-01", false},
        {"00-" TRACE "-" SPAN "-0", false},
        {"00_" TRACE "-" SPAN "-01", false},
        {"00-" TRACE "_" SPAN "-01", false},
        {"00-" TRACE "-" SPAN "_01", false},
        {"00-00000000000000000000000000000000-" SPAN "-01", false},
        {"00-" TRACE "-0000000000000000-01", false},
        {"00-" TRACE "-0000000000000001-01", true},
        {"00-10000000000000000000000000000000-" SPAN "-01", true},
        {"", false},
    };
    for (size_t i = 0; i < ALM_ARRAY_LEN(cases); i++) {
        char text[ALM_TRACEPARENT_BYTES];
        alm_trace_keep(alm_str_from(cases[i].text), text);
        assert_int_equal(goes_on(cases[i].text, text), cases[i].goes_on);
        assert_memory_equal(text, "00-", 3);
        assert_memory_not_equal(text + ALM_TRACE_SPAN_AT, SPAN, ALM_HEX64_LEN);
    }
}

// The neighbours of digits in ASCII, capitals and bytes above it, at each place.
static void only_hex_digits_make_a_trace(void **state)
{
    (void)state;
    static const char good[] = "00-" TRACE "-" SPAN "-01";
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (unsigned c = 0; c <= UINT8_MAX && good[at] != '-'; c++) {
            char text[ALM_TRACEPARENT_BYTES];
            memcpy(text, good, sizeof text);
            text[at] = (char)c;
            bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            assert_int_equal(goes_on(text, text), is_digit);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_as_printf_has_them),
        cmocka_unit_test(a_trace_goes_on_where_the_text_is_one),
        cmocka_unit_test(only_hex_digits_make_a_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
